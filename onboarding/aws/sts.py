"""The probes: who we are, and AssumeRole with the right external ID, without one, with wrong ones, as a stranger."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from time import monotonic, perf_counter
from typing import Any
from urllib.parse import unquote

from botocore.credentials import Credentials, ReadOnlyCredentials

from onboarding.aws import clients, signed
from onboarding.aws.clients import OUR_ROLE, VALIDATOR_SESSION_NAME, Identity
from onboarding.aws.errors import (
    DENIALS,
    REFUSALS,
    STALE_KEYS,
    AwsUnavailable,
    our_policy,
    part_of,
)
from onboarding.core.arns import Partition, RoleArn
from onboarding.core.probes import Outcome, Probe, ProbeKind, wrong_external_ids

Answer = Mapping[str, Any]

# AWS's minimum: a probe's session is dropped at once.
_SHORTEST_SESSION = "900"
_DENY_ALL = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]})
# With every answer slow, a role is let go of before its lease ends.
_PATIENCE_SECONDS = 40.0
_TOLD_LATELY_SECONDS = 10
# IAM is one endpoint for a partition, signed for the region where it lives (AWS General Reference, IAM endpoints).
_IAM_REGION = {
    Partition.AWS: "us-east-1",
    Partition.CHINA: "cn-north-1",
    Partition.EUROPE: "eusc-de-east-1",
    Partition.ISO: "us-iso-east-1",
    Partition.ISO_B: "us-isob-east-1",
    Partition.ISO_E: "eu-isoe-west-1",
    Partition.ISO_F: "us-isof-south-1",
    Partition.GOVCLOUD: "us-gov-west-1",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeOrder:
    """What to try, and as whom.

    `stranger` is a role of ours that no trust policy names. `reads_policy` also asks IAM for the saved trust policy,
    which only some roles may read of themselves. `is_retiring` also knocks without the external ID at a door that is
    shut with it.
    """

    identity: Identity
    role_arn: RoleArn
    external_id: str
    stranger: Identity | None = None
    reads_policy: bool = False
    is_retiring: bool = False


@dataclass(frozen=True, slots=True)
class Tried:
    """What the probes found, and the saved trust policy where it could be read."""

    probes: list[Probe]
    trust_policy: str = ""


def who_we_are(identity: Identity) -> list[Probe]:
    """The worker's own identity, and that it is let into the validator role; as AWS has told it in the last seconds.

    Asked once for many roles. Raises `AwsUnavailable`: all the trouble found here is our own.
    """
    try:
        return _told_lately(clients.sts(identity), identity, int(monotonic() / _TOLD_LATELY_SECONDS))
    except AwsUnavailable as trouble:
        if trouble.code in STALE_KEYS:
            clients.forget()
        raise


@lru_cache(maxsize=4)
def _told_lately(_client: object, identity: Identity, _moment: int) -> list[Probe]:
    """A client that is made anew, since its keys were stale, is asked anew as well."""
    own = _caller(identity.worker, ProbeKind.OWN_IDENTITY)
    return [own, _caller(identity, ProbeKind.VALIDATOR_ROLE) if identity.role_arn else _as_validator(own)]


def probe_role(order: ProbeOrder) -> Tried:
    """Try the door in order; the negative probes only where the positive one entered, for they mean nothing else.

    Raises `AwsUnavailable` where nothing was learnt.
    """
    return _Trial(order).run()


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlOrder:
    """Our own control roles: `opens` asks for no external ID, `asks` for this one."""

    identity: Identity
    opens: RoleArn
    asks: RoleArn
    external_id: str
    stranger: Identity | None = None


def try_controls(order: ControlOrder) -> list[Probe]:
    """Raises `AwsUnavailable`."""
    us, asks = order.identity, order.asks
    probes = [
        opens_for_us(us, order.opens),
        _assume(us, ProbeKind.CONTROL_OPENS_WITH, asks, Policy=_DENY_ALL, ExternalId=order.external_id)[0],
        _assume(us, ProbeKind.CONTROL_SHUT_WITHOUT, asks, Policy=_DENY_ALL)[0],
    ]
    if order.stranger:
        # A stranger that is let in nowhere would be denied by partners for the wrong reason.
        probes.append(_as_stranger(order.stranger, ProbeKind.CONTROL_OPENS_TO_STRANGER, order.opens))
    return probes


def opens_for_us(identity: Identity, control: RoleArn) -> Probe:
    """Whether the control role that asks for no external ID lets us in. Raises `AwsUnavailable`."""
    return _assume(identity, ProbeKind.CONTROL_OPENS, control, Policy=_DENY_ALL)[0]


@dataclass(slots=True)
class _Trial:
    """The tries of one role; the keys of its session live in `run` only."""

    order: ProbeOrder
    started: float = field(default_factory=monotonic)

    def run(self) -> Tried:
        entered, answer = self._try(
            ProbeKind.WITH_EXTERNAL_ID, ExternalId=self.order.external_id, Policy=_only_get_role(self.order.role_arn)
        )
        if answer is None:
            return Tried([entered, *self._still_shut()])
        keys = part_of(answer, "Credentials", where=entered.kind)
        parts = [part_of(keys, name, where=entered.kind) for name in ("AccessKeyId", "SecretAccessKey", "SessionToken")]
        credentials = Credentials(*parts)
        shut = list(self._negative())
        who = self._who_answers(credentials)
        return Tried([entered, *shut, who], self._saved_policy(credentials) if self.order.reads_policy else "")

    def _still_shut(self) -> Iterator[Probe]:
        if self.order.is_retiring:
            yield self._knock(ProbeKind.WITHOUT_EXTERNAL_ID)

    def _negative(self) -> Iterator[Probe]:
        yield self._knock(ProbeKind.WITHOUT_EXTERNAL_ID)
        for kind, external_id in wrong_external_ids(self.order.external_id).items():
            yield self._knock(kind, ExternalId=external_id)
        if self.order.stranger:
            self._check_patience(ProbeKind.AS_STRANGER)
            right = {"ExternalId": self.order.external_id}
            yield _as_stranger(self.order.stranger, ProbeKind.AS_STRANGER, self.order.role_arn, **right)

    def _knock(self, kind: ProbeKind, **external_id: str) -> Probe:
        """A probe that must not enter; should it, its session may do nothing."""
        return self._try(kind, Policy=_DENY_ALL, **external_id)[0]

    def _try(self, kind: ProbeKind, **request: str) -> tuple[Probe, Answer | None]:
        self._check_patience(kind)
        return _assume(self.order.identity, kind, self.order.role_arn, **request)

    def _check_patience(self, kind: ProbeKind) -> None:
        if monotonic() - self.started > _PATIENCE_SECONDS:
            raise AwsUnavailable("TooSlow", where=kind)

    def _who_answers(self, credentials: Credentials) -> Probe:
        kind, started = ProbeKind.ANSWERING_ACCOUNT, perf_counter()
        self._check_patience(kind)
        answer = _identity_of(credentials, self.order.identity, kind)
        code = _error_code(answer)
        if code and code not in DENIALS:
            raise AwsUnavailable(code, where=kind)
        if code:
            return _probe(kind, Outcome.DENIED, started, answer, error_code=code)
        return _probe(kind, Outcome.ENTERED, started, answer, answered_arn=part_of(answer, "Arn", where=kind))

    def _saved_policy(self, credentials: Credentials) -> str:
        """The trust policy as the partner saved it, where the role may read its own definition; else nothing."""
        iam, role_arn = clients.iam(self.order.identity), self.order.role_arn
        region = _IAM_REGION[role_arn.partition]
        try:
            answer = signed.ask(
                iam, credentials, "GetRole", region=region, where="saved_policy", RoleName=role_arn.name
            )
        except AwsUnavailable:
            # IAM is another endpoint than STS; without it the probes still count.
            return ""
        # IAM answers the document URL-encoded (RFC 3986), as its API reference says.
        return unquote(str(answer.get("Role", {}).get("AssumeRolePolicyDocument", "")))


def _assume(identity: Identity, kind: ProbeKind, role_arn: RoleArn, **request: str) -> tuple[Probe, Answer | None]:
    """One try, and AWS's answer where it entered. Raises `AwsUnavailable`."""
    started = perf_counter()
    answer = signed.ask(
        clients.sts(identity),
        clients.keys_of(identity),
        "AssumeRole",
        region=identity.region,
        where=kind,
        RoleArn=str(role_arn),
        RoleSessionName=VALIDATOR_SESSION_NAME,
        DurationSeconds=_SHORTEST_SESSION,
        **request,
    )
    if code := _error_code(answer):
        return _refusal(kind, code, answer, started), None
    arn = part_of(part_of(answer, "AssumedRoleUser", where=kind), "Arn", where=kind)
    return _probe(kind, Outcome.ENTERED, started, answer, answered_arn=arn), answer


def _refusal(kind: ProbeKind, code: str, answer: Answer, started: float) -> Probe:
    if code not in DENIALS | REFUSALS:
        raise AwsUnavailable(code, where=kind)
    outcome = Outcome.DENIED if code in DENIALS else Outcome.REFUSED_OTHERWISE
    message = str(answer["Error"].get("Message", ""))
    return _probe(kind, outcome, started, answer, error_code=code, our_policy=our_policy(message))


def _as_stranger(stranger: Identity, kind: ProbeKind, role_arn: RoleArn, **external_id: str) -> Probe:
    """A stranger that is not let into its own role has tried nothing, and says so."""
    started = perf_counter()
    try:
        return _assume(stranger, kind, role_arn, Policy=_DENY_ALL, **external_id)[0]
    except AwsUnavailable as trouble:
        if trouble.where != OUR_ROLE or trouble.code not in DENIALS:
            raise
        return _probe(kind, Outcome.REFUSED_OTHERWISE, started, error_code="StrangerRoleDenied")


def _error_code(answer: Answer) -> str:
    return str(answer.get("Error", {}).get("Code", ""))


def _caller(identity: Identity, kind: ProbeKind) -> Probe:
    started = perf_counter()
    answer = _identity_of(clients.keys_of(identity), identity, kind)
    if code := _error_code(answer):
        raise AwsUnavailable(code, where=kind)
    return _probe(kind, Outcome.ENTERED, started, answer, answered_arn=part_of(answer, "Arn", where=kind))


def _identity_of(keys: Credentials | ReadOnlyCredentials, identity: Identity, kind: ProbeKind) -> Answer:
    return signed.ask(clients.sts(identity), keys, "GetCallerIdentity", region=identity.region, where=kind)


def _as_validator(own: Probe) -> Probe:
    """The worker runs as the validator role already, so one answer says both."""
    return replace(own, kind=ProbeKind.VALIDATOR_ROLE)


def _probe(kind: ProbeKind, outcome: Outcome, started: float, answer: Answer | None = None, **told: str) -> Probe:
    metadata = (answer or {}).get("ResponseMetadata", {})
    return Probe(
        kind=kind,
        outcome=outcome,
        duration_ms=round((perf_counter() - started) * 1000),
        at=datetime.now(UTC).isoformat(timespec="milliseconds"),
        request_id=str(metadata.get("RequestId", "")),
        **told,
    )


def _only_get_role(role_arn: RoleArn) -> str:
    """A session policy that leaves reading this role's own definition, and nothing else."""
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Action": "iam:GetRole", "Resource": str(role_arn)},
                {"Effect": "Deny", "NotAction": "iam:GetRole", "Resource": "*"},
            ],
        }
    )
