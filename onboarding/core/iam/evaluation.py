"""The decision: each statement element by element, a Deny before any Allow, and nothing allowed by silence."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple

from onboarding.core.iam.conditions import condition_holds, parse_operator
from onboarding.core.iam.logic import Truth, every
from onboarding.core.iam.patterns import matches
from onboarding.core.iam.principals import not_principal_holds, principal_holds
from onboarding.core.iam.requests import ABSENT, Request, text_of

ACTION = "sts:AssumeRole"
_VERSION_WITH_VARIABLES = "2012-10-17"

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
    denies: list[Truth] = []
    allows: list[Truth] = []
    for _, path, statement in statements(document):
        effect = statement.get("Effect")
        if effect in ("Allow", "Deny"):
            truth = every(check.holds for check in _checks(statement, path, request, variables=variables))
            (allows if effect == "Allow" else denies).append(truth)
    return Decision(_outcome(allows, denies), document, request)


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


def combined(results: Sequence[StatementResult]) -> Outcome:
    return _outcome(
        [result.applies for result in results if result.effect == "Allow"],
        [result.applies for result in results if result.effect == "Deny"],
    )


def _outcome(allows: Sequence[Truth], denies: Sequence[Truth]) -> Outcome:
    if True in denies:
        return Outcome.EXPLICITLY_DENIED
    if True in allows:
        return Outcome.UNKNOWN if None in denies else Outcome.ALLOWED
    return Outcome.UNKNOWN if None in allows else Outcome.IMPLICITLY_DENIED


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
    applies = every(check.holds for check in checks)
    return StatementResult(index, path, effect if isinstance(effect, str) else "", applies, checks)


def _checks(statement: dict[str, object], path: Path, request: Request, *, variables: bool) -> Iterator[Check]:
    """One after the other, so that who only decides can stop at the first that fails."""
    yield _principal_check(statement, path, request)
    yield _action_check(statement, path)
    if "Condition" in statement:
        yield from _condition_checks(statement["Condition"], (*path, "Condition"), request, variables=variables)


def _principal_check(statement: dict[str, object], path: Path, request: Request) -> Check:
    if "NotPrincipal" in statement:
        holds = not_principal_holds(statement["NotPrincipal"], request)
        return Check(Element.PRINCIPAL, (*path, "NotPrincipal"), holds)
    return Check(Element.PRINCIPAL, (*path, "Principal"), principal_holds(statement.get("Principal"), request))


def _action_check(statement: dict[str, object], path: Path) -> Check:
    if "NotAction" in statement:
        actions = texts(statement["NotAction"])
        return Check(Element.ACTION, (*path, "NotAction"), bool(actions) and not names_action(actions), actions)
    actions = texts(statement.get("Action"))
    return Check(Element.ACTION, (*path, "Action"), names_action(actions), actions)


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
    entries = value if isinstance(value, list) else [value]
    return [text_of(entry) for entry in entries if isinstance(entry, str | int | float)]


def _condition_checks(block: object, path: Path, request: Request, *, variables: bool) -> Iterator[Check]:
    if not isinstance(block, dict):
        yield Check(Element.CONDITION, path, holds=False)
        return
    lookup = request.lookup if variables else None
    for name, keys in block.items():
        operator = parse_operator(name) if isinstance(name, str) else None
        if operator is None or not isinstance(keys, dict):
            yield Check(Element.CONDITION, (*path, name), holds=False, operator=str(name))
            continue
        for key, value in keys.items():
            wanted, found = texts(value), request.lookup(str(key))
            holds = condition_holds(operator, wanted, found, lookup)
            yield Check(Element.CONDITION, (*path, name, key), holds, wanted, found, name, str(key))
