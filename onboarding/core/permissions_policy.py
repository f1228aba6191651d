"""The permissions policy that an admin asks a partner to give the role: read strictly, kept in one shape."""

import re
from collections.abc import Iterator
from enum import StrEnum

from onboarding.core import policy_text
from onboarding.core.errors import InvalidPermissionsPolicy
from onboarding.core.iam.conditions import parse_operator
from onboarding.core.policy_text import Path, Reading
from onboarding.core.trust import Document, minified

# IAM's quota for all inline policies of a role together, white space not counted.
MAX_LENGTH = 10_240
VERSIONS = ("2012-10-17", "2008-10-17")
_ELEMENTS = frozenset({"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"})
_SID = re.compile(r"[0-9A-Za-z]*")
_ACTION = re.compile(r"\*|[A-Za-z0-9-]+:[A-Za-z0-9*?]+")
_RESOURCE = re.compile(r"\*|arn:.+")
_CONDITION_KEY = re.compile(r"(?!fn:)[a-z0-9-]+:.+", re.IGNORECASE)
# What can be seen, of the characters that IAM takes: every form carries it, and no reader overlooks it.
_SEEN = re.compile(r"[\x20-\x7e\xa1-\xac\xae-\xff]*")
# What no escape makes plain: CloudFormation puts a secret of the partner's in place of {{resolve:…}}, and Terraform
# takes `$${` for the text `${` only where neither sign stands before it.
_TEMPLATE = re.compile(r"\{\{|[$%][$%]\{")
_EVERYTHING = frozenset({"*", "*:*"})


class PermissionsChoice(StrEnum):
    """Who says what the role may do: the partner, a managed policy, or a document of our own."""

    PARTNER = "partner"
    MANAGED = "managed"
    DOCUMENT = "document"


def parse(text: str) -> Document:
    """A permissions policy that IAM takes and that every form of the hand-off can carry.

    Raises `InvalidPermissionsPolicy` whose reason is one of: `not_json`, `duplicate_key`, `character`, `braces`,
    `not_a_policy`, `trust_policy`, `element`, `value`, `too_long`, `administrator`.
    """
    reading = policy_text.read(text)
    if reading.problem:
        line, _ = reading.line_and_column(reading.problem.offset)
        raise InvalidPermissionsPolicy("not_json", line=line)
    if reading.duplicates:
        raise _refusal("duplicate_key", reading, reading.duplicates[0])
    for path, found in strings(reading.value):
        if not is_plain(found):
            raise _refusal("braces" if _TEMPLATE.search(found) else "character", reading, path)
    document = _document(reading)
    if len(minified(document)) > MAX_LENGTH:
        raise InvalidPermissionsPolicy("too_long")
    return document


def is_plain(text: str) -> bool:
    """Whether no form of the hand-off could read syntax of its own in it, once it is quoted by that form's rules."""
    return bool(_SEEN.fullmatch(text)) and not _TEMPLATE.search(text)


def strings(value: object, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Every string in a JSON value, keys included."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield (*path, key), key
            yield from strings(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from strings(inner, (*path, index))


def _document(reading: Reading) -> Document:
    found = reading.value
    if not isinstance(found, dict) or not found.keys() <= {"Version", "Id", "Statement"} or not found.get("Statement"):
        raise InvalidPermissionsPolicy("not_a_policy")
    if found.get("Version", VERSIONS[0]) not in VERSIONS or not isinstance(found.get("Id", ""), str):
        raise _refusal("value", reading, ("Version",))
    entries, path = found["Statement"], ("Statement",)
    listed = entries if isinstance(entries, list) else [entries]
    paths: list[Path] = [(*path, index) for index in range(len(listed))] if isinstance(entries, list) else [path]
    statements = [_statement(reading, entry, place) for entry, place in zip(listed, paths, strict=True)]
    sids = [statement["Sid"] for statement in statements if statement.get("Sid")]
    if len(sids) != len(set(sids)):
        raise _refusal("value", reading, path)
    return {**found, "Statement": statements}


def _statement(reading: Reading, entry: object, path: Path) -> Document:
    if not isinstance(entry, dict):
        raise _refusal("not_a_policy", reading, path)
    if entry.keys() & {"Principal", "NotPrincipal"}:
        raise _refusal("trust_policy", reading, path)
    if strange := sorted(entry.keys() - _ELEMENTS):
        raise _refusal("element", reading, (*path, strange[0]))
    for one, other in (("Action", "NotAction"), ("Resource", "NotResource")):
        if (one in entry) == (other in entry):
            raise _refusal("element", reading, path)
    values = {"Sid": _SID, "Effect": re.compile("Allow|Deny")}
    if wrong := next((name for name, rule in values.items() if not _is(rule, entry.get(name, ""))), ""):
        raise _refusal("value", reading, (*path, wrong))
    for names, rule in ((("Action", "NotAction"), _ACTION), (("Resource", "NotResource"), _RESOURCE)):
        name = names[0] if names[0] in entry else names[1]
        if not _listed(entry[name]) or not all(_is(rule, text) for text in _listed(entry[name])):
            raise _refusal("value", reading, (*path, name))
    if _is_administrator(entry):
        raise _refusal("administrator", reading, path)
    if "Condition" not in entry:
        return entry
    return {**entry, "Condition": _conditions(reading, entry["Condition"], (*path, "Condition"))}


def _conditions(reading: Reading, block: object, path: Path) -> Document:
    if not isinstance(block, dict):
        raise _refusal("value", reading, path)
    kept: Document = {}
    for operator, keys in block.items():
        place = (*path, operator)
        if parse_operator(operator) is None or not isinstance(keys, dict):
            raise _refusal("value", reading, place)
        if wrong := next((key for key in keys if not _CONDITION_KEY.fullmatch(key)), None):
            raise _refusal("value", reading, (*place, wrong))
        kept[operator] = {key: _condition_values(reading, value, (*place, key)) for key, value in keys.items()}
    return kept


def _condition_values(reading: Reading, value: object, path: Path) -> object:
    if isinstance(value, list) and value:
        return [_condition_value(reading, entry, path) for entry in value]
    return _condition_value(reading, value, path)


def _condition_value(reading: Reading, value: object, path: Path) -> str:
    """As text: IAM compares a number or a truth value alike with and without quotation marks, templates do not."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise _refusal("value", reading, path)


def _is_administrator(entry: Document) -> bool:
    """The partner's page promises that we never ask for this."""
    everywhere = "*" in _listed(entry.get("Resource"))
    return entry["Effect"] == "Allow" and everywhere and not _EVERYTHING.isdisjoint(_listed(entry.get("Action")))


def _is(rule: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and bool(rule.fullmatch(value))


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _refusal(reason: str, reading: Reading, path: Path) -> InvalidPermissionsPolicy:
    return InvalidPermissionsPolicy(reason, line=reading.line(path), found=str(path[-1]) if path else "")
