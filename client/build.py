"""`python -m client.build`: one file without dependencies, of the rules in `core/awsconfig` and the modules here."""

import ast
import hashlib
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
BUILT = CHECKOUT / "client" / "portal_config.py"
# In the order in which they build on each other; of a module that only lends, the names that are wanted.
_PARTS = {
    "onboarding/core/errors.py": {"OnboardingError", "UnsafeConfigValue"},
    "onboarding/core/awsconfig/scanning.py": set[str](),
    "onboarding/core/awsconfig/files.py": set[str](),
    "onboarding/core/awsconfig/merging.py": set[str](),
    "client/trouble.py": set[str](),
    "client/store.py": set[str](),
    "client/portal.py": set[str](),
    "client/signing_in.py": set[str](),
    "client/changes.py": set[str](),
    "client/checking.py": set[str](),
    "client/commands.py": set[str](),
}
_OURS = ("client", "onboarding")
_HEAD = '''#!/usr/bin/env python3
"""portal-config: keeps a Tobiishi portal's profiles in your ~/.aws/config, and nothing else there.

Needs Python 3.11 or newer and nothing else. Made by `make client` from the portal's own rules; do not edit it.
"""

import sys

if sys.version_info < (3, 11):
    sys.exit("portal-config needs Python 3.11 or newer; this is {}.{}.".format(*sys.version_info[:2]))

'''
_TAIL = """

if __name__ == "__main__":
    sys.exit(main())
"""


@dataclass(frozen=True, slots=True)
class _Part:
    path: str
    names: set[str]
    imports: list[ast.Import | ast.ImportFrom]
    text: str


def built() -> str:
    parts = [_read(path, wanted) for path, wanted in _PARTS.items()]
    _refuse_collisions(parts)
    bodies = [f"# --- {part.path} {'-' * (112 - len(part.path))}\n\n{part.text}\n" for part in parts]
    return "\n".join([_HEAD.rstrip("\n") + "\n", _imports(parts), "", "\n\n".join(bodies)]).rstrip() + "\n" + _TAIL


def _read(path: str, wanted: set[str]) -> _Part:
    source = (CHECKOUT / path).read_text(encoding="utf-8")
    statements = ast.parse(source).body
    imports = [node for node in statements if isinstance(node, ast.Import | ast.ImportFrom)]
    defined = {name: node for node in statements for name in _names(node)}
    if wanted:
        pieces = [ast.get_source_segment(source, defined[name]) or "" for name in sorted(wanted)]
        return _Part(path, wanted, [], "\n\n\n".join(pieces))
    end = max((node.end_lineno or 0 for node in imports), default=1)
    return _Part(path, set(defined), imports, "\n".join(source.splitlines()[end:]).strip())


def _names(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.ClassDef | ast.FunctionDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _refuse_collisions(parts: list[_Part]) -> None:
    """Two modules may each have a private name; in one file they would be one."""
    owners: dict[str, list[str]] = defaultdict(list)
    for part in parts:
        for name in part.names:
            owners[name].append(part.path)
    for name, paths in owners.items():
        if len(paths) > 1:
            sys.exit(f"{name} is defined in {' and in '.join(paths)}: one of them needs another name.")


def _imports(parts: list[_Part]) -> str:
    plain: set[str] = set()
    members: dict[str, set[str]] = defaultdict(set)
    for node in (node for part in parts for node in part.imports):
        if isinstance(node, ast.Import):
            plain.update(alias.name for alias in node.names)
        elif not (module := node.module or "").startswith(_OURS):
            members[module].update(alias.name for alias in node.names)
    whole = [f"import {name}" for name in sorted(plain - {"sys"})]
    chosen = [f"from {module} import {', '.join(sorted(names))}" for module, names in sorted(members.items())]
    return "\n".join([*whole, *chosen])


def main() -> None:
    content = built().encode()
    BUILT.write_bytes(content)
    print(f"SHA-256, for the release notes: {hashlib.sha256(content).hexdigest()}")


if __name__ == "__main__":
    main()
