"""Who else gets in, and whether the external ID is really asked for: by trying, not by looks.

For each statement that allows, witnesses are made up (another role of the bastion account, a stranger) and the policy
is asked about them. Conditions on anything but the principal and the external ID are taken as met, for somebody may
meet them.
"""

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import Any

from onboarding.core.doctor.documents import MOST_LENGTH
from onboarding.core.doctor.edits import Edit, EditKind
from onboarding.core.doctor.findings import Caller, Code, Finding, Severity, Turn, severity_of, shown
from onboarding.core.iam import Element, Outcome, Request
from onboarding.core.iam.conditions import parse_operator
from onboarding.core.iam.evaluation import (
    applies,
    evaluate_statement,
    has_variables,
    names_action,
    outcome,
    statements,
    texts,
)
from onboarding.core.iam.patterns import matches
from onboarding.core.iam.principals import Principal, principals

Path = tuple[str | int, ...]
Statement = dict[str, object]
_Entry = tuple[int, Path, Statement]

_ENTERING_ACTIONS = ("sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity")
# An account that nobody has, and an external ID that nobody was given.
_STRANGERS_ACCOUNT = "000000000000"
_ANY_ROLE = "tobiishi-any-other-role"
_ANY_ID = "tobiishi-any-other-id-7Qx"
# IAM takes at most 4,096 characters, in which hardly more statements and values fit. Of a longer document, which it
# never saves, some are enough.
_MOST_STATEMENTS, _FEW_STATEMENTS, _MOST_ENTRIES = 80, 16, 64
_LONGEST = MOST_LENGTH * 2
_MOST_CANDIDATES = 16
_GUESSABLE = frozenset(
    {
        "test", "testing", "example", "sample", "secret", "password", "passwd", "changeme", "default", "none", "null",
        "undefined", "external", "externalid", "external-id", "external_id", "bastion", "partner", "foobar", "abc123",
        "12345", "123456", "1234567", "12345678", "123456789", "1234567890", "000000", "111111", "qwerty", "admin",
    }
)  # fmt: skip
_SHORTEST_HARD_TO_GUESS = 6
# A service or an identity provider sends no principal's ARN and no external ID.
_SERVICE = Request.with_facts(
    "", session_name="", facts={"aws:principalarn": (), "aws:principalaccount": (), "sts:externalid": ()}
)


@dataclass(frozen=True, kw_only=True)
class Subject:
    """The policy, and what it was meant to be."""

    document: object
    callers: tuple[Caller, ...]
    external_id: str | None
    console_access: bool
    partner_account: str = ""

    @cached_property
    def accounts(self) -> dict[str, str]:
        """The bastion accounts of the callers, each with its partition."""
        return {
            request.account: request.partition
            for caller in self.callers
            if (request := Request.of_stranger(caller.principal_arn)).account
        }


@dataclass(frozen=True, slots=True)
class _Allowing:
    """A statement that allows, with the statements that deny beside it."""

    index: int
    path: Path
    statement: Statement
    denies: Sequence[_Entry]
    variables: bool

    def lets_in(self, request: Request) -> bool:
        """Surely, or for all that is known."""
        own = applies(self.statement, request, variables=self.variables)
        if own is False:
            return False
        denies = [applies(statement, request, variables=self.variables) for _, _, statement in self.denies]
        return outcome([own], denies) in (Outcome.ALLOWED, Outcome.UNKNOWN)

    def may_be_met(self, request: Request) -> bool:
        """Its conditions alone, for principals that are no caller of `sts:AssumeRole` as a role is."""
        own = evaluate_statement(self.statement, self.index, self.path, request, variables=self.variables)
        return not any(check.holds is False for check in own.checks if check.element is Element.CONDITION)

    def values(self, key: str) -> Iterator[tuple[Path, str, Sequence[str]]]:
        """Where the condition key stands, under which operator, with which values."""
        block = self.statement.get("Condition")
        for operator, keys in block.items() if isinstance(block, dict) else ():
            for name, value in keys.items() if isinstance(keys, dict) else ():
                if str(name).lower() == key:
                    yield (*self.path, "Condition", operator, name), operator, texts(value)

    @property
    def entries(self) -> list[Principal]:
        entries = list(principals(self.statement.get("Principal"), (*self.path, "Principal")))
        return sorted(entries, key=lambda entry: entry.kind != "everyone")[:_MOST_ENTRIES]


def unsafe_findings(subject: Subject) -> Iterator[Finding]:
    """And the advice that belongs to the same statements."""
    lengths = {index: len(json.dumps(statement)) for index, _, statement in statements(subject.document)}
    # Longer than IAM takes by itself, a statement can never be saved; that is another finding.
    everything = [entry for entry in statements(subject.document) if lengths[entry[0]] <= _LONGEST]
    most = _MOST_STATEMENTS if sum(lengths.values()) <= _LONGEST else _FEW_STATEMENTS
    denies = [entry for entry in everything if entry[2].get("Effect") == "Deny"][:most]
    variables = has_variables(subject.document)
    for index, path, statement in _widest_first(everything, most):
        yield from _statement_findings(subject, _Allowing(index, path, statement, denies, variables))


def _widest_first(everything: Sequence[_Entry], most: int) -> list[_Entry]:
    """Those that allow; of a document longer than IAM takes, the ones with the most open look."""
    allows = [entry for entry in everything if entry[2].get("Effect") == "Allow"]
    return allows if len(allows) <= most else sorted(allows, key=lambda entry: bool(entry[2].get("Condition")))[:most]


def _statement_findings(subject: Subject, allowing: _Allowing) -> Iterator[Finding]:
    actions = texts(allowing.statement.get("Action"))
    if "NotAction" not in allowing.statement and not any(names_action(actions, name) for name in _ENTERING_ACTIONS):
        return
    yield from _other_principals(subject, allowing)
    yield from _external_id_findings(subject, allowing)
    yield from _advice(subject, allowing)


# --- Who else -------------------------------------------------------------------------------------------------------


def _other_principals(subject: Subject, allowing: _Allowing) -> Iterator[Finding]:
    if "NotPrincipal" in allowing.statement:
        is_open = any(map(allowing.lets_in, _strangers(subject, allowing)))
        yield _about_others(Code.ANYONE, allowing, (*allowing.path, "NotPrincipal"), is_open, reason="not_principal")
        return
    for entry in allowing.entries:
        if entry.kind == "everyone":
            is_open = any(map(allowing.lets_in, _strangers(subject, allowing)))
            code = Code.OTHER_PRINCIPALS_TRUSTED if is_open and _asks_for_organization(allowing) else Code.ANYONE
            edits = _narrowing(subject, allowing)
            yield _about_others(code, allowing, entry.path, is_open, found="*", edits=edits)
        elif _is_other(subject, entry):
            own = bool(subject.partner_account) and entry.account == subject.partner_account
            reason = "own_account" if own else entry.type if entry.type != "AWS" else ""
            is_open = _may_enter(subject, allowing, entry)
            yield _about_others(
                Code.OTHER_PRINCIPALS_TRUSTED, allowing, entry.path, is_open, found=entry.text, reason=reason
            )


def _about_others(code: Code, allowing: _Allowing, path: Path, is_open: bool, **facts: Any) -> Finding:
    """Where the conditions keep them out, naming them is no danger now, but one slip away from it."""
    finding = _finding(code, allowing, path=path, **facts)
    return finding if is_open else replace(finding, severity=Severity.ADVICE, reason="kept_out")


def _is_other(subject: Subject, entry: Principal) -> bool:
    if not subject.callers:
        return False
    if entry.type in ("Service", "Federated"):
        return True
    if entry.kind not in ("account", "role", "session", "user") or entry.has_wildcard:
        return False
    return entry.account not in subject.accounts and entry.partition in ("", *subject.accounts.values())


def _may_enter(subject: Subject, allowing: _Allowing, entry: Principal) -> bool:
    """The principal that the entry names, with the right external ID, as it may know it."""
    if entry.type != "AWS":
        return allowing.may_be_met(_SERVICE)
    if entry.kind != "account":
        return allowing.lets_in(Request.of_stranger(entry.text).with_external_id(subject.external_id))
    partition = entry.partition or next(iter(subject.accounts.values()), "aws")
    return any(
        allowing.lets_in(Request.of_stranger(arn).with_external_id(subject.external_id))
        for arn in _arns_in(allowing, partition, entry.account)
    )


def _strangers(subject: Subject, allowing: _Allowing) -> Iterator[Request]:
    partition = next(iter(subject.accounts.values()), "aws")
    for arn in _arns_in(allowing, partition, _STRANGERS_ACCOUNT):
        yield Request.of_stranger(arn).with_external_id(subject.external_id)


def _asks_for_organization(allowing: _Allowing) -> bool:
    keys = ("aws:principalorgid", "aws:principalorgpaths")
    return any(True for key in keys for _ in allowing.values(key))


def _arns_in(allowing: _Allowing, partition: str, account: str, *, but: Collection[str] = frozenset()) -> Iterator[str]:
    """Roles of the account: any one, and those that the statement's own patterns for `aws:PrincipalArn` would fit."""
    yield f"arn:{partition}:iam::{account}:role/{_ANY_ROLE}"
    patterns = (pattern for _, _, patterns in allowing.values("aws:principalarn") for pattern in patterns)
    for pattern in islice(patterns, _MOST_CANDIDATES):
        parts = pattern.split(":", 5) if pattern not in but else ()
        if len(parts) == 6 and matches(account, parts[4]) and matches(partition, parts[1]):
            resource = parts[5].replace("*", "x").replace("?", "0")
            yield f"arn:{partition}:iam::{account}:{resource if '/' in resource else f'role/{_ANY_ROLE}'}"


# --- The external ID ------------------------------------------------------------------------------------------------


def _external_id_findings(subject: Subject, allowing: _Allowing) -> Iterator[Finding]:
    conditions = list(allowing.values("sts:externalid"))
    # Whoever is kept out whatever the external ID need not be asked about each.
    witnesses = [witness for witness in _own_witnesses(subject, allowing) if allowing.lets_in(witness.undecided)]
    edits = _requiring_external_id(subject, allowing)
    if any(allowing.lets_in(witness(None)) for witness in witnesses):
        code = Code.EXTERNAL_ID_PATTERN if conditions else Code.EXTERNAL_ID_NOT_REQUIRED
        path, operator, found = conditions[0] if conditions else (allowing.path, "", ())
        yield _finding(
            code, allowing, path=path, operator=operator, found=shown(found), reason="optional" if conditions else "",
            expected=subject.external_id or "", edits=edits,
        )  # fmt: skip
        return
    for path, operator, values in conditions:
        reason = _weakness(subject, allowing, witnesses, operator, values)
        if reason:
            # An external ID that is easy to guess by itself is ours to change.
            is_ours = reason == "guessable" and list(values) == [subject.external_id]
            yield _finding(
                Code.EXTERNAL_ID_PATTERN, allowing, path=path, operator=operator, found=shown(values),
                expected=subject.external_id or "", reason="guessable_ours" if is_ours else reason,
                turn=Turn.US if is_ours else Turn.PARTNER, edits=() if is_ours else edits,
            )  # fmt: skip
            return


class _Witness:
    """A principal of the bastion account, with whichever external ID is tried."""

    def __init__(self, arn: str, session_name: str = "") -> None:
        # With an external ID that is not known.
        self.undecided = Request.of_stranger(arn, session_name=session_name)

    def __call__(self, external_id: str | None) -> Request:
        return self.undecided.with_external_id(external_id)


def _own_witnesses(subject: Subject, allowing: _Allowing) -> Iterator[_Witness]:
    """Those of the bastion account who would get in with some external ID. With console access the employees may
    come without one, so they are no witnesses then.
    """
    exempt = [caller.role_arn_pattern for caller in subject.callers if subject.console_access and caller.is_employee]
    arns = [(caller.principal_arn, caller.session_name) for caller in subject.callers]
    # The callers themselves stand for the patterns that are theirs.
    own = {text for caller in subject.callers for text in (caller.principal_arn, caller.role_arn_pattern)}
    for account, partition in subject.accounts.items():
        arns += [(arn, "") for arn in _arns_in(allowing, partition, account, but=own)]
    named = (entry for entry in allowing.entries if entry.account in subject.accounts and entry.text not in own)
    arns += [(entry.text, "") for entry in islice(named, _MOST_CANDIDATES) if entry.kind in ("role", "session", "user")]
    for arn, session_name in dict.fromkeys(arns):
        if not any(matches(arn, pattern) for pattern in exempt):
            yield _Witness(arn, session_name)


def _weakness(
    subject: Subject, allowing: _Allowing, witnesses: Sequence[_Witness], operator: str, values: Sequence[str]
) -> str:
    """What kind of wrong external ID opens: `wildcard`, `case`, `negated`, `empty`, `guessable`, or none."""
    parsed = parse_operator(operator)
    wrong = {_ANY_ID: "negated" if parsed and parsed.negates else "wildcard"}
    if subject.external_id:
        wrong |= {subject.external_id.swapcase(): "case", f"{subject.external_id}x": "wildcard"}
    for value in values[:_MOST_CANDIDATES]:
        wrong[value.swapcase()] = "case"
        wrong[value.replace("*", "Qx7").replace("?", "Q")] = "wildcard"
        if _is_guessable(subject, value):
            wrong[value] = "guessable" if value.strip() else "empty"
    for value, reason in wrong.items():
        is_meant = value in (subject.external_id, *values) and reason not in ("guessable", "empty")
        if not is_meant and any(allowing.lets_in(witness(value)) for witness in witnesses):
            return reason
    return ""


def _is_guessable(subject: Subject, value: str) -> bool:
    """Words that anybody would try, and numbers that anybody knows."""
    plain = value.strip().lower()
    if plain in _GUESSABLE or plain.replace("-", "") in (*subject.accounts, subject.partner_account or "-"):
        return True
    return len(plain) < _SHORTEST_HARD_TO_GUESS and value != subject.external_id


# --- Advice, edits --------------------------------------------------------------------------------------------------


def _advice(subject: Subject, allowing: _Allowing) -> Iterator[Finding]:
    for entry in allowing.entries:
        if entry.kind in ("account", "everyone") and (not entry.account or entry.account in subject.accounts):
            anybody = [
                Request.of_stranger(f"arn:{partition}:iam::{account}:role/{_ANY_ROLE}").with_external_id(
                    subject.external_id
                )
                for account, partition in subject.accounts.items()
                if entry.account in ("", account)
            ]
            if any(map(allowing.lets_in, anybody)):
                edits = _narrowing(subject, allowing)
                expected = shown([caller.role_arn_pattern for caller in subject.callers])
                yield _finding(
                    Code.WHOLE_BASTION_ACCOUNT, allowing, path=entry.path, found=entry.text, expected=expected,
                    edits=edits,
                )  # fmt: skip
        elif entry.kind == "role" and any(
            caller.is_employee and caller.principal_arn == entry.text for caller in subject.callers
        ):
            yield _finding(
                Code.ROLE_ARN_AS_PRINCIPAL, allowing, path=entry.path, found=entry.text, turn=Turn.BOTH,
                expected=f"arn:{entry.partition}:iam::{entry.account}:root",
            )  # fmt: skip


def _finding(code: Code, allowing: _Allowing, *, path: Path, turn: Turn = Turn.PARTNER, **facts: object) -> Finding:
    return Finding(
        code=code,
        severity=severity_of(code),
        turn=turn,
        statement=allowing.index,
        path=path,
        **facts,  # type: ignore[arg-type]
    )


def _requiring_external_id(subject: Subject, allowing: _Allowing) -> tuple[Edit, ...]:
    if not subject.external_id:
        return ()
    conditions = [path for path, _, _ in allowing.values("sts:externalid")]
    wanted = (*allowing.path, "Condition", "StringEquals", "sts:ExternalId")
    return (*(Edit(EditKind.DELETE, path) for path in conditions), Edit(EditKind.SET, wanted, subject.external_id))


def _narrowing(subject: Subject, allowing: _Allowing) -> tuple[Edit, ...]:
    """To the callers: the bastion account as the principal, and the callers' ARNs in a condition."""
    target = (*allowing.path, "Condition", "ArnLike", "aws:PrincipalArn")
    conditions = [path for path, _, _ in allowing.values("aws:principalarn")]
    roots: Sequence[str] = [f"arn:{partition}:iam::{account}:root" for account, partition in subject.accounts.items()]
    if not roots:
        return ()
    return (
        Edit(EditKind.SET, (*allowing.path, "Principal"), {"AWS": roots[0] if len(roots) == 1 else roots}),
        *(Edit(EditKind.DELETE, path) for path in conditions),
        *(Edit(EditKind.ADD, target, caller.role_arn_pattern) for caller in subject.callers),
    )
