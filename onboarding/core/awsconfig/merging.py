"""Our sections into the file that a person already has: one fenced block, and every byte outside it stays."""

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from onboarding.core.awsconfig.files import ConfigFile
from onboarding.core.awsconfig.scanning import Notice, Problem, Section
from onboarding.core.errors import UnsafeConfigValue

_NOTE = "# Your portal rewrites everything down to the closing line; settings of your own belong outside."
_NAME = r"[A-Za-z0-9_-]{1,64}"
_KEPT = re.compile(rf"# kept yours: ((?:profile|sso-session) {_NAME})")
_RENAMED = re.compile(rf"# renamed: ((?:profile|sso-session) {_NAME}) -> ({_NAME})")
_RENDERED_SECTION = re.compile(
    rf"\[(?P<kind>profile|sso-session) (?P<name>{_NAME})\]\n(?P<settings>(?:[a-z_]+ = [A-Za-z0-9_+=,.@:/~-]+\n)+)"
)
_SESSION = ["sso_start_url", "sso_region", "sso_registration_scopes"]
_BASTION = ["sso_session", "sso_account_id", "sso_role_name", "region"]
_PARTNER = ["role_arn", "source_profile", "external_id", "role_session_name", "region"]
_SHAPES = {
    "sso-session": [_SESSION],
    "profile": [_BASTION, [*_BASTION, "output"], _PARTNER, [*_PARTNER, "output"]],
}
# The one key through which a section of ours names another, and the kind of that other.
REFERENCES = {"sso_session": "sso-session", "source_profile": "profile"}


class Answer(StrEnum):
    """What to do where the file has a section of the same name outside our block."""

    KEEP_MINE = "keep"
    TAKE_THE_PORTALS = "take"
    RENAME = "rename"


@dataclass(frozen=True, slots=True)
class Choice:
    """`new_name` belongs to `RENAME`: it is what our section is called in this file."""

    answer: Answer
    new_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """Nobody has chosen yet, or `refused_name` is taken or no name; `line` is 0 where nothing outside is in the way.

    `used_by` are our sections that refer to the one in question: with *keep mine* they go through the person's own.
    """

    section: str
    line: int
    is_identical: bool
    used_by: tuple[str, ...]
    refused_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """`content` is the whole new file; None while there is a problem or a conflict, each in the order of the file."""

    content: bytes | None
    problems: tuple[Problem, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    notices: tuple[Notice, ...] = ()


def merge(existing: bytes, ours: str, choices: Mapping[str, Choice]) -> Merge:
    """`ours` is what `render` gave; `choices` go by header (`profile acme-admin`) and are remembered in the block.

    Raises `UnsafeConfigValue` where `ours` is anything that `render` could not have given.
    """
    file = ConfigFile.parse(existing)
    if file.problems:
        return Merge(content=None, problems=file.problems, notices=file.notices)
    sections = _read_rendered(ours)
    settled = _settle(sections, file.outside, {**_remembered(file.block_lines), **choices})
    if settled.conflicts:
        conflicts = sorted(settled.conflicts, key=lambda conflict: conflict.line)
        return Merge(content=None, conflicts=tuple(conflicts), notices=file.notices)
    block_lines = _block_lines(sections, settled)
    return Merge(content=file.with_block(block_lines, without=settled.taken), notices=file.notices)


@dataclass(frozen=True, slots=True)
class _OurSection:
    kind: str
    name: str
    settings: dict[str, str]

    @property
    def header(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(slots=True)
class _Settled:
    """What was decided: by header, which of ours stay out and which have another name; which of theirs go."""

    conflicts: list[Conflict] = field(default_factory=list)
    kept: set[str] = field(default_factory=set)
    renamed: dict[str, str] = field(default_factory=dict)
    taken: list[Section] = field(default_factory=list)


def _settle(ours: list[_OurSection], outside: dict[str, list[Section]], choices: Mapping[str, Choice]) -> _Settled:
    settled = _Settled()
    names_in_use = {section.header for section in ours} | outside.keys()
    users = _users(ours)
    for section in ours:
        theirs, choice = outside.get(section.header, []), choices.get(section.header)
        if choice is None:
            if theirs:
                settled.conflicts.append(_conflict(section, theirs, users))
        elif choice.answer is Answer.RENAME:
            new_header = f"{section.kind} {choice.new_name}"
            if not _is_name(choice.new_name) or new_header in names_in_use:
                in_the_way = theirs or outside.get(new_header, [])
                settled.conflicts.append(_conflict(section, in_the_way, users, refused_name=choice.new_name))
            names_in_use.add(new_header)
            settled.renamed[section.header] = choice.new_name
        elif choice.answer is Answer.TAKE_THE_PORTALS:
            settled.taken.extend(theirs)
        elif theirs:
            settled.kept.add(section.header)
    return settled


def _is_name(text: str) -> bool:
    return bool(re.fullmatch(_NAME, text)) and text.lower() != "default"


def _users(ours: list[_OurSection]) -> dict[str, list[str]]:
    users: dict[str, list[str]] = defaultdict(list)
    for section in ours:
        for key, kind in REFERENCES.items():
            if key in section.settings:
                users[f"{kind} {section.settings[key]}"].append(section.header)
    return users


def _conflict(
    section: _OurSection, theirs: list[Section], users: dict[str, list[str]], *, refused_name: str = ""
) -> Conflict:
    return Conflict(
        section=section.header,
        line=min((their.first for their in theirs), default=0),
        is_identical=bool(theirs) and all(their.settings == section.settings for their in theirs),
        used_by=tuple(users.get(section.header, ())),
        refused_name=refused_name,
    )


def _block_lines(ours: list[_OurSection], settled: _Settled) -> list[str]:
    """What is to be between the fences, with the choices, so that the next merge need not ask again."""
    if not ours:
        return []
    kept = [f"# kept yours: {section.header}" for section in ours if section.header in settled.kept]
    renamed = [f"# renamed: {header} -> {new_name}" for header, new_name in settled.renamed.items()]
    lines = [_NOTE, *kept, *renamed]
    for section in ours:
        if section.header not in settled.kept:
            lines += ["", *_section_lines(section, settled.renamed)]
    return lines


def _section_lines(section: _OurSection, renamed: Mapping[str, str]) -> list[str]:
    """A new name is a new name everywhere: also where a section of ours refers to the renamed one."""
    lines = [f"[{section.kind} {renamed.get(section.header, section.name)}]"]
    for key, value in section.settings.items():
        target = f"{REFERENCES[key]} {value}" if key in REFERENCES else ""
        lines.append(f"{key} = {renamed.get(target, value)}")
    return lines


def _remembered(block_lines: list[str]) -> dict[str, Choice]:
    choices = {}
    for line in block_lines:
        if kept := _KEPT.fullmatch(line):
            choices[kept[1]] = Choice(Answer.KEEP_MINE)
        elif renamed := _RENAMED.fullmatch(line):
            choices[renamed[1]] = Choice(Answer.RENAME, renamed[2])
    return choices


def _read_rendered(ours: str) -> list[_OurSection]:
    """Only the keys that `render` writes, in its order: nothing that was added on the way here gets into the file."""
    if not ours:
        return []
    sections = [_read_section(text) for text in ours.removesuffix("\n").split("\n\n")]
    headers = {section.header for section in sections}
    if len(headers) < len(sections):
        raise UnsafeConfigValue(section="", key="", found="a section twice")
    return sections


def _read_section(text: str) -> _OurSection:
    parts = _RENDERED_SECTION.fullmatch(f"{text}\n")
    if not parts:
        raise UnsafeConfigValue(section=text.partition("\n")[0], key="", found=text)
    pairs = [line.split(" = ", 1) for line in parts["settings"].splitlines()]
    keys = [key for key, _ in pairs]
    if keys not in _SHAPES[parts["kind"]]:
        raise UnsafeConfigValue(section=text.partition("\n")[0], key=", ".join(keys), found=text)
    return _OurSection(parts["kind"], parts["name"], dict(pairs))
