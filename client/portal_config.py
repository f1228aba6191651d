#!/usr/bin/env python3
"""portal-config: keeps a Tobiishi portal's profiles in your ~/.aws/config, and nothing else there.

Needs Python 3.11 or newer and nothing else. Made by `make client` from the portal's own rules; do not edit it.
"""

import sys

if sys.version_info < (3, 11):
    sys.exit("portal-config needs Python 3.11 or newer; this is {}.{}.".format(*sys.version_info[:2]))

import argparse
import base64
import contextlib
import difflib
import hashlib
import hmac
import io
import json
import os
import platform
import re
import secrets
import shlex
import shutil
import stat
import subprocess
import time
import webbrowser
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from http.client import HTTPException
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import takewhile
from pathlib import Path
from typing import Any, BinaryIO, Self, TextIO
from urllib.error import HTTPError, URLError
from urllib.parse import parse_qs, urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, OpenerDirector, ProxyHandler, Request, build_opener

# --- onboarding/core/errors.py ---------------------------------------------------------------------------------------

class OnboardingError(Exception):
    """Something a person can put right; `onboarding.messages` turns it into a sentence."""


class UnsafeConfigValue(OnboardingError):
    """A value does not fit its key's grammar, or names a section that is not there: no config is made from it.

    Section and key are empty where the text as a whole did not read back as it was meant.
    """

    def __init__(self, *, section: str, key: str, found: str) -> None:
        super().__init__(section, key, found)
        self.section = section
        self.key = key
        self.found = found


# --- onboarding/core/awsconfig/scanning.py ---------------------------------------------------------------------------

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_HEADER = re.compile(r"\[(?P<header>.+)\]")
_SETTING = re.compile(r"(?P<key>[^=:]*)[=:](?P<value>.*)", re.DOTALL)
_PLAIN_HEADER = re.compile(r"(profile|sso-session|services) ([A-Za-z0-9_.@+/-]+)")
_KINDS = ("profile", "sso-session", "services")
INHERITED_BY_ALL = "DEFAULT"


class ProblemKind(StrEnum):
    """Why AWS CLI and boto3 would refuse the whole file, or why our block cannot be put into it."""

    DUPLICATE_SECTION = "duplicate_section"
    DUPLICATE_SETTING = "duplicate_setting"
    BEFORE_ANY_SECTION = "before_any_section"
    NOT_A_SETTING = "not_a_setting"
    NOT_A_NESTED_SETTING = "not_a_nested_setting"
    NOT_TEXT = "not_text"
    BROKEN_FENCE = "broken_fence"
    SETTING_AFTER_BLOCK = "setting_after_block"
    OWN_SECTION_IN_BLOCK = "own_section_in_block"


class NoticeKind(StrEnum):
    """What a person should know, though nothing has to wait for it."""

    # The AWS CLI and boto3 cannot read such a file; the SDKs for JavaScript and .NET can.
    BYTE_ORDER_MARK = "byte_order_mark"
    NOT_UTF8 = "not_utf8"
    # AWS CLI and boto3 give the settings of `[DEFAULT]`, in capitals, to every profile: also to ours.
    INHERITED_BY_ALL = "inherited_by_all"


@dataclass(frozen=True, slots=True)
class Problem:
    """`found` is the section, the key or the line that is meant."""

    line: int
    kind: ProblemKind
    found: str


@dataclass(frozen=True, slots=True)
class Notice:
    line: int
    kind: NoticeKind


@dataclass(slots=True)
class Section:
    """`first` and `last` are the lines of its header and of its last setting, counted from 1."""

    header: str
    first: int
    last: int
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def identity(self) -> str:
        return identity(self.header)


@dataclass(slots=True)
class Scan:
    sections: list[Section] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def split_lines(text: str) -> list[str]:
    """With their ends, which are those that Python knows in a text file: also a lone carriage return."""
    return _LINE.findall(text)


def identity(header: str) -> str:
    """What a section is to botocore: `[profile "x"]` and `[profile  x]` are both `profile x`."""
    if _PLAIN_HEADER.fullmatch(header):
        return header
    kind = next((kind for kind in _KINDS if header.startswith(kind)), "")
    try:
        words = shlex.split(header) if kind else []
    except ValueError:
        words = []
    return f"{kind} {words[1]}" if len(words) == 2 else header


def scan(before: Iterable[tuple[int, str]], after: Iterable[tuple[int, str]] = ()) -> Scan:
    """Numbered lines before and after our block, which stands between the two."""
    reader = _Reader()
    for number, line in before:
        reader.read(number, line)
    reader.pass_block()
    for number, line in after:
        reader.read(number, line)
    return reader.scan


class _Reader:
    """The rules of Python's configparser, line for line; where that gives up, this notes a problem and goes on."""

    def __init__(self) -> None:
        self.scan = Scan()
        self._is_after_block = False
        self._section: Section | None = None
        self._key = ""
        self._indent = 0
        self._headers: set[str] = set()
        self._keys: set[str] = set()
        self._inherited_keys: set[str] = set()

    def pass_block(self) -> None:
        """From here on, what stands before the next header would belong to our last section."""
        self._is_after_block = True
        self._section = None
        self._key = ""
        self._indent = 0

    def read(self, number: int, line: str) -> None:
        text = line.strip()
        if not text or text.startswith(("#", ";")):
            return
        indent = len(line) - len(line.lstrip())
        has_value_above = bool(self._key) or (self._section is None and self._is_after_block)
        if has_value_above and indent > self._indent:
            self._continue(number, text)
            return
        self._indent = indent
        if header := _HEADER.match(text):
            self._open(number, header["header"])
        else:
            self._set(number, text)

    def _open(self, number: int, header: str) -> None:
        if header in self._headers:
            self._note(number, ProblemKind.DUPLICATE_SECTION, header)
        # `[DEFAULT]` may come as often as it likes; only its keys may not.
        if header == INHERITED_BY_ALL:
            self._keys = self._inherited_keys
        else:
            self._headers.add(header)
            self._keys = set()
        self._section = Section(header, number, number)
        self._key = ""
        self.scan.sections.append(self._section)

    def _set(self, number: int, text: str) -> None:
        if self._section is None:
            kind = ProblemKind.SETTING_AFTER_BLOCK if self._is_after_block else ProblemKind.BEFORE_ANY_SECTION
            self._note(number, kind, text)
            return
        self._section.last = number
        setting = _SETTING.match(text)
        if not setting or not setting["key"]:
            self._note(number, ProblemKind.NOT_A_SETTING, text)
            return
        self._key = setting["key"].strip().lower()
        if self._key in self._keys:
            self._note(number, ProblemKind.DUPLICATE_SETTING, self._key)
        self._keys.add(self._key)
        self._section.settings[self._key] = setting["value"].strip()

    def _continue(self, number: int, text: str) -> None:
        if self._section is None:
            self._note(number, ProblemKind.SETTING_AFTER_BLOCK, text)
            return
        self._section.last = number
        above = self._section.settings[self._key]
        if "=" not in text and (not above or above.startswith("\n")):
            self._note(number, ProblemKind.NOT_A_NESTED_SETTING, text)
        self._section.settings[self._key] = f"{above}\n{text}"

    def _note(self, number: int, kind: ProblemKind, found: str) -> None:
        # Bytes that are no UTF-8 are for the file alone; whoever reads of them gets a question mark.
        readable = found.encode("utf-8", "replace").decode()
        self.scan.problems.append(Problem(number, kind, readable))


# --- onboarding/core/awsconfig/files.py ------------------------------------------------------------------------------

BEGIN = "# >>> managed by Tobiishi >>>"
END = "# <<< managed by Tobiishi <<<"
_BOM = "\ufeff"
_NOT_UTF8 = re.compile("[\udc80-\udcff]")
# Ours have at least these keys; `aws configure set` may have added more. Anything else was put there by a person.
_OUR_SHAPES = (
    {"sso_start_url", "sso_region"},
    {"sso_session", "sso_account_id"},
    {"role_arn", "source_profile", "external_id"},
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigFile:
    """`block` is where ours stands among the lines, fences included; empty, and at the end, where there is none."""

    byte_order_mark: str
    lines: list[str]
    block: range
    # By identity: two sections outside may mean one profile.
    outside: dict[str, list[Section]]
    problems: tuple[Problem, ...]
    notices: tuple[Notice, ...]

    @classmethod
    def parse(cls, existing: bytes) -> Self:
        """Never raises: what stops AWS's clients is in `problems`."""
        # Bytes that are no UTF-8, such as an old comment in Shift JIS, come out again as they went in.
        text = existing.decode("utf-8", "surrogateescape")
        mark = _BOM if text.startswith(_BOM) else ""
        lines = split_lines(text.removeprefix(mark))
        block, problems = _find_block(lines)
        numbered = list(enumerate(lines, start=1))
        around = scan(numbered[: block.start], numbered[block.stop :])
        problems += [*_own_sections(numbered[block.start : block.stop]), *around.problems]
        outside = defaultdict(list)
        for section in around.sections:
            outside[section.identity].append(section)
        return cls(
            byte_order_mark=mark,
            lines=lines,
            block=block,
            outside=dict(outside),
            problems=_not_text(lines) or tuple(sorted(problems, key=lambda problem: problem.line)),
            notices=tuple(_notices(mark, lines, outside)),
        )

    @property
    def newline(self) -> str:
        """As the first line ends; a carriage return alone counts as half a pair, for not every client sees one."""
        return "\r\n" if self.lines and self.lines[0].endswith(("\r\n", "\r")) else "\n"

    @property
    def block_lines(self) -> list[str]:
        return [line.rstrip() for line in self.lines[self.block.start : self.block.stop]]

    def with_block(self, block_lines: list[str], *, without: Collection[Section]) -> bytes:
        """The file with these lines between the fences; with no lines there is no block."""
        dropped = {number for section in without for number in self._numbers_of(section)}
        before = [self.lines[number] for number in range(self.block.start) if number not in dropped]
        after = [self.lines[number] for number in range(self.block.stop, len(self.lines)) if number not in dropped]
        block = [f"{line}{self.newline}" for line in [BEGIN, *block_lines, END]] if block_lines else []
        gap = self._gap(before) if block and not self.block else ""
        return "".join([self.byte_order_mark, *before, gap, *block, *after]).encode("utf-8", "surrogateescape")

    def _numbers_of(self, section: Section) -> range:
        """From its header to its last setting, with the blank lines that follow."""
        blank = sum(1 for _ in takewhile(lambda line: not line.strip(), self.lines[section.last :]))
        return range(section.first - 1, section.last + blank)

    def _gap(self, before: list[str]) -> str:
        """A blank line before a new block, after a line that may have no end."""
        if not before:
            return ""
        missing_end = "" if before[-1].endswith(("\r", "\n")) else self.newline
        return missing_end + (self.newline if before[-1].strip() else "")


def _find_block(lines: list[str]) -> tuple[range, list[Problem]]:
    fences = [(index, line.rstrip()) for index, line in enumerate(lines) if line.rstrip() in (BEGIN, END)]
    if [fence for _, fence in fences] == [BEGIN, END]:
        return range(fences[0][0], fences[1][0] + 1), []
    nowhere = range(len(lines), len(lines))
    expected = (BEGIN, END)
    for place, (index, fence) in enumerate(fences):
        if place >= len(expected) or fence != expected[place]:
            return nowhere, [Problem(index + 1, ProblemKind.BROKEN_FENCE, fence)]
    return nowhere, [Problem(index + 1, ProblemKind.BROKEN_FENCE, fence) for index, fence in fences]


def _not_text(lines: list[str]) -> tuple[Problem, ...]:
    """UTF-16, which Windows' editors call "Unicode", or no text at all: then nothing else is worth saying."""
    number = next((number for number, line in enumerate(lines, 1) if "\0" in line), None)
    return (Problem(number, ProblemKind.NOT_TEXT, ""),) if number else ()


def _own_sections(block: list[tuple[int, str]]) -> list[Problem]:
    return [
        Problem(section.first, ProblemKind.OWN_SECTION_IN_BLOCK, section.header)
        for section in scan(block).sections
        if not any(shape <= section.settings.keys() for shape in _OUR_SHAPES)
    ]


def _notices(mark: str, lines: list[str], outside: dict[str, list[Section]]) -> list[Notice]:
    notices = [Notice(1, NoticeKind.BYTE_ORDER_MARK)] if mark else []
    odd = next((number for number, line in enumerate(lines, 1) if _NOT_UTF8.search(line)), None)
    if odd:
        notices.append(Notice(odd, NoticeKind.NOT_UTF8))
    inherited = (section.first for section in outside.get(INHERITED_BY_ALL, []) if section.settings)
    return notices + [Notice(line, NoticeKind.INHERITED_BY_ALL) for line in inherited]


# --- onboarding/core/awsconfig/merging.py ----------------------------------------------------------------------------

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


# --- client/trouble.py -----------------------------------------------------------------------------------------------

DIFFERENT, NEEDS_A_PERSON = 1, 3
_NOT_FOR_A_TERMINAL = re.compile(r"[^\x20-\x7e\u00a1-\ud7ff\ue000-\uffff]")


class Trouble(Exception):
    """Ends the program with this sentence; nothing was written."""

    def __init__(self, sentence: str, *, status: int = 1) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.status = status


def shown(text: str) -> str:
    """One line: what comes from a file or from the network must not steer the terminal."""
    return _NOT_FOR_A_TERMINAL.sub("?", text)


def say(text: str, *, to: TextIO | None = None) -> None:
    print("\n".join(shown(line) for line in text.split("\n")), file=to, flush=True)


# --- client/store.py -------------------------------------------------------------------------------------------------

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_OWNER_ONLY = 0o600
_LOCK_PATIENCE = 5.0


@dataclass(slots=True)
class SignIn:
    """The portal, our token there, and the config that it gave last, with the tag by which it knows that one."""

    portal: str
    token: str
    tag: str = ""
    config: str = ""


def config_path() -> Path:
    """Where the AWS CLI looks."""
    named = os.environ.get("AWS_CONFIG_FILE")
    return Path(named).expanduser() if named else Path.home() / ".aws" / "config"


def load_sign_in() -> SignIn | None:
    try:
        kept = json.loads(_sign_in_path().read_text(encoding="utf-8"))
        return SignIn(**kept)
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise Trouble(f"{_sign_in_path()} cannot be read. Run: portal-config login") from error


def save_sign_in(sign_in: SignIn) -> None:
    path = _sign_in_path()
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    _write_new(new, json.dumps(asdict(sign_in)).encode(), mode=_OWNER_ONLY)
    new.replace(path)


@contextmanager
def only_one() -> Iterator[None]:
    """Two at once would each write what the other does not know."""
    with (_folder() / "lock").open("ab") as lock:
        end = time.monotonic() + _LOCK_PATIENCE
        while not _locked(lock):
            if time.monotonic() > end:
                raise Trouble("Another portal-config is at work. Nothing was changed.")
            time.sleep(0.1)
        # The system lets go of it when the file is closed, however we end.
        yield


def read_config(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def replace_config(path: Path, content: bytes, *, was: bytes) -> Path | None:
    """Put `content` in place as a whole or not at all; returns where the file as it `was` is kept.

    A link stays a link: the file that it names is replaced.
    """
    target = Path(os.path.realpath(path))
    _make_folder_of(target)
    mode = _mode_of(target)
    # Ours alone, for only one of us is at work; left over where the power failed.
    new = target.with_name(f".{target.name}.portal-config")
    try:
        new.unlink(missing_ok=True)
        _write_new(new, content, mode=mode)
        if read_config(target) != was:
            raise Trouble(f"{path} changed meanwhile, by an editor perhaps. Nothing was written; try again.")
        backup = _back_up(target, was, mode=mode) if was else None
        new.replace(target)
        _sync_folder(target.parent)
    except OSError as error:
        raise Trouble(f"{path} could not be written: {error.strerror}. It is as it was.") from error
    finally:
        new.unlink(missing_ok=True)
    return backup


def _folder() -> Path:
    """Of the client's own files; nobody else may look inside."""
    if sys.platform == "win32":
        base = Path(os.environ.get("APPDATA") or Path.home() / "AppData" / "Roaming")
    else:
        base = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    folder = base / "portal-config"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    return folder


def _sign_in_path() -> Path:
    return _folder() / "sign-in.json"


def _locked(lock: BinaryIO) -> bool:
    try:
        if sys.platform == "win32":
            msvcrt.locking(lock.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _make_folder_of(target: Path) -> None:
    if not target.parent.exists():
        target.parent.mkdir(mode=0o700, parents=True)


def _mode_of(target: Path) -> int:
    try:
        found = target.stat().st_mode
    except FileNotFoundError:
        return _OWNER_ONLY
    if not stat.S_ISREG(found):
        raise Trouble(f"{target} is no ordinary file, so it is left alone.")
    return stat.S_IMODE(found)


def _write_new(path: Path, content: bytes, *, mode: int) -> None:
    """On the disk before anybody relies on it; private from its first moment on."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(path, flags, _OWNER_ONLY), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    path.chmod(mode)


def _back_up(target: Path, was: bytes, *, mode: int) -> Path:
    stamp = time.strftime("%Y%m%d-%H%M%S")
    names = (f"{target.name}.backup-{stamp}{more}" for more in ("", *(f"-{number}" for number in range(2, 100))))
    for name in names:
        with suppress(FileExistsError):
            _write_new(target.with_name(name), was, mode=mode)
            return target.with_name(name)
    raise Trouble(f"{target} could not be backed up, so it was left as it is.")


def _sync_folder(folder: Path) -> None:
    """So that the new name survives a power cut too; Windows has no such call."""
    if sys.platform == "win32":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


# --- client/portal.py ------------------------------------------------------------------------------------------------

_TIMEOUT = 20
_MAX_ANSWER = 16 * 1024 * 1024
_LOOPBACK = ("127.0.0.1", "localhost")
_HOST = r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"(?P<address>(?P<scheme>https?)://(?P<host>{_HOST})(?::[0-9]{{1,5}})?)/?")


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    told: dict[str, Any]
    tag: str = ""

    @property
    def error(self) -> str:
        return str(self.told.get("error", ""))

    def text(self, name: str) -> str:
        """Raises `Trouble` where the portal told no such thing."""
        told = self.told.get(name)
        if not isinstance(told, str):
            raise Trouble("The portal's answer is not what it should be. Nothing was changed.")
        return told

    @property
    def message(self) -> str:
        """In the person's language."""
        return str(self.told.get("message", ""))


class _NoRedirects(HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        """A token must not follow anybody anywhere."""


class Portal:
    def __init__(self, address: str, token: str = "") -> None:
        self.address = parse_address(address)
        self.host = urlsplit(self.address).hostname or ""
        self._token = token
        self._opener = _opener(self.host)

    def get(self, path: str, *, tag: str = "") -> Reply:
        return self._ask(Request(self.address + path, headers={"If-None-Match": tag} if tag else {}))

    def post(self, path: str, **form: str) -> Reply:
        return self._ask(Request(self.address + path, data=urlencode(form).encode()))

    def _ask(self, request: Request) -> Reply:
        request.add_header("Accept", "application/json")
        request.add_header("User-Agent", "portal-config")
        if self._token:
            request.add_unredirected_header("Authorization", f"Bearer {self._token}")
        try:
            with self._opener.open(request, timeout=_TIMEOUT) as response:
                return Reply(response.status, _read(response), response.headers.get("ETag", ""))
        except HTTPError as error:
            with error:
                return self._answered(error)
        except (URLError, OSError, HTTPException, ValueError, OverflowError) as error:
            reason = getattr(error, "reason", error)
            raise Trouble(f"{self.address} gave no usable answer ({reason}). Nothing was changed.") from error

    def _answered(self, error: HTTPError) -> Reply:
        if error.code == 304:
            return Reply(304, {})
        if error.code == 401:
            raise Trouble("This computer is not connected, or no longer. Run: portal-config login")
        if not (400 <= error.code < 500 or error.code == 503):
            raise Trouble(f"{self.address} answered with {error.code}. Nothing was changed.")
        try:
            return Reply(error.code, _read(error))
        except ValueError:
            raise Trouble(f"{self.address} answered with {error.code}. Nothing was changed.") from error


def parse_address(text: str) -> str:
    """`portal.example.com` is taken as https. Raises `Trouble`."""
    found = _ADDRESS.fullmatch(text if "://" in text else f"https://{text}")
    if not found or (found["scheme"] == "http" and found["host"] not in _LOOPBACK):
        raise Trouble(f"{text} is no portal's address. It looks like https://portal.example.com", status=2)
    return found["address"]


def _opener(host: str) -> OpenerDirector:
    # Whatever proxy this computer uses for the world, it does not lead back to itself.
    own = [ProxyHandler({})] if host in _LOOPBACK else []
    return build_opener(_NoRedirects, *own)


def _read(response: Any) -> dict[str, Any]:
    """Raises `ValueError` where it is not the portal that speaks."""
    body = response.read(_MAX_ANSWER + 1)
    if len(body) > _MAX_ANSWER:
        raise ValueError("too long an answer")
    told = json.loads(body) if body else {}
    if not isinstance(told, dict):
        raise ValueError("no answer of a portal")  # noqa: TRY004  as any other text that is none
    return told


# --- client/signing_in.py --------------------------------------------------------------------------------------------

_PATIENCE = 300
# As the portal gives them: codes are good for ten minutes, and may be asked about every five seconds.
_CODE_PATIENCE, _POLL_PAUSE = 600, 5.0
_PAGE = (
    "<!doctype html><html lang=en><meta charset=utf-8><title>portal-config</title>"
    "<body><p>{}</p><p>You can close this page and go on in your terminal.</p></body></html>"
)


def sign_in_by_browser(portal: Portal, computer: str) -> str:
    """The token. The code that the browser carries is worth nothing without the verifier, which stays here."""
    verifier, state = secrets.token_urlsafe(48), secrets.token_urlsafe(24)
    with _Listener(state) as listener:
        asked = {"computer": computer, "loopback": listener.address, "state": state, "challenge": _challenge(verifier)}
        page = f"{portal.address}/access/computers/connect/?{urlencode(asked)}"
        say(f"Your browser opens. If it does not, open this address on this computer:\n{page}")
        webbrowser.open(page)
        code = listener.wait_for_code()
    return _token(portal.post("/client/token", code=code, verifier=verifier, loopback=listener.address))


def sign_in_by_device_code(portal: Portal, computer: str) -> str:
    asked = portal.post("/client/device-code", computer=computer)
    if asked.status != 200:
        raise Trouble("The portal takes no more sign-ins at the moment. Try again in a minute.")
    page = asked.text("verification_uri")
    if not page.startswith(f"{portal.address}/"):
        raise Trouble("The portal sends you to another address than its own. Nothing was changed.")
    say(f"On any computer, open {page} and type this code:\n\n    {asked.text('user_code')}\n")
    return _token(_polled(portal, asked.text("device_code")))


def _polled(portal: Portal, device_code: str) -> Reply:
    end, pause = time.monotonic() + _CODE_PATIENCE, _POLL_PAUSE
    while time.monotonic() < end:
        time.sleep(pause)
        answer = portal.post("/client/token", device_code=device_code)
        if answer.error == "slow_down":
            pause += 5
        elif answer.error != "authorization_pending":
            return answer
    raise Trouble("Nobody typed the code in time. Nothing was changed.")


def _token(answer: Reply) -> str:
    if answer.status != 200:
        why = "was refused" if answer.error == "access_denied" else "did not succeed"
        raise Trouble(f"The sign-in {why}. Nothing was changed.")
    return answer.text("access_token")


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


class _Listener(HTTPServer):
    """Waits on this computer alone, for the one answer that knows the state."""

    def __init__(self, state: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.state = state
        self.answer: dict[str, str] | None = None
        self.address = f"http://127.0.0.1:{self.server_port}/signed-in"

    def wait_for_code(self) -> str:
        end = time.monotonic() + _PATIENCE
        while self.answer is None:
            self.timeout = end - time.monotonic()
            if self.timeout <= 0:
                raise Trouble("Nobody approved in the browser in time. Nothing was changed.")
            self.handle_request()
        if "code" not in self.answer:
            raise Trouble("The sign-in was refused. Nothing was changed.")
        return self.answer["code"]

    def handle_error(self, *_: Any) -> None:
        """A browser that hangs up is no trouble of ours."""


class _Handler(BaseHTTPRequestHandler):
    server: _Listener
    timeout = 10

    def do_GET(self) -> None:
        """Anything else than the awaited answer is refused, and the wait goes on."""
        address = urlsplit(self.path)
        answer = {name: values[0] for name, values in parse_qs(address.query).items()}
        knows = hmac.compare_digest(answer.get("state", "").encode(), self.server.state.encode())
        if address.path != "/signed-in" or not knows:
            self.send_error(404)
            return
        self.server.answer = answer
        self._send(_PAGE.format("This computer is connected." if "code" in answer else "Nothing was connected."))

    def _send(self, page: str) -> None:
        body = page.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Security-Policy", "default-src 'none'")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """The code stands in the address."""


# --- client/changes.py -----------------------------------------------------------------------------------------------

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


# --- client/checking.py ----------------------------------------------------------------------------------------------

_OLDEST_CLI, _BETTER_CLI = (2, 11), (2, 22)
_AWS_TIMEOUT = 60
_NONCE = re.compile(r"tobiishi\.[a-z0-9.-]{1,253}\.[0-9a-f]{32}")
_NOTICES = {
    NoticeKind.BYTE_ORDER_MARK: "a byte order mark begins the file: AWS CLI and boto3 cannot read it; save it without",
    NoticeKind.NOT_UTF8: "a comment is not UTF-8; AWS CLI and boto3 may refuse the file on another computer",
    NoticeKind.INHERITED_BY_ALL: "[DEFAULT] in capitals gives its settings to every profile, also to the portal's",
}


@dataclass(frozen=True, slots=True)
class Finding:
    is_good: bool
    text: str


def findings() -> Iterator[Finding]:
    yield _aws_cli()
    yield from _config(config_path())
    for header, settings in block_sections(read_config(config_path())).items():
        if header.startswith("sso-session "):
            yield _sso_session(header.removeprefix("sso-session "), settings.get("sso_start_url", ""))


def prove(portal: Portal, profile: str) -> str:
    """The session that AWS named to the portal. The token goes to this portal and is kept nowhere."""
    begun = portal.post("/client/proof/begin", role_arn=_role_arn(profile))
    if begun.status != 200:
        raise Trouble(begun.message or "The portal knows no role of yours by this profile's ARN.")
    nonce = begun.text("nonce")
    # What is signed must be of use to this portal alone.
    if not _NONCE.fullmatch(nonce) or not nonce.startswith(f"tobiishi.{portal.host}."):
        raise Trouble("The portal asks for a proof in another name than its own. Nothing was signed.")
    answer = portal.post("/client/proof/send", nonce=nonce, pasted=_signed(nonce, profile))
    if answer.status != 200:
        raise Trouble(answer.message or f"Not proven: {answer.error}.")
    return answer.text("session_arn")


def _aws_cli() -> Finding:
    found = shutil.which("aws")
    told = _output([found, "--version"]) if found else ""
    version = re.match(r"aws-cli/([0-9]+)\.([0-9]+)\.([0-9]+)", told)
    if not version:
        return Finding(False, "AWS CLI: not found. Install version 2.11 or newer.")
    name, number = f"AWS CLI {'.'.join(version.groups())}", (int(version[1]), int(version[2]))
    if number < _OLDEST_CLI:
        return Finding(False, f"{name}: too old. 2.11 or newer is needed, 2.22 is better.")
    return Finding(True, name if number >= _BETTER_CLI else f"{name}; 2.22 or newer signs in more safely")


def _config(path: Path) -> Iterator[Finding]:
    content = read_config(path)
    file = ConfigFile.parse(content)
    if file.problems:
        lines = [f"{path}: AWS CLI and SDKs cannot read it", *map(problem_line, file.problems)]
        yield Finding(False, "\n".join(lines))
        return
    for notice in file.notices:
        yield Finding(notice.kind is NoticeKind.NOT_UTF8, f"{path}, line {notice.line}: {_NOTICES[notice.kind]}")
    profiles = sum("role_arn" in settings for settings in block_sections(content).values())
    if file.block:
        yield Finding(True, f"{path}: readable, with {profiles} of the portal's profiles")
    else:
        yield Finding(False, f"{path}: nothing of the portal in it. Run: portal-config sync")


def _sso_session(name: str, start_url: str) -> Finding:
    """As the AWS CLI keeps it, in a file called after the session."""
    digest = hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest()
    try:
        kept = json.loads((Path.home() / ".aws" / "sso" / "cache" / f"{digest}.json").read_text(encoding="utf-8"))
        # With a refresh token the AWS CLI renews it by itself, as long as its own registration lasts.
        lasts = "registrationExpiresAt" if kept.get("refreshToken") else "expiresAt"
        until = datetime.fromisoformat(kept[lasts].replace("UTC", "Z"))
        is_signed_in = kept["startUrl"] == start_url and until > datetime.now(UTC)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        is_signed_in = False
    if not is_signed_in:
        return Finding(False, f"SSO session {name}: not signed in. Run: aws sso login --sso-session {name}")
    return Finding(True, f"SSO session {name}: signed in, at the longest until {until.astimezone():%Y-%m-%d %H:%M}")


def _role_arn(profile: str) -> str:
    file = ConfigFile.parse(read_config(config_path()))
    outside = (section.settings for section in file.outside.get(f"profile {profile}", []))
    settings = block_sections(read_config(config_path())).get(f"profile {profile}") or next(outside, {})
    if "role_arn" not in settings:
        raise Trouble(f"There is no profile {profile} with a role in {config_path()}.")
    return settings["role_arn"]


def _signed(nonce: str, profile: str) -> str:
    found = shutil.which("aws")
    if not found:
        raise Trouble("AWS CLI: not found. Install version 2.11 or newer.")
    command = [found, "eks", "get-token", "--cluster-name", nonce, "--profile", profile, "--output", "json"]
    try:
        done = _run(command)
    except subprocess.TimeoutExpired as error:
        raise Trouble(f"AWS CLI did not answer within {_AWS_TIMEOUT} seconds.") from error
    if done.returncode:
        raise Trouble(f"AWS CLI could not sign as {profile}:\n{done.stderr.strip()}")
    return done.stdout


def _output(command: list[str]) -> str:
    try:
        done = _run(command)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout or done.stderr


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, errors="replace", check=False, timeout=_AWS_TIMEOUT)


# --- client/commands.py ----------------------------------------------------------------------------------------------

VERSION = "0.1.0"


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character shows another one.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        with only_one():
            status: int = options.run(options)
    except Trouble as trouble:
        say(trouble.sentence, to=sys.stderr)
        return trouble.status
    except OSError as error:
        say(f"{error.filename or 'This computer'}: {error.strerror}. Your config is as it was.", to=sys.stderr)
        return 1
    except KeyboardInterrupt:
        say("Stopped. Nothing was changed.", to=sys.stderr)
        return 130
    return status


def login(options: argparse.Namespace) -> int:
    known = load_sign_in()
    address = options.portal or (known.portal if known else "")
    if not address:
        raise Trouble("Name your portal: portal-config login https://portal.example.com", status=2)
    portal = Portal(address)
    computer = re.sub(r"[^A-Za-z0-9._-]+", "-", platform.node()).strip("._-")[:63] or "computer"
    sign_in = sign_in_by_device_code if options.device_code else sign_in_by_browser
    token = sign_in(portal, computer)
    if known:
        # The one before this; where its portal is gone, so is its worth.
        with contextlib.suppress(Trouble):
            Portal(known.portal, known.token).post("/client/disconnect")
    save_sign_in(SignIn(portal.address, token))
    say(f"Connected with {portal.address}. Next: portal-config diff, portal-config sync")
    return 0


def diff(options: argparse.Namespace) -> int:
    path, existing = config_path(), read_config(config_path())
    wanted = merged_with(existing, _offered_config(), _choices(options), asks=False)
    if wanted == existing:
        say("Nothing to change.")
        return 0
    say(difference(existing, wanted, str(path)))
    return DIFFERENT


def sync(options: argparse.Namespace) -> int:
    path, existing, asks = config_path(), read_config(config_path()), is_interactive()
    wanted = merged_with(existing, _offered_config(), _choices(options), asks=asks)
    check_places(existing, wanted, accepted=options.accept_changes, asks=asks)
    if wanted == existing:
        say("Nothing to change.")
        return 0
    backup = replace_config(path, wanted, was=existing)
    profiles = sum("role_arn" in settings for settings in block_sections(wanted).values())
    say(f"{path} now has {profiles} of the portal's profiles.")
    if backup:
        say(f"The file as it was: {backup}")
    for session in _sessions(wanted):
        say(f"Sign in with: aws sso login --sso-session {session}")
    return 0


def prune(_options: argparse.Namespace) -> int:
    path, existing = config_path(), read_config(config_path())
    without = check_readable(try_merge(existing, "", {})).content
    if without is None or without == existing:
        say("Nothing of the portal is in this file.")
        return 0
    backup = replace_config(path, without, was=existing)
    say(f"The portal's block is out of {path}. The file before: {backup}")
    return 0


def check(options: argparse.Namespace) -> int:
    all_good = True
    for finding in findings():
        say(f"{'ok  ' if finding.is_good else 'look'}  {finding.text}")
        all_good = all_good and finding.is_good
    if options.prove:
        known = _connected()
        say(f"ok    Proven. AWS named you {prove(Portal(known.portal, known.token), options.prove)}")
    return 0 if all_good else DIFFERENT


def _connected() -> SignIn:
    known = load_sign_in()
    if known is None:
        raise Trouble("This computer is not connected yet. Run: portal-config login https://portal.example.com")
    return known


def _offered_config() -> str:
    """What the portal gives now; what it gave last time where that has not changed."""
    known = _connected()
    reply = Portal(known.portal, known.token).get("/client/config", tag=known.tag)
    if reply.status == 304 and known.tag:
        return known.config
    offered = reply.told.get("config")
    if reply.status != 200 or not isinstance(offered, str):
        raise Trouble(reply.message or "The portal offers no config at the moment. Nothing was changed.")
    check_offered(offered)
    known.tag, known.config = reply.tag, offered
    save_sign_in(known)
    return offered


def _sessions(content: bytes) -> list[str]:
    prefix = "sso-session "
    return [header.removeprefix(prefix) for header in block_sections(content) if header.startswith(prefix)]


def _choices(options: argparse.Namespace) -> dict[str, Choice]:
    kept = {_header(section): Choice(Answer.KEEP_MINE) for section in options.keep}
    taken = {_header(section): Choice(Answer.TAKE_THE_PORTALS) for section in options.take}
    renamed = {_header(section): Choice(Answer.RENAME, name) for section, name in options.rename}
    return {**kept, **taken, **renamed}


def _header(section: str) -> str:
    """A bare name is a profile's."""
    return section if " " in section else f"profile {section}"


def _renaming(text: str) -> tuple[str, str]:
    section, equals, name = text.rpartition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not SECTION=NEW-NAME")
    return section, name


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="portal-config", description="Keeps the portal's profiles in your ~/.aws/config, and nothing else there."
    )
    parser.add_argument("--version", action="version", version=f"portal-config {VERSION}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    command = commands.add_parser("login", help="connect this computer with the portal, through your browser")
    command.add_argument("portal", nargs="?", help="the portal's address; the last one is remembered")
    command.add_argument("--device-code", action="store_true", help="where no browser runs: type a code on another one")
    command.set_defaults(run=login)

    command = commands.add_parser("diff", help="show what sync would change (status 1), or that nothing would (0)")
    _add_choices(command)
    command.set_defaults(run=diff)

    command = commands.add_parser("sync", help="put the portal's profiles into your config")
    _add_choices(command)
    command.add_argument(
        "--accept-changes", action="store_true", help="of start URL, SSO region, bastion account and source profile"
    )
    command.set_defaults(run=sync)

    commands.add_parser("prune", help="take the portal's block out of your config").set_defaults(run=prune)

    command = commands.add_parser("check", help="look whether this computer is ready")
    command.add_argument("--prove", metavar="PROFILE", help="prove to the portal that this profile's role is yours")
    command.set_defaults(run=check)
    return parser


def _add_choices(command: argparse.ArgumentParser) -> None:
    group = command.add_argument_group("where your file has a section of the same name")
    group.add_argument("--keep", metavar="SECTION", action="append", default=[], help="yours stays")
    group.add_argument("--take", metavar="SECTION", action="append", default=[], help="the portal's replaces yours")
    group.add_argument(
        "--rename",
        metavar="SECTION=NEW-NAME",
        action="append",
        default=[],
        type=_renaming,
        help="the portal's gets another name",
    )


if __name__ == "__main__":
    sys.exit(main())
