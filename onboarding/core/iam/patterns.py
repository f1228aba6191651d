"""IAM's wildcards, and the policy variables that stand in patterns. No regular expression is made from a policy."""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

_VARIABLE = re.compile(r"\$\{([^{}]*)\}")
_WITH_DEFAULT = re.compile(r"\s*([^,]*?)\s*,\s*'([^']*)'\s*")
# A star that stands for itself: it came out of a variable or was written as ${*}. No policy holds these characters.
_LITERAL = str.maketrans({"*": "\ue000", "?": "\ue001"})

# The values of a context key; () when the request does not carry it, None when that cannot be known.
Lookup = Callable[[str], Sequence[str] | None]


class Operand(NamedTuple):
    """A value of the policy after its variables were replaced."""

    text: str
    # The same with the stars that stand for themselves marked, for `matches`.
    pattern: str


class Unresolved(NamedTuple):
    """A variable of it has no value in this request (`absent`), or one that cannot be known."""

    absent: bool


def operand(value: str, lookup: Lookup | None) -> Operand | Unresolved:
    """Replace `${key}`, `${key, 'default'}`, `${*}`, `${?}` and `${$}`. Without `lookup` they are plain text."""
    if lookup is None or "${" not in value:
        return _plain(value)
    text, pattern, position = [], [], 0
    for match in _VARIABLE.finditer(value):
        plain = value[position : match.start()]
        replaced = _replacement(match[1], lookup)
        if isinstance(replaced, Unresolved):
            return replaced
        text += [plain, replaced]
        pattern += [plain, replaced.translate(_LITERAL)]
        position = match.end()
    return Operand("".join([*text, value[position:]]), "".join([*pattern, value[position:]]))


@lru_cache(maxsize=1024)
def _plain(value: str) -> Operand:
    return Operand(value, value)


def _replacement(name: str, lookup: Lookup) -> str | Unresolved:
    if name in ("*", "?", "$"):
        return name
    with_default = _WITH_DEFAULT.fullmatch(name)
    values = lookup(with_default[1] if with_default else name.strip())
    if values is None:
        return Unresolved(absent=False)
    if len(values) == 1:
        return values[0]
    return with_default[2] if with_default else Unresolved(absent=True)


def matches(value: str, pattern: str) -> bool:
    """`*` stands for any characters, `?` for one. Linear in the pattern; never tries an alternative twice."""
    if value == pattern:
        return True
    if "*" in value or "?" in value:
        value = value.translate(_LITERAL)
    elif "*" not in pattern and "?" not in pattern:
        return False
    first, *rest = pattern.split("*")
    if not rest:
        return len(value) == len(pattern) and _fits(value, 0, pattern)
    last = rest.pop()
    if len(pattern) - len(rest) - 1 > len(value) or not _fits(value, 0, first):
        return False
    position, end = len(first), len(value) - len(last)
    for piece in filter(None, rest):
        position = _find(value, piece, position, end)
        if position < 0:
            return False
        position += len(piece)
    return position <= end and _fits(value, end, last)


def _fits(value: str, position: int, piece: str) -> bool:
    if "?" not in piece:
        return value.startswith(piece, position)
    return len(value) >= position + len(piece) and all(
        value.startswith(chunk, position + offset) for offset, chunk in _chunks(piece)
    )


@lru_cache(maxsize=256)
def _chunks(piece: str) -> tuple[tuple[int, str], ...]:
    """What stands between the question marks, and where."""
    return tuple((match.start(), match[0]) for match in re.finditer(r"[^?]+", piece))


def _find(value: str, piece: str, start: int, end: int) -> int:
    if "?" not in piece:
        return value.find(piece, start, end)
    return next((at for at in range(start, end - len(piece) + 1) if _fits(value, at, piece)), -1)


def arn_matches(value: str, pattern: str) -> bool:
    """Each of the six parts between colons is compared by itself; a lone star means any ARN."""
    wanted, found = _parts(pattern), _parts(value)
    if len(wanted) < 6:
        return pattern == "*"
    return len(found) == 6 and all(map(matches, found, wanted))


@lru_cache(maxsize=1024)
def _parts(arn: str) -> tuple[str, ...]:
    return tuple(arn.split(":", 5))
