"""Reads JSON as people paste it: the value, where each element stands, and what is wrong. Knows nothing of policies.

`json` gives no positions, keeps the last of two equal keys and recurses; this reader does none of that. It never raises
and takes time in proportion to the text.
"""

import json
import re
from bisect import bisect_right
from dataclasses import dataclass, field, replace
from enum import Enum, StrEnum, auto
from functools import cached_property

Path = tuple[str | int, ...]

# More elements can be no policy, and would fill the memory.
MOST_ELEMENTS = 500_000
_MOST_DUPLICATES = 100
# A trust policy is at most eight levels deep; what wraps it (CloudFormation, Terraform) adds a few.
MAX_DEPTH = 40
_TOKEN = re.compile(
    r"[ \t\r\n]*(?:(?P<punctuation>[{}\[\],:])"
    r'|(?P<string>"[^"\\\x00-\x1f]*(?:\\.[^"\\\x00-\x1f]*)*")'
    r"|(?P<word>true|false|null)(?![A-Za-z0-9_])"
    r"|(?P<number>-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)(?![A-Za-z0-9_.]))"
)
_BLANKS = re.compile(r"[ \t\r\n]*")
_COMMENT = re.compile(r"//[^\n]*|#[^\n]*|/\*.*?\*/", re.DOTALL)
# IAM takes tab, LF, CR and U+0020 to U+00FF in a policy, and nothing else.
_ILLEGAL = re.compile(r"[^\t\n\r\x20-\xff]")
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None}
_SMART_QUOTES = dict.fromkeys(map(ord, "\u201c\u201d\u201e\u201f\u00ab\u00bb\uff02\u2033"), '"')
_SINGLE_QUOTES = dict.fromkeys(map(ord, "'\u2018\u2019`"), '"')
_CLOSES = {"{": "}", "[": "]"}
_LONGEST_NUMBER = 18
_LONGEST_MENDED = 20_000
_MOST_MENDS = 64


class Slip(StrEnum):
    """What stands in the way of reading the text as JSON."""

    EMPTY = "empty"
    SMART_QUOTES = "smart_quotes"
    SINGLE_QUOTES = "single_quotes"
    COMMENT = "comment"
    TRAILING_COMMA = "trailing_comma"
    MISSING_COMMA = "missing_comma"
    MISSING_BRACE = "missing_brace"
    EXTRA_BRACE = "extra_brace"
    BROKEN_STRING = "broken_string"
    TEXT_AFTER_THE_END = "text_after_the_end"
    TOO_DEEP = "too_deep"
    TOO_LONG = "too_long"
    UNEXPECTED = "unexpected"


@dataclass(frozen=True, slots=True)
class Problem:
    slip: Slip
    offset: int
    # The character in the way, or the bracket that is missing.
    found: str = ""


@dataclass(frozen=True)
class Reading:
    """`spans` tells for each element where it begins (its key, or the list item itself) and where its value stands."""

    text: str
    value: object = None
    spans: dict[Path, tuple[int, int, int]] = field(default_factory=dict)
    problem: Problem | None = None
    duplicates: tuple[Path, ...] = ()
    illegal_characters: tuple[Path, ...] = ()

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *(match.end() for match in re.finditer("\n", self.text))]

    def line_and_column(self, offset: int) -> tuple[int, int]:
        """Both counted from 1."""
        line = bisect_right(self._line_starts, offset)
        return line, offset - self._line_starts[line - 1] + 1

    def line(self, path: Path) -> int | None:
        """The line of the element, or of the nearest one around it."""
        while path and path not in self.spans:
            path = path[:-1]
        span = self.spans.get(path)
        return self.line_and_column(span[0])[0] if span else None

    def source(self, path: Path) -> str:
        _, start, end = self.spans[path]
        return self.text[start:end]


def read(text: str) -> Reading:
    return _Reader(text).read()


def json_path(path: Path) -> str:
    """RFC 9535: `$.Statement[0].Condition.StringEquals['sts:ExternalId']`."""
    parts = ["$"]
    for step in path:
        if isinstance(step, int):
            parts.append(f"[{step}]")
        elif re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", step):
            parts.append(f".{step}")
        else:
            parts.append("['{}']".format(step.replace("\\", "\\\\").replace("'", "\\'")))
    return "".join(parts)


def minified_length(text: str) -> int:
    """Characters without the white space between the parts of the JSON text."""
    return sum(len(match[0].lstrip(" \t\r\n")) for match in _TOKEN.finditer(text))


def indented(text: str) -> str:
    """JSON text on lines of its own, two blanks a level; equal keys are all kept, unlike with `json.dumps`."""
    lines: list[str] = []
    line, depth = "", 0
    after_opening = False
    for match in _TOKEN.finditer(text):
        token = match[0].lstrip(" \t\r\n")
        if token in ("}", "]"):
            depth -= 1
            if not after_opening:
                lines.append(line)
                line = "  " * depth
        elif after_opening:
            lines.append(line)
            line = "  " * depth
        after_opening = token in ("{", "[")
        depth += after_opening
        line += token
        if token == ":":
            line += " "
        elif token == ",":
            lines.append(line)
            line = "  " * depth
    return "\n".join([*lines, line])


def mended(text: str) -> Reading | None:
    """The reading after the slips whose cure is certain were cured; None where that does not make it JSON."""
    if len(text) > _LONGEST_MENDED:
        return None
    for _ in range(_MOST_MENDS):
        reading = read(text)
        if reading.problem is None:
            return reading
        cured = _cure(text, reading.problem)
        if cured is None:
            return None
        text = cured
    return None


def _cure(text: str, problem: Problem) -> str | None:
    before, after = text[: problem.offset], text[problem.offset :]
    cured: dict[Slip, str] = {
        Slip.SMART_QUOTES: after.translate(_SMART_QUOTES),
        Slip.SINGLE_QUOTES: after.translate(_SINGLE_QUOTES),
        Slip.COMMENT: _COMMENT.sub("", after, count=1),
        Slip.TRAILING_COMMA: after[1:],
        Slip.MISSING_COMMA: f",{after}",
        Slip.MISSING_BRACE: f"\n{problem.found}{after}",
    }
    if problem.slip not in cured:
        return None
    if problem.slip in (Slip.MISSING_COMMA, Slip.MISSING_BRACE):
        before = before.rstrip()
    return before + cured[problem.slip]


class _Awaited(Enum):
    VALUE = auto()
    VALUE_OR_END = auto()
    KEY = auto()
    KEY_OR_END = auto()
    COLON = auto()
    COMMA_OR_END = auto()
    NOTHING = auto()


class _Stop(Exception):
    def __init__(self, slip: Slip, offset: int, found: str = "") -> None:
        super().__init__(slip)
        self.problem = Problem(slip, offset, found)


class _Reader:
    """One pass over the tokens with a stack of its own."""

    def __init__(self, text: str, start: int | None = None) -> None:
        self._text = text
        self._position = start or text.startswith("\ufeff")
        # Part of a longer text: what comes after the value is not ours.
        self._is_part = start is not None
        self._awaited = _Awaited.VALUE
        self._root: object = None
        self._stack: list[tuple[dict[str, object] | list[object], Path, int]] = []
        self._key, self._key_start = "", 0
        self._last_comma = 0
        self._spans: dict[Path, tuple[int, int, int]] = {}
        self._duplicates: list[Path] = []
        self._illegal: list[Path] = []
        self._too_deep: Problem | None = None

    def read(self) -> Reading:
        problem = self._too_deep
        try:
            while self._step():
                pass
            problem = self._too_deep
        except _Stop as stop:
            problem = stop.problem
        return Reading(
            self._text,
            None if problem else self._root,
            self._spans,
            problem,
            tuple(self._duplicates),
            tuple(self._illegal),
        )

    def read_outline(self) -> Reading:
        """As `read`, but what is nested too deeply is left out, and the rest is still given."""
        reading = self.read()
        return replace(reading, value=self._root) if reading.problem is self._too_deep else reading

    def _step(self) -> bool:
        if self._is_part and self._awaited is _Awaited.NOTHING:
            return False
        match = _TOKEN.match(self._text, self._position)
        if match is None:
            return self._no_token()
        kind = match.lastgroup
        token = match[kind] if kind else ""
        start, self._position = match.end() - len(token), match.end()
        if kind == "punctuation":
            self._punctuation(token, start)
        elif kind == "string" and self._awaited in (_Awaited.KEY, _Awaited.KEY_OR_END):
            self._key, self._key_start = self._string(token, start), start
            self._awaited = _Awaited.COLON
        elif self._awaited in (_Awaited.VALUE, _Awaited.VALUE_OR_END):
            self._put(self._scalar(kind or "", token, start), start, self._position)
        else:
            raise self._misplaced(token, start)
        return True

    def _no_token(self) -> bool:
        blanks = _BLANKS.match(self._text, self._position)
        offset = blanks.end() if blanks else self._position
        if offset == len(self._text):
            if self._awaited is _Awaited.NOTHING:
                return False
            raise self._early_end(offset)
        character = self._text[offset]
        following = self._text[offset : offset + 2]
        if ord(character) in _SMART_QUOTES:
            raise _Stop(Slip.SMART_QUOTES, offset, character)
        if ord(character) in _SINGLE_QUOTES:
            raise _Stop(Slip.SINGLE_QUOTES, offset, character)
        if character == "#" or following in ("//", "/*"):
            raise _Stop(Slip.COMMENT, offset, character)
        if self._awaited is _Awaited.NOTHING:
            raise _Stop(Slip.TEXT_AFTER_THE_END, offset, character)
        raise _Stop(Slip.BROKEN_STRING if character == '"' else Slip.UNEXPECTED, offset, character)

    def _early_end(self, offset: int) -> _Stop:
        if not self._stack:
            return _Stop(Slip.EMPTY, offset)
        if self._awaited in (_Awaited.VALUE, _Awaited.KEY) and self._text[self._last_comma : offset].strip() == ",":
            return _Stop(Slip.TRAILING_COMMA, self._last_comma, ",")
        return _Stop(Slip.MISSING_BRACE, offset, self._closing())

    def _closing(self) -> str:
        return "}" if isinstance(self._stack[-1][0], dict) else "]"

    def _punctuation(self, token: str, start: int) -> None:
        if token in "{[":
            if self._awaited not in (_Awaited.VALUE, _Awaited.VALUE_OR_END):
                raise self._misplaced(token, start)
            self._open(token, start)
        elif token in "}]":
            self._close(token, start)
        elif token == ":" and self._awaited is _Awaited.COLON:
            self._awaited = _Awaited.VALUE
        elif token == "," and self._awaited is _Awaited.COMMA_OR_END:
            self._last_comma = start
            self._awaited = _Awaited.KEY if self._closing() == "}" else _Awaited.VALUE
        else:
            raise self._misplaced(token, start)

    def _misplaced(self, token: str, start: int) -> _Stop:
        if self._awaited is _Awaited.NOTHING:
            return _Stop(Slip.TEXT_AFTER_THE_END, start, token)
        if self._awaited is _Awaited.COMMA_OR_END and token not in (":", "}", "]"):
            return _Stop(Slip.MISSING_COMMA, start, token)
        return _Stop(Slip.UNEXPECTED, start, token[:1])

    def _open(self, token: str, start: int) -> None:
        if len(self._stack) >= MAX_DEPTH:
            self._skip(start)
            return
        container: dict[str, object] | list[object] = {} if token == "{" else []
        path = self._put(container, start, start)
        self._stack.append((container, path, start))
        self._awaited = _Awaited.KEY_OR_END if token == "{" else _Awaited.VALUE_OR_END

    def _skip(self, start: int) -> None:
        """Pass over a value nested too deeply: only its brackets are counted."""
        depth = 1
        while depth:
            match = _TOKEN.match(self._text, self._position)
            if match is None:
                raise _Stop(Slip.TOO_DEEP, start)
            depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(match["punctuation"] or "", 0)
            self._position = match.end()
        self._too_deep = self._too_deep or Problem(Slip.TOO_DEEP, start)
        self._put(None, start, self._position)

    def _close(self, token: str, start: int) -> None:
        if not self._stack:
            raise _Stop(Slip.EXTRA_BRACE, start, token)
        if self._awaited in (_Awaited.KEY, _Awaited.VALUE) and self._text[self._last_comma : start].strip() == ",":
            raise _Stop(Slip.TRAILING_COMMA, self._last_comma, ",")
        if self._awaited not in (_Awaited.KEY_OR_END, _Awaited.VALUE_OR_END, _Awaited.COMMA_OR_END):
            raise _Stop(Slip.UNEXPECTED, start, token)
        if token != self._closing():
            raise _Stop(Slip.MISSING_BRACE, start, self._closing())
        _, path, _ = self._stack.pop()
        begins, value_start, _ = self._spans[path]
        self._spans[path] = (begins, value_start, self._position)
        self._awaited = _Awaited.COMMA_OR_END if self._stack else _Awaited.NOTHING

    def _put(self, value: object, start: int, end: int) -> Path:
        """Store a value where it belongs and answer its path."""
        self._awaited = _Awaited.COMMA_OR_END if self._stack else _Awaited.NOTHING
        if not self._stack:
            self._root = value
            self._spans[()] = (start, start, end)
            return ()
        container, parent, _ = self._stack[-1]
        if isinstance(container, list):
            path: Path = (*parent, len(container))
            container.append(value)
            begins = start
        else:
            path = (*parent, self._key)
            if self._key in container and len(self._duplicates) < _MOST_DUPLICATES:
                self._duplicates.append(path)
            container[self._key] = value
            begins = self._key_start
        self._spans[path] = (begins, start, end)
        if len(self._spans) > MOST_ELEMENTS:
            raise _Stop(Slip.TOO_LONG, start)
        return path

    def _scalar(self, kind: str, token: str, start: int) -> object:
        if kind == "string":
            return self._string(token, start)
        if kind == "word":
            return _WORDS[token]
        if len(token) > _LONGEST_NUMBER:
            # IAM takes numbers with and without quotation marks; no number in a trust policy is that long.
            return token
        return float(token) if set(token) & set(".eE") else int(token)

    def _string(self, token: str, start: int) -> str:
        text = token[1:-1]
        if "\\" in text:
            try:
                text = json.loads(token)
            except ValueError:
                raise _Stop(Slip.BROKEN_STRING, start, '"') from None
        if not text.isascii() and _ILLEGAL.search(text):
            parent = self._stack[-1][1] if self._stack else ()
            self._illegal.append((*parent, self._key) if self._awaited is _Awaited.VALUE else parent)
        return text


def read_outline(text: str) -> Reading:
    """As `read`; but where a part is nested too deeply the rest is still given, with that part as null."""
    return _Reader(text).read_outline()


def read_part(text: str, start: int) -> Reading:
    """The JSON value that begins at `start`; its positions are those in the whole text."""
    return _Reader(text, start).read()
