"""What one AssumeRole try showed, and what the tries of a validation mean together."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Self

from onboarding.core.arns import AccountId, RoleArn


class ProbeKind(StrEnum):
    """In the order in which they are tried."""

    OWN_IDENTITY = "own_identity"
    WITH_EXTERNAL_ID = "with_external_id"
    ANSWERING_ACCOUNT = "answering_account"
    WITHOUT_EXTERNAL_ID = "without_external_id"
    WITH_WRONG_EXTERNAL_ID = "with_wrong_external_id"


class Outcome(StrEnum):
    ENTERED = "entered"
    DENIED = "denied"
    # An answer that is neither: AWS refused the request for another reason, which `error_code` names.
    REFUSED_OTHERWISE = "refused_otherwise"


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    kind: ProbeKind
    outcome: Outcome
    duration_ms: int
    request_id: str = ""
    error_code: str = ""
    # The ARN that answered, where one did: the validator's own, or that of the session in the partner's account.
    answered_arn: str = ""

    @classmethod
    def from_json(cls, stored: dict[str, object]) -> Self:
        fields = dict(stored)
        kind, outcome = ProbeKind(str(fields.pop("kind"))), Outcome(str(fields.pop("outcome")))
        return cls(kind=kind, outcome=outcome, **fields)  # type: ignore[arg-type]

    @property
    def answering_account(self) -> str:
        """The account number in the ARN that answered; empty where none did."""
        parts = self.answered_arn.split(":")
        return parts[4] if len(parts) > 4 else ""

    def to_json(self) -> dict[str, object]:
        return asdict(self)


NEGATIVE = frozenset({ProbeKind.WITHOUT_EXTERNAL_ID, ProbeKind.WITH_WRONG_EXTERNAL_ID})


class VerdictCode(StrEnum):
    PROVEN = "proven"
    # Denied with the right external ID: a missing role, a wrong principal and a wrong external ID look alike.
    DENIED = "denied"
    OPENS_WITHOUT_EXTERNAL_ID = "opens_without_external_id"
    OPENS_WITH_WRONG_EXTERNAL_ID = "opens_with_wrong_external_id"
    WRONG_ACCOUNT = "wrong_account"
    # A negative probe was answered by something else than AccessDenied, so nothing is known about it.
    INCONCLUSIVE = "inconclusive"
    # The partner's account answered that it cannot be used from this region or for this length of session.
    REFUSED_OTHERWISE = "refused_otherwise"
    OUR_TROUBLE = "our_trouble"
    # While it ran, another ARN was returned or the role left the states that are checked.
    SUPERSEDED = "superseded"


UNSAFE = frozenset({VerdictCode.OPENS_WITHOUT_EXTERNAL_ID, VerdictCode.OPENS_WITH_WRONG_EXTERNAL_ID})


@dataclass(frozen=True, slots=True)
class Verdict:
    code: VerdictCode
    # What AWS answered where it was no plain denial, or the account that answered.
    detail: str = ""

    @property
    def is_unsafe(self) -> bool:
        return self.code in UNSAFE


def judge(probes: Iterable[Probe], *, validator_role: RoleArn, expected_account: AccountId) -> Verdict:
    """What the probes mean together. A negative probe counts only beside a positive one that entered.

    Probes made as anybody else than the validator role say nothing about the partner.
    """
    by_kind = {probe.kind: probe for probe in probes}
    ourselves = by_kind[ProbeKind.OWN_IDENTITY].answered_arn
    if not is_session_of(ourselves, validator_role):
        return Verdict(VerdictCode.OUR_TROUBLE, ourselves)
    positive = by_kind[ProbeKind.WITH_EXTERNAL_ID]
    if positive.outcome is Outcome.DENIED:
        return Verdict(VerdictCode.DENIED)
    if positive.outcome is Outcome.REFUSED_OTHERWISE:
        return Verdict(VerdictCode.REFUSED_OTHERWISE, positive.error_code)
    return _account(by_kind.get(ProbeKind.ANSWERING_ACCOUNT), expected_account) or _negative(by_kind)


def judge_shut(probes: Iterable[Probe], *, validator_role: RoleArn, expected_account: AccountId) -> Verdict:
    """The same for a role that is being retired: DENIED only where it is denied with and without the external ID."""
    tried = list(probes)
    verdict = judge(tried, validator_role=validator_role, expected_account=expected_account)
    without = next((probe for probe in tried if probe.kind is ProbeKind.WITHOUT_EXTERNAL_ID), None)
    if verdict.code is not VerdictCode.DENIED:
        return verdict
    if without and without.outcome is Outcome.ENTERED:
        return Verdict(VerdictCode.OPENS_WITHOUT_EXTERNAL_ID)
    return verdict if without and without.outcome is Outcome.DENIED else Verdict(VerdictCode.INCONCLUSIVE)


def is_session_of(session_arn: str, role: RoleArn) -> bool:
    """Whether STS's answer names a session of this role; a session's ARN leaves out the role's path."""
    prefix = f"arn:{role.partition}:sts::{role.account_id}:assumed-role/{role.name}/"
    return session_arn.startswith(prefix)


def _account(probe: Probe | None, expected: AccountId) -> Verdict | None:
    if probe is None or probe.outcome is not Outcome.ENTERED:
        return Verdict(VerdictCode.INCONCLUSIVE, probe.error_code if probe else "")
    found = probe.answering_account
    return None if found == expected else Verdict(VerdictCode.WRONG_ACCOUNT, found)


def _negative(by_kind: dict[ProbeKind, Probe]) -> Verdict:
    opened = {
        ProbeKind.WITHOUT_EXTERNAL_ID: VerdictCode.OPENS_WITHOUT_EXTERNAL_ID,
        ProbeKind.WITH_WRONG_EXTERNAL_ID: VerdictCode.OPENS_WITH_WRONG_EXTERNAL_ID,
    }
    # An empty set of negative probes proves nothing: each one has to be there.
    for kind, code in opened.items():
        probe = by_kind.get(kind)
        if probe and probe.outcome is Outcome.ENTERED:
            return Verdict(code)
    for kind in opened:
        probe = by_kind.get(kind)
        if probe is None or probe.outcome is not Outcome.DENIED:
            return Verdict(VerdictCode.INCONCLUSIVE, probe.error_code if probe else "")
    return Verdict(VerdictCode.PROVEN)
