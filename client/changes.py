"""What a merge would change, and what a person has to agree to first."""

import difflib
import sys
from collections.abc import Iterator

from client.trouble import NEEDS_A_PERSON, Trouble, say, shown
from onboarding.core.awsconfig.files import ConfigFile
from onboarding.core.awsconfig.merging import REFERENCES, Answer, Choice, Conflict, Merge, merge
from onboarding.core.awsconfig.scanning import Problem, ProblemKind, scan
from onboarding.core.errors import UnsafeConfigValue

Sections = dict[str, dict[str, str]]

# Through these a config says where a person signs in, and by which account they go: a thief would change one of them.
_PLACES = {"sso_start_url": "the start URL", "sso_region": "the SSO region", "sso_account_id": "the bastion account"}
_WATCHED = {**_PLACES, "sso_session": "the SSO session", "source_profile": "the source profile"}
_ANSWERS = {"k": Answer.KEEP_MINE, "t": Answer.TAKE_THE_PORTALS, "r": Answer.RENAME}
_PROBLEMS = {
    ProblemKind.DUPLICATE_SECTION: "[{}] stands twice",
    ProblemKind.DUPLICATE_SETTING: "{} is set twice in one section",
    ProblemKind.BEFORE_ANY_SECTION: "a setting stands before the first section: {}",
    ProblemKind.NOT_A_SETTING: "this is no setting: {}",
    ProblemKind.NOT_A_NESTED_SETTING: "this is no nested setting: {}",
    ProblemKind.NOT_TEXT: "this file is no plain text; save it as UTF-8",
    ProblemKind.BROKEN_FENCE: "the lines around the portal's block do not match: {}",
    ProblemKind.SETTING_AFTER_BLOCK: "a setting follows the portal's block without a section of its own: {}",
    ProblemKind.OWN_SECTION_IN_BLOCK: "[{}] is yours and stands inside the portal's block; move it out",
}


def merged_with(existing: bytes, ours: str, choices: dict[str, Choice], *, asks: bool) -> bytes:
    """The whole new file, every conflict decided. Raises `Trouble` where a person is needed and none is there."""
    while True:
        found = check_readable(try_merge(existing, ours, choices))
        if found.content is not None:
            return found.content
        if not asks:
            raise Trouble("\n".join(_conflict_lines(found.conflicts)), status=NEEDS_A_PERSON)
        choices.update({conflict.section: _ask_about(conflict) for conflict in found.conflicts})


def check_offered(ours: str) -> None:
    """Raises `Trouble` where the portal's text is not a config that stands by itself.

    A profile through a section of the person's own would spend credentials that the portal has nothing to do with.
    """
    offered = block_sections(try_merge(b"", ours, {}).content or b"")
    if any(not url.startswith("https://") for url in _values(offered, "sso_start_url")):
        raise Trouble("A start URL is not https. Nothing was changed; tell whoever runs the portal.")
    for header, settings in offered.items():
        for key, kind in REFERENCES.items():
            if key in settings and f"{kind} {settings[key]}" not in offered:
                raise Trouble(f"The portal's [{header}] leads through a section of yours. Nothing was changed.")


def try_merge(existing: bytes, ours: str, choices: dict[str, Choice]) -> Merge:
    try:
        return merge(existing, ours, choices)
    except UnsafeConfigValue as error:
        raise Trouble("The portal sent something that is no config of its own making. Nothing was changed.") from error


def check_readable(found: Merge) -> Merge:
    if found.problems:
        lines = ["AWS CLI and SDKs cannot read this file, or our block cannot go into it. Nothing was changed."]
        raise Trouble("\n".join([*lines, *map(problem_line, found.problems)]))
    return found


def problem_line(problem: Problem) -> str:
    return f"  line {problem.line}: {_PROBLEMS[problem.kind].format(problem.found)}"


def difference(before: bytes, after: bytes, name: str) -> str:
    old, new = (_lines(content) for content in (before, after))
    return "\n".join(difflib.unified_diff(old, new, name, f"{name} (as the portal has it)", lineterm=""))


def check_places(before: bytes, after: bytes, *, accepted: bool, asks: bool) -> None:
    """Raises `Trouble` where the way to sign in would change and nobody agrees."""
    changes = list(changed_places(block_sections(before), block_sections(after)))
    if not changes or accepted:
        return
    told = "\n".join(["The portal changes how you sign in:", *(f"  {change}" for change in changes)])
    if not asks:
        raise Trouble(f"{told}\nNothing was changed. If this is right: --accept-changes", status=NEEDS_A_PERSON)
    say(f"{told}\nAsk whoever runs the portal if you did not expect this.")
    if not _agreed("Accept these changes?"):
        raise Trouble("Nothing was changed.", status=NEEDS_A_PERSON)


def changed_places(before: Sections, after: Sections) -> Iterator[str]:
    """Compared with the block that is there; where there is none, everything is new and nothing changes."""
    for header, settings in after.items() if before else ():
        for key, name in _WATCHED.items():
            new, old = settings.get(key), before.get(header, {}).get(key)
            if header in before and new != old:
                yield f"{name} of [{header}]: {old or 'none'} → {new or 'none'}"
            elif header not in before and key in _PLACES and new and new not in _values(before, key):
                yield f"{name} of [{header}] is new: {new}"


def block_sections(content: bytes) -> Sections:
    file = ConfigFile.parse(content)
    numbered = list(enumerate(file.lines, start=1))[file.block.start : file.block.stop]
    return {section.identity: section.settings for section in scan(numbered).sections}


def is_interactive() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


def _values(sections: Sections, key: str) -> set[str]:
    return {settings[key] for settings in sections.values() if key in settings}


def _lines(content: bytes) -> list[str]:
    text = content.decode("utf-8", "replace").removesuffix("\n")
    return [shown(line.rstrip("\r")) for line in text.split("\n")] if text else []


def _conflict_lines(conflicts: tuple[Conflict, ...]) -> Iterator[str]:
    yield "Your file has sections of the same name outside the portal's block. Nothing was changed. Say for each one:"
    for conflict in conflicts:
        yield f"  {_conflict_line(conflict)}"
    yield "  --keep SECTION (yours stays), --take SECTION (the portal's replaces it), or --rename SECTION=NEW-NAME"


def _conflict_line(conflict: Conflict) -> str:
    if conflict.refused_name:
        return f'"{conflict.section}" cannot be called "{conflict.refused_name}": it is taken, or no name.'
    same = ", the same as the portal's" if conflict.is_identical else ""
    used = f"; the portal's own {', '.join(conflict.used_by)} would go through it" if conflict.used_by else ""
    return f'"{conflict.section}", line {conflict.line}{same}{used}'


def _ask_about(conflict: Conflict) -> Choice:
    say(f"Conflict: {_conflict_line(conflict)}")
    answer = None
    while answer is None:
        answer = _ANSWERS.get(_asked("[k]eep mine, [t]ake the portal's, or [r]ename the portal's? ")[:1].lower())
    return Choice(answer, _asked("New name: ") if answer is Answer.RENAME else "")


def _agreed(question: str) -> bool:
    return _asked(f"{question} [y/N] ").lower() in {"y", "yes"}


def _asked(question: str) -> str:
    try:
        return input(question).strip()
    except EOFError:
        raise Trouble("Nothing was changed.", status=NEEDS_A_PERSON) from None
