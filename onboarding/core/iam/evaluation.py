"""The decision: each statement element by element, a Deny before any Allow, and nothing allowed by silence."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple

from onboarding.core.iam.conditions import Operator, condition_holds, parse_operator
from onboarding.core.iam.logic import Truth, every
from onboarding.core.iam.patterns import matches
from onboarding.core.iam.principals import not_principal_holds, principal_holds
from onboarding.core.iam.requests import ABSENT, Request, text_of

ACTION = "sts:AssumeRole"
_VERSION_WITH_VARIABLES = "2012-10-17"

_TEXT_ALONE = {str}
_NO_CONDITION: dict[str, object] = {}

Path = tuple[str | int, ...]


class Outcome(StrEnum):
    ALLOWED = "allowed"
    IMPLICITLY_DENIED = "implicitly_denied"
    EXPLICITLY_DENIED = "explicitly_denied"
    UNKNOWN = "unknown"


class Element(StrEnum):
    PRINCIPAL = "Principal"
    ACTION = "Action"
    CONDITION = "Condition"


class Check(NamedTuple):
    """What one element of a statement answered, and why: what the policy wants and what the request carries."""

    element: Element
    path: Path
    holds: Truth
    wanted: Sequence[str] = ()
    # None where the value cannot be known.
    found: Sequence[str] | None = ABSENT
    operator: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class StatementResult:
    index: int
    path: Path
    effect: str
    applies: Truth
    checks: tuple[Check, ...]


@dataclass(frozen=True)
class Decision:
    outcome: Outcome
    _document: object
    _request: Request

    @cached_property
    def statements(self) -> tuple[StatementResult, ...]:
        """The reasons, worked out when they are asked for: most who decide never ask."""
        variables = has_variables(self._document)
        return tuple(
            evaluate_statement(statement, index, path, self._request, variables=variables)
            for index, path, statement in statements(self._document)
        )


def evaluate(document: object, request: Request) -> Decision:
    """Decide. Total: whatever `document` is, there is an answer; what is no statement allows and denies nothing."""
    variables = has_variables(document)
    found: dict[object, list[Truth]] = {"Allow": [], "Deny": []}
    for _, _, statement in statements(document):
        effect = statement.get("Effect")
        if effect in ("Allow", "Deny"):
            found[effect].append(applies(statement, request, variables=variables))
    return Decision(outcome(found["Allow"], found["Deny"]), document, request)


def has_variables(document: object) -> bool:
    return isinstance(document, dict) and document.get("Version") == _VERSION_WITH_VARIABLES


def statements(document: object) -> Iterator[tuple[int, Path, dict[str, object]]]:
    """Index, path and statement; IAM takes one statement also without a list around it."""
    value = document.get("Statement") if isinstance(document, dict) else None
    if isinstance(value, dict):
        yield 0, ("Statement",), value
    elif isinstance(value, list):
        for index, statement in enumerate(value):
            if isinstance(statement, dict):
                yield index, ("Statement", index), statement


def outcome(allows: Sequence[Truth], denies: Sequence[Truth]) -> Outcome:
    if True in denies:
        return Outcome.EXPLICITLY_DENIED
    if True in allows:
        return Outcome.UNKNOWN if None in denies else Outcome.ALLOWED
    return Outcome.UNKNOWN if None in allows else Outcome.IMPLICITLY_DENIED


def applies(statement: dict[str, object], request: Request, *, variables: bool) -> Truth:
    """As `evaluate_statement` finds it, without the reasons: the first element that fails ends it."""
    truth = _principal_holds(statement, request)
    if truth is False or not _action_holds(statement):
        return False
    lookup = request.lookup if variables else None
    for _, operator, key, value in _conditions(statement.get("Condition", _NO_CONDITION)):
        holds = condition_holds(operator, texts(value), request.lookup(key), lookup) if operator else False
        if holds is False:
            return False
        truth = truth and holds
    return truth


def evaluate_statement(
    statement: dict[str, object],
    index: int,
    path: Path,
    request: Request,
    *,
    variables: bool,
) -> StatementResult:
    checks = tuple(_checks(statement, path, request, variables=variables))
    effect = statement.get("Effect")
    truth = every(check.holds for check in checks)
    return StatementResult(index, path, effect if isinstance(effect, str) else "", truth, checks)


def _checks(statement: dict[str, object], path: Path, request: Request, *, variables: bool) -> Iterator[Check]:
    element = "NotPrincipal" if "NotPrincipal" in statement else "Principal"
    yield Check(Element.PRINCIPAL, (*path, element), _principal_holds(statement, request))
    element = "NotAction" if "NotAction" in statement else "Action"
    yield Check(Element.ACTION, (*path, element), _action_holds(statement), texts(statement.get(element)))
    lookup = request.lookup if variables else None
    for name, operator, key, value in _conditions(statement.get("Condition", _NO_CONDITION)):
        place = (*path, "Condition", *filter(None, (name, key)))
        wanted, found = texts(value), request.lookup(key)
        holds = condition_holds(operator, wanted, found, lookup) if operator else False
        yield Check(Element.CONDITION, place, holds, wanted, found, name, key)


def _principal_holds(statement: dict[str, object], request: Request) -> Truth:
    if "NotPrincipal" in statement:
        return not_principal_holds(statement["NotPrincipal"], request)
    return principal_holds(statement.get("Principal"), request)


def _action_holds(statement: dict[str, object]) -> bool:
    if "NotAction" in statement:
        actions = texts(statement["NotAction"])
        return bool(actions) and not names_action(actions)
    return names_action(texts(statement.get("Action")))


def names_action(actions: Sequence[str], action: str = ACTION) -> bool:
    """Actions are compared without regard to case."""
    if action in actions:
        return True
    wanted = action.lower()
    return any(matches(wanted, pattern.lower()) for pattern in actions)


def texts(value: object) -> Sequence[str]:
    """A value that may stand alone or in a list, as text; what IAM would not take is left out."""
    if isinstance(value, str):
        return (value,)
    if isinstance(value, list) and set(map(type, value)) == _TEXT_ALONE:
        return value
    entries = value if isinstance(value, list) else [value]
    return [text_of(entry) for entry in entries if isinstance(entry, str | int | float)]


def _conditions(block: object) -> Iterator[tuple[str, Operator | None, str, object]]:
    """Each key under its operator: the operator's name, what it means, key and value. No operator where there is
    nothing that IAM would take.
    """
    if not isinstance(block, dict):
        yield "", None, "", None
        return
    for name, keys in block.items():
        operator = parse_operator(name) if isinstance(name, str) else None
        if operator is None or not isinstance(keys, dict):
            yield str(name), None, "", None
            continue
        for key, value in keys.items():
            yield name, operator, str(key), value
