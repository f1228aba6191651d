"""Rules of the house that no linter holds."""

import ast
from pathlib import Path

ROOM = Path(__file__).parent.parent / "onboarding"
SOURCES = [path for path in sorted(ROOM.rglob("*.py")) if "migrations" not in path.parts]


def _writes_state(tree: ast.AST) -> bool:
    """`role.state = …`, or `….update(state=…)`."""
    for node in ast.walk(tree):
        targets = node.targets if isinstance(node, ast.Assign) else []
        if any(isinstance(target, ast.Attribute) and target.attr == "state" for target in targets):
            return True
        is_update = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "update"
        if is_update and any(keyword.arg == "state" for keyword in node.keywords):
            return True
    return False


def test_a_roles_state_is_written_by_transitions_alone():
    allowed = {ROOM / "services" / "transitions.py", ROOM / "core" / "states.py"}
    assert [path for path in SOURCES if _writes_state(ast.parse(path.read_text())) and path not in allowed] == []
