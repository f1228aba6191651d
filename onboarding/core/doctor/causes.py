"""Why a caller is not let in: the statement that came nearest, and what in it does not fit."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from onboarding.core.doctor.edits import Edit, EditKind
from onboarding.core.doctor.findings import Caller, Code, Finding, Severity, Turn, shown
from onboarding.core.doctor.principal_arns import difference
from onboarding.core.iam import Check, Decision, Element, Outcome, Request, StatementResult
from onboarding.core.iam.conditions import parse_operator
from onboarding.core.iam.evaluation import ACTION
from onboarding.core.iam.principals import Principal, principals
from onboarding.core.iam.requests import nearest_known_key

_CODES_BY_KEY = {
    "sts:externalid": Code.EXTERNAL_ID_DIFFERS,
    "aws:principalarn": Code.PRINCIPAL_ARN_CONDITION_DIFFERS,
    "aws:principalaccount": Code.WRONG_BASTION_ACCOUNT,
    "aws:multifactorauthpresent": Code.MFA_REQUIRED,
    "aws:multifactorauthage": Code.MFA_REQUIRED,
    "sts:rolesessionname": Code.SESSION_NAME_CONDITION,
    "sts:sourceidentity": Code.SOURCE_IDENTITY_REQUIRED,
    "aws:sourceidentity": Code.SOURCE_IDENTITY_REQUIRED,
    "sts:transitivetagkeys": Code.TAG_CONDITION,
    "aws:tagkeys": Code.TAG_CONDITION,
    "aws:currenttime": Code.DATE_CONDITION,
    "aws:epochtime": Code.DATE_CONDITION,
    "aws:tokenissuetime": Code.DATE_CONDITION,
    **dict.fromkeys(
        ("aws:sourceip", "aws:vpcsourceip", "aws:sourcevpc", "aws:sourcevpce", "aws:sourcevpcarn", "aws:vpceaccount",
         "aws:vpceorgid", "aws:vpceorgpaths", "aws:ec2instancesourcevpc", "aws:ec2instancesourceprivateipv4"),
        Code.NETWORK_CONDITION,
    ),
    **dict.fromkeys(
        ("aws:principalorgid", "aws:principalorgpaths", "aws:resourceorgid", "aws:resourceorgpaths",
         "aws:sourceorgid", "aws:sourceorgpaths"),
        Code.ORG_CONDITION,
    ),
}  # fmt: skip
_TAG_PREFIXES = ("aws:principaltag/", "aws:requesttag/", "aws:resourcetag/", "iam:resourcetag/")
# Conditions that no caller of ours can ever meet: taking them out is the only cure.
_NEVER_MET = frozenset({Code.MFA_REQUIRED, Code.SOURCE_IDENTITY_REQUIRED})
# Nothing to put right at the partner's: we are asked to be somebody else, or to come from elsewhere.
_BOTH = frozenset({Code.NETWORK_CONDITION, Code.ORG_CONDITION, Code.TAG_CONDITION, Code.SESSION_NAME_CONDITION})
_ELEMENT_MISFIT = 1.0
_UNKNOWN_MISFIT = 0.1
_MEANT_FOR_ANOTHER = 2.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocked:
    """A caller who does not surely get in, with all that the causes depend on."""

    caller: Caller
    request: Request
    decision: Decision
    document: dict[str, object]
    external_id: str | None
    # What a policy says when it means the other callers.
    others: frozenset[str]

    def finding(self, code: Code, result: StatementResult | None, **facts: object) -> Finding:
        return Finding(
            code=code,
            severity=Severity.BLOCKS,
            caller=self.caller.name,
            statement=result.index if result else None,
            **{  # type: ignore[arg-type]
                "turn": Turn.BOTH if code in _BOTH else Turn.PARTNER,
                "path": result.path if result else (),
                **facts,
            },
        )

    def statement(self, result: StatementResult) -> dict[str, object]:
        entry: object = self.document
        for step in result.path:
            entry = entry[step]  # type: ignore[index]  # the path was made from this document
        return entry if isinstance(entry, dict) else {}

    def is_meant_for_another(self, text: str) -> bool:
        return text in self.others


def causes(blocked: Blocked) -> Iterator[Finding]:
    """The likeliest first. A statement that denies is told before one that merely does not allow."""
    denying = [result for result in blocked.decision.statements if result.effect == "Deny" and result.applies]
    for result in denying:
        yield _explicit_deny(blocked, result)
    if blocked.decision.outcome is Outcome.UNKNOWN:
        yield from _unknowns(blocked)
    else:
        yield from _nearest_causes(blocked)


def _explicit_deny(blocked: Blocked, result: StatementResult) -> Finding:
    keys = [check for check in result.checks if check.element is Element.CONDITION]
    decisive = keys[0] if keys else result.checks[0]
    return blocked.finding(
        Code.EXPLICIT_DENY,
        result,
        path=decisive.path,
        key=decisive.key,
        operator=decisive.operator,
        reason=code_of_key(decisive.key) if decisive.key else "",
        expected=shown(decisive.found),
        found=shown(decisive.wanted),
    )


def _unknowns(blocked: Blocked) -> Iterator[Finding]:
    undecided = [result for result in blocked.decision.statements if result.applies is None]
    allows = [result for result in undecided if result.effect == "Allow"]
    is_let_in = any(result.effect == "Allow" and result.applies for result in blocked.decision.statements)
    for result in [*([] if is_let_in else allows[:1]), *(result for result in undecided if result.effect == "Deny")]:
        for check in result.checks:
            if check.holds is None:
                yield from _check_causes(blocked, result, check)


def _nearest_causes(blocked: Blocked) -> Iterator[Finding]:
    allows = [result for result in blocked.decision.statements if result.effect == "Allow"]
    if any(result.applies for result in allows):
        return
    if not allows:
        yield blocked.finding(Code.ACTION_MISSING, None, path=("Statement",), expected=ACTION, reason="no_allow")
        return
    nearest = min(allows, key=lambda result: _misfit(blocked, result))
    for check in sorted(nearest.checks, key=lambda check: check.holds is None):
        if check.holds is not True:
            yield from _check_causes(blocked, nearest, check)


def _misfit(blocked: Blocked, result: StatementResult) -> float:
    total = 0.0
    for check in result.checks:
        if check.holds is None:
            total += _UNKNOWN_MISFIT
        elif check.holds is False and check.element is Element.PRINCIPAL:
            _, rank = _nearest_entry(blocked, result, check)
            total += rank
        elif check.holds is False:
            for_another = any(map(blocked.is_meant_for_another, check.wanted))
            total += _MEANT_FOR_ANOTHER if for_another else _ELEMENT_MISFIT
    return total


def _check_causes(blocked: Blocked, result: StatementResult, check: Check) -> Iterator[Finding]:
    if check.element is Element.PRINCIPAL:
        yield from _principal_cause(blocked, result, check)
    elif check.element is Element.ACTION:
        yield _action_cause(blocked, result, check)
    elif parse_operator(check.operator):
        yield _condition_cause(blocked, result, check)


def _action_cause(blocked: Blocked, result: StatementResult, check: Check) -> Finding:
    path = (*result.path, "Action")
    edits = [Edit(EditKind.SET, path, ACTION)]
    if check.path[-1] == "NotAction":
        edits.insert(0, Edit(EditKind.DELETE, check.path))
    return blocked.finding(
        Code.ACTION_MISSING,
        result,
        path=check.path,
        expected=ACTION,
        found=shown(check.wanted),
        edits=tuple(edits),
    )


# --- Principal ------------------------------------------------------------------------------------------------------


def _principal_cause(blocked: Blocked, result: StatementResult, check: Check) -> Iterator[Finding]:
    statement = blocked.statement(result)
    if check.path[-1] == "NotPrincipal":
        excluded = shown([entry.text for entry in principals(statement["NotPrincipal"], check.path)])
        code = Code.WRONG_ROLE if check.holds is False else Code.UNKNOWN_CONDITION
        yield blocked.finding(
            code, result, path=check.path, reason="not_principal", found=excluded,
            expected=blocked.caller.principal_arn,
        )  # fmt: skip
        return
    entry, _ = _nearest_entry(blocked, result, check)
    if entry:
        code, _, reason = _entry_misfit(blocked, entry)
        yield blocked.finding(
            code,
            result,
            path=entry.path,
            found=entry.text,
            reason=reason,
            expected=_wanted_principal(blocked, entry, code),
            edits=_principal_edits(blocked, entry, code, result.path),
        )


def _nearest_entry(blocked: Blocked, result: StatementResult, check: Check) -> tuple[Principal | None, float]:
    element = blocked.statement(result).get(str(check.path[-1]))
    ranked = [(_entry_misfit(blocked, entry)[1], entry) for entry in principals(element, check.path)]
    if not ranked:
        return None, _MEANT_FOR_ANOTHER
    rank, entry = min(ranked, key=lambda pair: pair[0])
    return entry, rank


def _entry_misfit(blocked: Blocked, entry: Principal) -> tuple[Code, float, str]:
    """Which mistake it is, how far it is from right (0 to 3), and its kind."""
    request = blocked.request
    if entry.type != "AWS":
        return Code.PRINCIPAL_WRONG_TYPE, 0.9 if request.account and request.account in entry.text else 3.0, entry.type
    if blocked.is_meant_for_another(entry.text):
        return Code.WRONG_ROLE, _MEANT_FOR_ANOTHER, "another_caller"
    if entry.kind == "unique_id":
        return Code.DELETED_PRINCIPAL, 0.8, ""
    if entry.account == request.account:
        return _own_account_misfit(entry, request)
    if entry.has_wildcard:
        return Code.WILDCARD_IN_PRINCIPAL, 1.4, ""
    same_name = bool(entry.name) and entry.name.rpartition("/")[2] == request.role_name
    return Code.WRONG_BASTION_ACCOUNT, 0.8 if same_name else 1.5, ""


def _own_account_misfit(entry: Principal, request: Request) -> tuple[Code, float, str]:
    if entry.has_wildcard:
        return Code.WILDCARD_IN_PRINCIPAL, 0.4, ""
    if entry.partition not in ("", request.partition):
        return Code.WRONG_PARTITION, 0.4, ""
    if entry.kind == "session":
        same = entry.name.partition("/")[0] == request.role_name
        return Code.SESSION_ARN_AS_PRINCIPAL, 0.4 if same else 1.1, ""
    if entry.kind != "role":
        return Code.PRINCIPAL_WRONG_TYPE, 1.2, entry.kind
    return _role_misfit(entry.name, request.role_name)


def _role_misfit(path_and_name: str, wanted: str) -> tuple[Code, float, str]:
    path, _, found = path_and_name.rpartition("/")
    if found == wanted:
        return Code.ROLE_PATH_MISSING, 0.4, "other_path" if path else ""
    if found.lower() == wanted.lower():
        return Code.WRONG_ROLE, 0.6, "case"
    is_recreated = "AWSReservedSSO_" in found and found.rpartition("_")[0] == wanted.rpartition("_")[0]
    return (Code.WRONG_ROLE, 0.7, "recreated") if is_recreated else (Code.WRONG_ROLE, 1.0, "")


def _wanted_principal(blocked: Blocked, entry: Principal, code: Code) -> str:
    request = blocked.request
    if entry.kind != "account" or code is Code.PRINCIPAL_WRONG_TYPE:
        return blocked.caller.principal_arn
    if entry.text.isdecimal():
        return request.account
    return f"arn:{request.partition}:iam::{request.account}:root"


def _principal_edits(blocked: Blocked, entry: Principal, code: Code, path: tuple[str | int, ...]) -> tuple[Edit, ...]:
    wanted = _wanted_principal(blocked, entry, code)
    if entry.type != "AWS":
        if blocked.request.account not in entry.text:
            return ()
        return (
            Edit(EditKind.DELETE, (*path, "Principal", entry.type)),
            Edit(EditKind.SET, (*path, "Principal", "AWS"), wanted),
        )
    if code is Code.WRONG_ROLE and blocked.is_meant_for_another(entry.text):
        return (Edit(EditKind.ADD, (*path, "Principal", "AWS"), wanted),)
    return (Edit(EditKind.SET, entry.path, wanted),)


# --- Condition ------------------------------------------------------------------------------------------------------


def code_of_key(key: str) -> Code:
    lower = key.lower()
    if lower.startswith(_TAG_PREFIXES):
        return Code.TAG_CONDITION
    return _CODES_BY_KEY.get(lower, Code.UNKNOWN_CONDITION)


def _condition_cause(blocked: Blocked, result: StatementResult, check: Check) -> Finding:
    code = code_of_key(check.key)
    facts: dict[str, object] = {
        "path": check.path,
        "key": check.key,
        "operator": check.operator,
        "expected": shown(check.found),
        "found": shown(check.wanted),
        "reason": "unknown" if check.holds is None else "",
    }
    if code is Code.EXTERNAL_ID_DIFFERS:
        facts.update(_external_id_facts(blocked, result, check))
    elif code is Code.PRINCIPAL_ARN_CONDITION_DIFFERS and check.holds is False:
        facts.update(_principal_arn_facts(blocked, check))
    elif code in _NEVER_MET and check.holds is False:
        facts["edits"] = (Edit(EditKind.DELETE, check.path),)
    elif meant := nearest_known_key(check.key.lower()):
        # IAM saves any key, and never sends one that it does not know.
        facts |= {"reason": "misspelt", "expected": meant, "edits": (Edit(EditKind.RENAME, check.path, meant),)}
    return blocked.finding(code, result, **facts)


def _external_id_facts(blocked: Blocked, result: StatementResult, check: Check) -> dict[str, object]:
    expected = blocked.external_id
    if expected is None:
        return {"reason": "none_sent", "turn": Turn.US}
    operator = parse_operator(check.operator)
    fits = operator and not operator.negates and not operator.over_set and operator.base.startswith("string")
    if fits and not isinstance(check.wanted, str) and len(check.wanted) == 1:
        edits = [Edit(EditKind.SET, check.path, expected)]
    else:
        edits = [
            Edit(EditKind.DELETE, check.path),
            Edit(EditKind.SET, (*result.path, "Condition", "StringEquals", "sts:ExternalId"), expected),
        ]
    reason = external_id_difference(expected, check.wanted) if fits else "operator"
    return {"expected": expected, "edits": tuple(edits), "reason": reason}


def external_id_difference(expected: str, found: Sequence[str]) -> str:
    """`blanks`, `quotes`, `case`, `placeholder`, `part` or `other`: how the likeliest value in the policy differs."""
    for value in found:
        if value.strip() == expected:
            return "blanks"
        if value.strip("\"'` \u201c\u201d\u2018\u2019") == expected:
            return "quotes"
        if value.lower() == expected.lower():
            return "case"
    if any(value.startswith(("<", "${", "{{", "$")) or not value.strip() for value in found):
        return "placeholder"
    return "part" if any(len(value) >= 4 and value in expected for value in found) else "other"


def _principal_arn_facts(blocked: Blocked, check: Check) -> dict[str, object]:
    caller = blocked.caller
    values = list(check.wanted)
    meant_for_others = [value for value in values if blocked.is_meant_for_another(value)]
    candidates = [value for value in values if value not in meant_for_others] or values
    operator = parse_operator(check.operator)
    by_string = bool(operator and operator.base in ("stringequals", "stringequalsignorecase"))
    reason, nearest = difference(caller.principal_arn, candidates, wildcards_are_text=by_string)
    *way, _, key = check.path
    place = check.path
    if reason == "wildcard_needs_like" or (operator and operator.negates):
        target = (*way, "ArnLike", key)
        edits = [Edit(EditKind.DELETE, check.path), Edit(EditKind.ADD, target, caller.role_arn_pattern)]
        edits += [Edit(EditKind.ADD, target, value) for value in meant_for_others]
    elif nearest in meant_for_others or not nearest:
        edits = [Edit(EditKind.ADD, check.path, caller.role_arn_pattern)]
    else:
        place = (*check.path, values.index(nearest)) if len(values) > 1 else check.path
        edits = [Edit(EditKind.SET, place, caller.role_arn_pattern)]
    return {
        "path": place,
        "expected": caller.role_arn_pattern,
        "found": nearest,
        "reason": reason,
        "edits": tuple(edits),
    }
