"""A config file as its bytes: our block in it, and what stands around; nothing outside is ever written anew."""

import re
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from itertools import takewhile
from typing import Self

from onboarding.core.awsconfig.scanning import (
    INHERITED_BY_ALL,
    Notice,
    NoticeKind,
    Problem,
    ProblemKind,
    Section,
    scan,
    split_lines,
)

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
