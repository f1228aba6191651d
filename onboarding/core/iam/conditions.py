"""The condition operators: one operator, one key, its values in the policy, against the values in the request."""

import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from functools import lru_cache
from ipaddress import ip_address, ip_network

from onboarding.core.iam.logic import Truth, every, negated, some
from onboarding.core.iam.patterns import Lookup, Operand, Unresolved, arn_matches, matches, operand

_OPERATOR = re.compile(r"(?:(?P<set>forallvalues|foranyvalue):)?(?P<base>[a-z]+?)(?P<if_exists>ifexists)?")
_NUMBER = re.compile(r"[+-]?[0-9]{1,40}(?:\.[0-9]{1,40})?")
_DATE = re.compile(
    r"(?P<year>[0-9]{4})(?:-(?P<month>[0-9]{2})(?:-(?P<day>[0-9]{2})(?:T(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})"
    r"(?::(?P<second>[0-9]{2})(?:\.(?P<fraction>[0-9]{1,9}))?)?(?P<zone>Z|[+-][0-9]{2}:?[0-9]{2})?)?)?)?"
)
_EPOCH = re.compile(r"[0-9]{1,13}(?:\.[0-9]{1,9})?")
_EPOCH_IN_MILLISECONDS = 100_000_000_000

# Compares one value of the request with one of the policy.
Comparison = Callable[[str, Operand], bool]


def _number(text: str) -> Decimal | None:
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def _date(text: str) -> datetime | None:
    try:
        if _EPOCH.fullmatch(text) and not _DATE.fullmatch(text):
            seconds = float(text)
            return datetime.fromtimestamp(seconds / 1000 if seconds > _EPOCH_IN_MILLISECONDS else seconds, UTC)
        parts = _DATE.fullmatch(text)
        return _iso_date(parts) if parts else None
    except (ValueError, OverflowError, OSError):
        return None


def _iso_date(parts: re.Match[str]) -> datetime:
    zone = parts["zone"] or "Z"
    offset = timedelta()
    if zone != "Z":
        offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:])) * (-1 if zone[0] == "-" else 1)
    return datetime(
        int(parts["year"]),
        int(parts["month"] or 1),
        int(parts["day"] or 1),
        int(parts["hour"] or 0),
        int(parts["minute"] or 0),
        int(parts["second"] or 0),
        int((parts["fraction"] or "0").ljust(6, "0")[:6]),
        tzinfo=timezone(offset),
    )


def _in_network(found: str, wanted: Operand) -> bool:
    try:
        network = ip_network(wanted.text, strict=False)
        address = ip_address(found)
    except ValueError:
        return False
    return address in network


def _same_bytes(found: str, wanted: Operand) -> bool:
    try:
        return b64decode(found, validate=True) == b64decode(wanted.text, validate=True)
    except (Base64Error, ValueError):
        return False


def _ordered(read: Callable[[str], Decimal | datetime | None], holds: Callable[[object, object], bool]) -> Comparison:
    def compare(found: str, wanted: Operand) -> bool:
        left, right = read(found), read(wanted.text)
        return left is not None and right is not None and holds(left, right)

    return compare


_ORDERS: dict[str, Callable[..., bool]] = {
    "equals": lambda left, right: left == right,
    "lessthan": lambda left, right: left < right,
    "lessthanequals": lambda left, right: left <= right,
    "greaterthan": lambda left, right: left > right,
    "greaterthanequals": lambda left, right: left >= right,
}
_COMPARISONS: dict[str, Comparison] = {
    "stringequals": lambda found, wanted: found == wanted.text,
    "stringequalsignorecase": lambda found, wanted: found.lower() == wanted.text.lower(),
    "stringlike": lambda found, wanted: matches(found, wanted.pattern),
    "arnequals": lambda found, wanted: arn_matches(found, wanted.pattern),
    "arnlike": lambda found, wanted: arn_matches(found, wanted.pattern),
    "bool": lambda found, wanted: found.lower() == wanted.text.lower() and found.lower() in ("true", "false"),
    "binaryequals": _same_bytes,
    "ipaddress": _in_network,
    **{f"numeric{name}": _ordered(_number, order) for name, order in _ORDERS.items()},
    **{f"date{name}": _ordered(_date, order) for name, order in _ORDERS.items()},
}
# A negated operator holds where the other one does not: also where the key is absent.
_NEGATED = {
    "stringnotequals": "stringequals",
    "stringnotequalsignorecase": "stringequalsignorecase",
    "stringnotlike": "stringlike",
    "arnnotequals": "arnequals",
    "arnnotlike": "arnlike",
    "notipaddress": "ipaddress",
    "numericnotequals": "numericequals",
    "datenotequals": "dateequals",
}
_WITH_VARIABLES = ("string", "arn")
_NULL = "null"

OPERATORS = (
    "StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike",
    "StringNotLike", "NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals",
    "NumericGreaterThan", "NumericGreaterThanEquals", "DateEquals", "DateNotEquals", "DateLessThan",
    "DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals", "Bool", "BinaryEquals", "IpAddress",
    "NotIpAddress", "ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike", "Null",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Operator:
    """`ForAllValues:StringNotLikeIfExists` taken apart; `base` is the operator that it negates, or itself."""

    base: str
    negates: bool
    # "", "forallvalues" or "foranyvalue"
    over_set: str
    if_exists: bool
    takes_variables: bool


@lru_cache(maxsize=512)
def parse_operator(name: str) -> Operator | None:
    parts = _OPERATOR.fullmatch(name.lower()) if len(name) < 80 else None
    if not parts:
        return None
    base, if_exists = parts["base"], bool(parts["if_exists"])
    positive = _NEGATED.get(base, base)
    if positive not in _COMPARISONS and not (base == _NULL and not if_exists):
        return None
    takes_variables = positive.startswith(_WITH_VARIABLES)
    return Operator(positive, base in _NEGATED, parts["set"] or "", if_exists, takes_variables)


def condition_holds(
    operator: Operator,
    wanted: Sequence[str],
    found: Sequence[str] | None,
    variables: Lookup | None,
) -> Truth:
    """`found` is None when the value cannot be known, and empty when the request does not carry the key."""
    if operator.base == _NULL:
        return None if found is None else _null_holds(wanted, found)
    if found is None:
        # Nothing to know where the key's absence is as good as any value.
        return True if operator.if_exists and operator.base == "stringlike" and "*" in wanted else None
    if operator.over_set:
        # An empty string counts as an empty set, says the page on set operators.
        found = [value for value in found if value]
    if not found:
        absent_is_fine = operator.negates and operator.over_set != "foranyvalue"
        return operator.if_exists or operator.over_set == "forallvalues" or absent_is_fine
    compare = _COMPARISONS[operator.base]
    with_variables = variables if operator.takes_variables else None
    operands = [operand(value, with_variables) for value in wanted]
    if len(found) == 1:
        return _one_of(compare, found[0], operands, operator.negates)
    answers = [_one_of(compare, value, operands, operator.negates) for value in found]
    needs_all = operator.over_set == "forallvalues" or (operator.negates and not operator.over_set)
    return every(answers) if needs_all else some(answers)


def _one_of(compare: Comparison, value: str, operands: Sequence[Operand | Unresolved], negates: bool) -> Truth:
    """OR over the policy's values; for a negated operator none of them may match."""
    answer: Truth = False
    for wanted in operands:
        if isinstance(wanted, Operand):
            if compare(value, wanted):
                return not negates
        elif negates or not wanted.absent:
            # "If AWS cannot resolve a variable, this might cause the entire statement to be invalid": then a negated
            # condition would not hold either, so it cannot be known.
            answer = None
    return negated(answer) if negates else answer


def _null_holds(wanted: Sequence[str], found: Sequence[str]) -> bool:
    is_absent = "false" if any(found) else "true"
    return any(value.lower() == is_absent for value in wanted)
