"""What IAM refuses to save at all (MalformedPolicyDocument), with the nearest right spelling."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from onboarding.core.iam.conditions import OPERATORS, parse_operator
from onboarding.core.iam.principals import PRINCIPAL_TYPES
from onboarding.core.iam.requests import is_near

Path = tuple[str | int, ...]

VERSIONS = ("2012-10-17", "2008-10-17")
_EFFECTS = ("Allow", "Deny")
_TOP = ("Version", "Id", "Statement")
_ELEMENTS = ("Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Condition")
_SID = re.compile(r"[0-9A-Za-z]*")
_EXCLUSIVE = (("Principal", "NotPrincipal"), ("Action", "NotAction"))
_SET_PREFIXES = ("ForAllValues:", "ForAnyValue:")
_IF_EXISTS = "IfExists"


class FaultCode(StrEnum):
    NOT_A_POLICY = "not_a_policy"
    NO_STATEMENT = "no_statement"
    UNKNOWN_ELEMENT = "unknown_element"
    UNKNOWN_EFFECT = "unknown_effect"
    UNKNOWN_OPERATOR = "unknown_operator"
    UNKNOWN_VERSION = "unknown_version"
    UNKNOWN_PRINCIPAL_TYPE = "unknown_principal_type"
    MISSING_ELEMENT = "missing_element"
    EXCLUSIVE_ELEMENTS = "exclusive_elements"
    PROHIBITED_ELEMENT = "prohibited_element"
    WRONG_TYPE = "wrong_type"
    BARE_PRINCIPAL = "bare_principal"
    KEY_WITHOUT_PREFIX = "key_without_prefix"
    SID_CHARACTERS = "sid_characters"
    SID_TWICE = "sid_twice"


@dataclass(frozen=True, slots=True)
class Fault:
    code: FaultCode
    path: Path
    found: str = ""
    # The nearest right spelling, or what is missing; empty where nothing is near.
    expected: str = ""


def faults(document: object) -> Iterator[Fault]:
    """Total, like `evaluate`."""
    if not isinstance(document, dict):
        yield Fault(FaultCode.NOT_A_POLICY, ())
        return
    yield from _unknown_elements(document, (), _TOP)
    version = document.get("Version", VERSIONS[1])
    if version not in VERSIONS:
        yield Fault(FaultCode.UNKNOWN_VERSION, ("Version",), _shown(version), VERSIONS[0])
    statement = document.get("Statement")
    if isinstance(statement, dict):
        yield from _statement_faults(statement, ("Statement",))
    elif isinstance(statement, list) and statement:
        yield from _list_faults(statement)
    elif not any(nearest(str(key), ["Statement"]) for key in document if key not in _TOP):
        yield Fault(FaultCode.NO_STATEMENT, ("Statement",) if "Statement" in document else (), expected="Statement")


def _list_faults(entries: Sequence[object]) -> Iterator[Fault]:
    sids: set[str] = set()
    for index, statement in enumerate(entries):
        path: Path = ("Statement", index)
        if not isinstance(statement, dict):
            yield Fault(FaultCode.WRONG_TYPE, path, _shown(statement), "{…}")
            continue
        yield from _statement_faults(statement, path)
        sid = statement.get("Sid")
        if isinstance(sid, str) and sid:
            if sid in sids:
                yield Fault(FaultCode.SID_TWICE, (*path, "Sid"), sid)
            sids.add(sid)


def _statement_faults(statement: dict[str, object], path: Path) -> Iterator[Fault]:
    misspelt = list(_unknown_elements(statement, path, _ELEMENTS))
    yield from misspelt
    for one, other in _EXCLUSIVE:
        if one in statement and other in statement:
            yield Fault(FaultCode.EXCLUSIVE_ELEMENTS, (*path, other), other, one)
    # A misspelt element is not missing besides.
    present = {*statement, *(fault.expected for fault in misspelt)}
    for element, alternative in (("Effect", ""), ("Principal", "NotPrincipal"), ("Action", "NotAction")):
        if not present & {element, alternative}:
            yield Fault(FaultCode.MISSING_ELEMENT, path, expected=element)
    yield from _effect_and_sid_faults(statement, path)
    for element in ("Principal", "NotPrincipal"):
        if element in statement:
            yield from _principal_faults(statement[element], (*path, element))
    for element in ("Action", "NotAction"):
        if element in statement and not _is_text_list(statement[element]):
            yield Fault(FaultCode.WRONG_TYPE, (*path, element), _shown(statement[element]), "sts:AssumeRole")
    if "Condition" in statement:
        yield from _condition_faults(statement["Condition"], (*path, "Condition"))


def _effect_and_sid_faults(statement: dict[str, object], path: Path) -> Iterator[Fault]:
    effect, sid = statement.get("Effect", "Allow"), statement.get("Sid", "")
    if effect not in _EFFECTS:
        yield Fault(FaultCode.UNKNOWN_EFFECT, (*path, "Effect"), _shown(effect), nearest(_shown(effect), _EFFECTS))
    if not isinstance(sid, str) or not _SID.fullmatch(sid):
        expected = "".join(_SID.findall(_shown(sid)))
        yield Fault(FaultCode.SID_CHARACTERS, (*path, "Sid"), _shown(sid), expected)


def _unknown_elements(mapping: dict[str, object], path: Path, known: Sequence[str]) -> Iterator[Fault]:
    for key in mapping:
        if key in known:
            continue
        if key in ("Resource", "NotResource"):
            yield Fault(FaultCode.PROHIBITED_ELEMENT, (*path, key), key)
        else:
            yield Fault(FaultCode.UNKNOWN_ELEMENT, (*path, key), str(key), nearest(str(key), known))


def _principal_faults(element: object, path: Path) -> Iterator[Fault]:
    if element == "*":
        return
    if isinstance(element, str | list):
        yield Fault(FaultCode.BARE_PRINCIPAL, path, _shown(element), "AWS")
        return
    if not isinstance(element, dict) or not element:
        yield Fault(FaultCode.WRONG_TYPE, path, _shown(element), '{"AWS": …}')
        return
    for kind, value in element.items():
        if kind not in PRINCIPAL_TYPES:
            yield Fault(FaultCode.UNKNOWN_PRINCIPAL_TYPE, (*path, kind), kind, nearest(kind, PRINCIPAL_TYPES))
        elif not _is_text_list(value):
            yield Fault(FaultCode.WRONG_TYPE, (*path, kind), _shown(value), "arn:…")


def _condition_faults(block: object, path: Path) -> Iterator[Fault]:
    if not isinstance(block, dict):
        yield Fault(FaultCode.WRONG_TYPE, path, _shown(block), "{…}")
        return
    for name, keys in block.items():
        place = (*path, name)
        if parse_operator(name) is None:
            yield Fault(FaultCode.UNKNOWN_OPERATOR, place, name, nearest_operator(name))
        elif not isinstance(keys, dict):
            yield Fault(FaultCode.WRONG_TYPE, place, _shown(keys), "{…}")
        else:
            yield from _key_faults(keys, place)


def _key_faults(keys: dict[str, object], path: Path) -> Iterator[Fault]:
    for key, value in keys.items():
        if ":" not in str(key):
            guesses = [f"{prefix}:{key}" for prefix in ("sts", "aws")]
            known = ("sts:ExternalId", "aws:PrincipalArn", "sts:RoleSessionName")
            expected = next((name for name in known for guess in guesses if is_near(guess.lower(), name.lower())), "")
            yield Fault(FaultCode.KEY_WITHOUT_PREFIX, (*path, key), str(key), expected)
        entries = value if isinstance(value, list) else [value]
        if not all(isinstance(entry, str | int | float) for entry in entries):
            yield Fault(FaultCode.WRONG_TYPE, (*path, key), _shown(value), '"…"')


def nearest_operator(name: str) -> str:
    """`StringEqual` is nearly `StringEquals`; prefix and suffix are kept."""
    prefix = next((prefix for prefix in _SET_PREFIXES if name.lower().startswith(prefix.lower())), "")
    suffix = _IF_EXISTS if name.lower().endswith(_IF_EXISTS.lower()) else ""
    base = nearest(name[len(prefix) : len(name) - len(suffix)], OPERATORS)
    return f"{prefix}{base}{suffix}" if base else ""


def nearest(found: str, known: Iterable[str]) -> str:
    """The one that was most likely meant, or nothing."""
    lower = found.strip().lower()
    same = [name for name in known if lower in (name.lower(), f"{name.lower()}s")]
    if same or len(found) > 64:
        return same[0] if same else ""
    return next((name for name in known if len(name) > 2 and is_near(lower, name.lower())), "")


def _is_text_list(value: object) -> bool:
    return isinstance(value, str) or (
        isinstance(value, list) and bool(value) and all(isinstance(entry, str) for entry in value)
    )


def _shown(value: object) -> str:
    return value if isinstance(value, str) else f"<{type(value).__name__}>"
