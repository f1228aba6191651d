"""Reading a config that people wrote by hand: as botocore reads it, but to the end, and saying what stops it where."""

import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

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
