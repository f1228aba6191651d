"""What one AssumeRole try showed, and what the tries of a validation mean together."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from onboarding.core.arns import AccountId, RoleArn
from onboarding.core.identifiers import new_external_id


class ProbeKind(StrEnum):
    """In the order in which they are tried."""

    # Who the worker is, and that it is let into the validator role.
    OWN_IDENTITY = "own_identity"
    VALIDATOR_ROLE = "validator_role"
    WITH_EXTERNAL_ID = "with_external_id"
    WITHOUT_EXTERNAL_ID = "without_external_id"
    # Another one of ours in everything but its random part.
    WITH_WRONG_EXTERNAL_ID = "with_wrong_external_id"
    # These three catch a condition that ignores case, or takes a pattern.
    IN_OTHER_CASE = "in_other_case"
    WITH_PREFIX = "with_prefix"
    WITH_SUFFIX = "with_suffix"
    # With the right external ID, as a role of ours that no trust policy names.
    AS_STRANGER = "as_stranger"
    # The account and the role that answer to the session.
    ANSWERING_ACCOUNT = "answering_account"

    # Tries of our own control roles, which show that an answer means what we take it for.
    CONTROL_OPENS = "control_opens"
    CONTROL_OPENS_WITH = "control_opens_with"
    CONTROL_SHUT_WITHOUT = "control_shut_without"
    CONTROL_OPENS_TO_STRANGER = "control_opens_to_stranger"


class Outcome(StrEnum):
    ENTERED = "entered"
    DENIED = "denied"
    # An answer that is neither: AWS refused the request for another reason, which `error_code` names.
    REFUSED_OTHERWISE = "refused_otherwise"


class OurPolicy(StrEnum):
    """A policy on our own side that AWS names as the reason of a denial."""

    SERVICE_CONTROL = "service_control_policy"
    PERMISSIONS_BOUNDARY = "permissions_boundary"
    SESSION = "session_policy"
    ENDPOINT = "vpc_endpoint_policy"
    IDENTITY = "identity_policy"
    # Field reports have seen this one also where the partner's trust policy was wrong: a hint and no proof.
    NO_IDENTITY = "no_identity_policy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    kind: ProbeKind
    outcome: Outcome
    duration_ms: int
    # When the answer came, in ISO format; empty in rows of older releases.
    at: str = ""
    request_id: str = ""
    error_code: str = ""
    # The ARN that answered, where one did: our own, or that of the session in the partner's account.
    answered_arn: str = ""
    # An `OurPolicy` where AWS says that the denial comes from our own side.
    our_policy: str = ""

    @classmethod
    def from_json(cls, stored: dict[str, object]) -> Self:
        fields = dict(stored)
        kind, outcome = ProbeKind(str(fields.pop("kind"))), Outcome(str(fields.pop("outcome")))
        return cls(kind=kind, outcome=outcome, **fields)  # type: ignore[arg-type]

    @property
    def is_surely_ours(self) -> bool:
        return self.our_policy not in {"", OurPolicy.NO_IDENTITY}

    @property
    def answering_account(self) -> str:
        """The account number in the ARN that answered; empty where none did."""
        parts = self.answered_arn.split(":")
        return parts[4] if len(parts) > 4 else ""

    @property
    def answering_role(self) -> str:
        """The name of the role in the ARN that answered; empty where it is no role's session."""
        parts = self.answered_arn.split("/")
        return parts[1] if len(parts) == 3 and parts[0].endswith(":assumed-role") else ""

    def to_json(self) -> dict[str, object]:
        """Without what is empty: millions of these are kept."""
        return {name: value for name in self.__slots__ if (value := getattr(self, name)) != ""}


# An external ID of the same kind as ours, but none of ours: what opens to it takes more than the one we use.
WRONG = (
    ProbeKind.WITH_WRONG_EXTERNAL_ID,
    ProbeKind.IN_OTHER_CASE,
    ProbeKind.WITH_PREFIX,
    ProbeKind.WITH_SUFFIX,
)
NEGATIVE = frozenset({ProbeKind.WITHOUT_EXTERNAL_ID, ProbeKind.AS_STRANGER, *WRONG})


def wrong_external_ids(external_id: str) -> dict[ProbeKind, str]:
    """What must not open, in the order in which it is tried."""
    return {
        ProbeKind.WITH_WRONG_EXTERNAL_ID: new_external_id(),
        ProbeKind.IN_OTHER_CASE: external_id.swapcase(),
        ProbeKind.WITH_PREFIX: f"x{external_id}",
        ProbeKind.WITH_SUFFIX: f"{external_id}x",
    }


class VerdictCode(StrEnum):
    # No probe entered that had to stay out. That is not to say that the policy is exact; the doctor says the rest.
    PROVEN = "proven"
    # Denied with the right external ID: a missing role, a wrong principal and a wrong external ID look alike.
    DENIED = "denied"
    OPENS_WITHOUT_EXTERNAL_ID = "opens_without_external_id"
    OPENS_WITH_WRONG_EXTERNAL_ID = "opens_with_wrong_external_id"
    # In other case, or with something before or behind it.
    OPENS_WITH_SIMILAR_EXTERNAL_ID = "opens_with_similar_external_id"
    OPENS_TO_STRANGER = "opens_to_stranger"
    WRONG_ACCOUNT = "wrong_account"
    WRONG_ROLE = "wrong_role"
    # A negative probe was answered by something else than AccessDenied, so nothing is known about it.
    INCONCLUSIVE = "inconclusive"
    # The partner's account answered that it cannot be used from this region or for this length of session.
    REFUSED_OTHERWISE = "refused_otherwise"
    OUR_TROUBLE = "our_trouble"
    # While it ran, another ARN was returned or the role left the states that are checked.
    SUPERSEDED = "superseded"


# What a negative probe that entered is told as, the widest opening first.
_OPENINGS = {
    ProbeKind.WITHOUT_EXTERNAL_ID: VerdictCode.OPENS_WITHOUT_EXTERNAL_ID,
    ProbeKind.WITH_WRONG_EXTERNAL_ID: VerdictCode.OPENS_WITH_WRONG_EXTERNAL_ID,
    ProbeKind.IN_OTHER_CASE: VerdictCode.OPENS_WITH_SIMILAR_EXTERNAL_ID,
    ProbeKind.WITH_PREFIX: VerdictCode.OPENS_WITH_SIMILAR_EXTERNAL_ID,
    ProbeKind.WITH_SUFFIX: VerdictCode.OPENS_WITH_SIMILAR_EXTERNAL_ID,
    ProbeKind.AS_STRANGER: VerdictCode.OPENS_TO_STRANGER,
}
UNSAFE = frozenset(_OPENINGS.values())
# That AWS refuses the request itself is no answer of the partner's: a region or a session time that we chose.
NOTHING_LEARNT = frozenset(
    {VerdictCode.OUR_TROUBLE, VerdictCode.INCONCLUSIVE, VerdictCode.REFUSED_OTHERWISE, VerdictCode.SUPERSEDED}
)
# The detail of a verdict that our control roles have decided.
CONTROLS = "controls"


@dataclass(frozen=True, slots=True)
class Verdict:
    code: VerdictCode
    # What AWS answered where it was no plain denial, or who answered.
    detail: str = ""

    @property
    def is_unsafe(self) -> bool:
        return self.code in UNSAFE


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What the probes of one role are held against."""

    validator_role: RoleArn
    role: RoleArn
    account_id: AccountId
    has_stranger: bool = False
    # Whether our own control role lets us in; None where there is none to ask.
    we_can_enter: bool | None = None
    # Our control roles answer as they must; where they do not, a denial shows nothing.
    denials_count: bool = True


def judge(probes: Iterable[Probe], expected: Expected) -> Verdict:
    """What the probes mean together. A negative probe counts only beside a positive one that entered.

    Probes made as anybody else than the validator role say nothing about the partner.
    """
    by_kind = {probe.kind: probe for probe in probes}
    ourselves = by_kind[ProbeKind.VALIDATOR_ROLE].answered_arn
    if not is_session_of(ourselves, expected.validator_role):
        return Verdict(VerdictCode.OUR_TROUBLE, ourselves)
    positive = by_kind[ProbeKind.WITH_EXTERNAL_ID]
    if positive.outcome is Outcome.DENIED:
        return _denied(positive, expected)
    if positive.outcome is Outcome.REFUSED_OTHERWISE:
        return Verdict(VerdictCode.REFUSED_OTHERWISE, positive.error_code)
    return _opening(by_kind) or _elsewhere(by_kind, expected) or _shut(by_kind, expected)


def judge_shut(probes: Iterable[Probe], expected: Expected) -> Verdict:
    """The same for a role that is being retired: DENIED only where it is denied with and without the external ID."""
    tried = list(probes)
    verdict = judge(tried, expected)
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


Probes = Mapping[ProbeKind, Probe]


def _denied(positive: Probe, expected: Expected) -> Verdict:
    if expected.we_can_enter is False:
        return Verdict(VerdictCode.OUR_TROUBLE, CONTROLS)
    if positive.is_surely_ours or (positive.our_policy and expected.we_can_enter is None):
        return Verdict(VerdictCode.OUR_TROUBLE, positive.our_policy)
    return Verdict(VerdictCode.DENIED)


def _opening(probes: Probes) -> Verdict | None:
    for kind, code in _OPENINGS.items():
        probe = probes.get(kind)
        if probe and probe.outcome is Outcome.ENTERED:
            return Verdict(code, kind if code is VerdictCode.OPENS_WITH_SIMILAR_EXTERNAL_ID else "")
    return None


def _elsewhere(probes: Probes, expected: Expected) -> Verdict | None:
    probe = probes.get(ProbeKind.ANSWERING_ACCOUNT)
    if probe is None or probe.outcome is not Outcome.ENTERED:
        return Verdict(VerdictCode.INCONCLUSIVE, probe.error_code if probe else "")
    if probe.answering_account != expected.account_id:
        return Verdict(VerdictCode.WRONG_ACCOUNT, probe.answering_account)
    if probe.answering_role != expected.role.name:
        return Verdict(VerdictCode.WRONG_ROLE, probe.answering_role)
    return None


def _shut(probes: Probes, expected: Expected) -> Verdict:
    # An empty set of negative probes proves nothing: each one has to be there, denied, and denied by the partner.
    for kind in _OPENINGS:
        if kind is ProbeKind.AS_STRANGER and not expected.has_stranger:
            continue
        probe = probes.get(kind)
        if probe is None or probe.outcome is not Outcome.DENIED or probe.is_surely_ours:
            return Verdict(VerdictCode.INCONCLUSIVE, (probe.our_policy or probe.error_code) if probe else kind)
    return Verdict(VerdictCode.PROVEN) if expected.denials_count else Verdict(VerdictCode.INCONCLUSIVE, CONTROLS)


# What each try of a control role must come to.
CONTROLS_MUST = {
    ProbeKind.CONTROL_OPENS: Outcome.ENTERED,
    ProbeKind.CONTROL_OPENS_WITH: Outcome.ENTERED,
    ProbeKind.CONTROL_SHUT_WITHOUT: Outcome.DENIED,
    ProbeKind.CONTROL_OPENS_TO_STRANGER: Outcome.ENTERED,
}


def failing_controls(probes: Iterable[Probe]) -> list[Probe]:
    """The tries of our control roles that came to something else than they must; with any, no denial counts."""
    return [probe for probe in probes if probe.outcome is not CONTROLS_MUST[probe.kind]]
