"""Finds the trust policy in what somebody pasted: the policy, the output of get-role, or a snippet of a template."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from onboarding.core.policy_text import Path, Reading, indented, mended, read, read_part

# `aws iam get-role` and CloudFormation; Terraform; then what holds a permissions policy.
_HOLDERS = ("AssumeRolePolicyDocument", "assume_role_policy", "PolicyDocument", "policy")
_FIRST_KEY = re.compile(r'"(?:Version|Statement|Id)"\s*:')
_URL_ENCODED_BRACE = "%7B"
# A line longer than this is no place that an eye could find.
_WIDEST_LINE = 240


@dataclass(frozen=True)
class Pasted:
    """`reading` is of the policy's own text; `prefix` leads to the policy where it stands inside something else."""

    reading: Reading
    document: object
    prefix: Path = ()
    # Where the policy was one string in something else: the line of that string.
    fixed_line: int | None = None

    def line(self, path: Path) -> int | None:
        return self.fixed_line or self.reading.line(self.prefix + path)

    def own(self, path: Path) -> Path | None:
        """A path of the reading as a path of the policy; None where it lies outside."""
        inside = path[: len(self.prefix)] == self.prefix
        return path[len(self.prefix) :] if inside else None

    @property
    def lines(self) -> tuple[int, int]:
        """The first and the last line of what was pasted that hold the policy."""
        if self.fixed_line:
            return self.fixed_line, self.fixed_line
        start, _, end = self.reading.spans.get(self.prefix, (0, 0, len(self.reading.text)))
        return self.reading.line_and_column(start)[0], self.reading.line_and_column(max(start, end - 1))[0]

    @property
    def policy_text(self) -> str:
        return self.reading.source(self.prefix) if self.reading.spans else self.reading.text


def laid_out(text: str, hints: Sequence[str] = ()) -> str:
    """The policy on lines of its own where it stood in one string or on one line; any other text as it is."""
    pasted = locate(text, hints)
    if pasted.reading.problem or not isinstance(pasted.document, dict):
        return text
    is_crowded = any(len(line) > _WIDEST_LINE for line in pasted.policy_text.split("\n"))
    return indented(pasted.policy_text) if pasted.fixed_line or is_crowded else text


def locate(text: str, hints: Sequence[str] = ()) -> Pasted:
    """Of several policies the first that holds a hint, the hints in their order; else the first of all."""
    if text.lstrip().startswith(_URL_ENCODED_BRACE):
        return _inside(unquote(text), line=1)
    reading = read(text)
    if reading.problem and not text.lstrip("\ufeff \t\r\n").startswith(("{", "[")):
        reading = _embedded(text) or reading
    return _unwrapped(reading, hints)


def locate_mended(text: str, hints: Sequence[str] = ()) -> Pasted | None:
    """As `locate`, after slips of writing were put right; None where they cannot be."""
    reading = mended(text)
    return _unwrapped(reading, hints) if reading else None


def _embedded(text: str) -> Reading | None:
    """The JSON part of a snippet: a heredoc, a fenced block, one property of a template."""
    first = _FIRST_KEY.search(text)
    start = text.rfind("{", 0, first.start()) if first else -1
    if start < 0:
        return None
    reading = read_part(text, start)
    return None if reading.problem else reading


def _unwrapped(reading: Reading, hints: Sequence[str]) -> Pasted:
    document = reading.value
    if isinstance(document, str) and document.lstrip().startswith("{"):
        return _held(reading, ())
    if reading.problem or not isinstance(document, dict) or "Statement" in document:
        return Pasted(reading, document)
    for holder in _HOLDERS:
        paths = [path for path in reading.spans if path and path[-1] == holder]
        if paths:
            return _held(reading, _likeliest(reading, paths, hints))
    return Pasted(reading, document)


def _likeliest(reading: Reading, paths: Sequence[Path], hints: Sequence[str]) -> Path:
    hinted = (path for hint in hints if hint for path in paths if hint in reading.source(path))
    return next(hinted, paths[0])


def _held(reading: Reading, path: Path) -> Pasted:
    held: object = reading.value
    for step in path:
        held = held[step]  # type: ignore[index]  # the reader made both the path and the containers
    if not isinstance(held, str):
        return Pasted(reading, held, prefix=path)
    # IAM's own API gives the document URL-encoded; Terraform's JSON gives it as a string.
    is_encoded = held.lstrip().startswith(_URL_ENCODED_BRACE)
    return _inside(unquote(held) if is_encoded else held, line=reading.line(path))


def _inside(text: str, *, line: int | None) -> Pasted:
    inner = read(text)
    return Pasted(inner, inner.value, fixed_line=line)
