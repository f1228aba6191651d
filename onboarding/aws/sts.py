"""The probes: AssumeRole as the validator with the right external ID, without one and with a wrong one."""

import json
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError, ClientError

from onboarding.aws import clients, signed
from onboarding.aws.clients import VALIDATOR_SESSION_NAME, Identity
from onboarding.aws.errors import DENIALS, REFUSALS, AwsUnavailable, error_code, unavailable
from onboarding.core.arns import Partition, RoleArn
from onboarding.core.probes import Outcome, Probe, ProbeKind

if TYPE_CHECKING:
    from mypy_boto3_sts import STSClient
    from mypy_boto3_sts.type_defs import AssumeRoleResponseTypeDef

# AWS's minimum: a probe's session is dropped at once.
_SHORTEST_SESSION = 900
_DENY_ALL = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]})
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
    """What to try. `wrong_external_id` is well-formed and belongs to no role.

    `reads_policy` also asks IAM for the saved trust policy, which only some roles may read of themselves.
    `is_retiring` also knocks without the external ID at a door that is shut with it.
    """

    identity: Identity
    role_arn: RoleArn
    external_id: str
    wrong_external_id: str
    reads_policy: bool = False
    is_retiring: bool = False


@dataclass(frozen=True, slots=True)
class Tried:
    """What the probes found, and the saved trust policy where it could be read."""

    probes: list[Probe]
    trust_policy: str = ""


def probe_role(order: ProbeOrder) -> Tried:
    """Try the door in order; the negative probes only where the positive one entered, for they mean nothing else.

    Raises `AwsUnavailable` where nothing was learnt.
    """
    client = clients.sts(order.identity)
    ourselves = _own_identity(client)
    entered = _enter(client, order)
    if entered.probes[0].outcome is not Outcome.ENTERED:
        shut = [_knock(client, order, ProbeKind.WITHOUT_EXTERNAL_ID)] if order.is_retiring else []
        return Tried([ourselves, *entered.probes, *shut])
    shut = [
        _knock(client, order, ProbeKind.WITHOUT_EXTERNAL_ID),
        _knock(client, order, ProbeKind.WITH_WRONG_EXTERNAL_ID, ExternalId=order.wrong_external_id),
    ]
    return Tried([ourselves, *entered.probes, *shut], entered.trust_policy)


def _own_identity(client: "STSClient") -> Probe:
    started = perf_counter()
    try:
        answer = client.get_caller_identity()
    except (ClientError, BotoCoreError) as error:
        raise unavailable(error, where="own_identity") from error
    return Probe(
        kind=ProbeKind.OWN_IDENTITY,
        outcome=Outcome.ENTERED,
        duration_ms=_elapsed(started),
        request_id=_request_id(answer),
        answered_arn=answer["Arn"],
    )


def _enter(client: "STSClient", order: ProbeOrder) -> Tried:
    """The positive probe and, with its session, the account that answers. The keys live in this function only."""
    probe, answer = _assume(
        client,
        ProbeKind.WITH_EXTERNAL_ID,
        RoleArn=str(order.role_arn),
        ExternalId=order.external_id,
        Policy=_only_get_role(order.role_arn),
    )
    if answer is None:
        return Tried([probe])
    keys = answer["Credentials"]
    credentials = Credentials(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
    who = _who_answers(client, credentials, order.identity.region)
    return Tried([probe, who], _saved_policy(credentials, order) if order.reads_policy else "")


def _knock(client: "STSClient", order: ProbeOrder, kind: ProbeKind, **external_id: str) -> Probe:
    """A probe that must not enter; should it, its session may do nothing."""
    return _assume(client, kind, RoleArn=str(order.role_arn), Policy=_DENY_ALL, **external_id)[0]


def _assume(client: "STSClient", kind: ProbeKind, **request: Any) -> tuple[Probe, "AssumeRoleResponseTypeDef | None"]:
    started = perf_counter()
    try:
        answer = client.assume_role(
            RoleSessionName=VALIDATOR_SESSION_NAME, DurationSeconds=_SHORTEST_SESSION, **request
        )
    except ClientError as error:
        return _refusal(kind, error, started), None
    except BotoCoreError as error:
        raise unavailable(error, where=kind) from error
    probe = Probe(
        kind=kind,
        outcome=Outcome.ENTERED,
        duration_ms=_elapsed(started),
        request_id=_request_id(answer),
        answered_arn=answer["AssumedRoleUser"]["Arn"],
    )
    return probe, answer


def _refusal(kind: ProbeKind, error: ClientError, started: float) -> Probe:
    code = error_code(error)
    if code not in DENIALS | REFUSALS:
        raise unavailable(error, where=kind) from error
    return Probe(
        kind=kind,
        outcome=Outcome.DENIED if code in DENIALS else Outcome.REFUSED_OTHERWISE,
        duration_ms=_elapsed(started),
        request_id=_request_id(error.response),
        error_code=code,
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


def _who_answers(client: "STSClient", credentials: Credentials, region: str) -> Probe:
    started = perf_counter()
    answer = signed.ask(client, credentials, "GetCallerIdentity", region=region)
    code = str(answer.get("Error", {}).get("Code", ""))
    if code and code not in DENIALS:
        raise AwsUnavailable(code, where=ProbeKind.ANSWERING_ACCOUNT)
    return Probe(
        kind=ProbeKind.ANSWERING_ACCOUNT,
        outcome=Outcome.DENIED if code else Outcome.ENTERED,
        duration_ms=_elapsed(started),
        request_id=_request_id(answer),
        error_code=code,
        answered_arn=answer.get("Arn", ""),
    )


def _saved_policy(credentials: Credentials, order: ProbeOrder) -> str:
    """The trust policy as the partner saved it, where the role may read its own definition; else nothing."""
    client = clients.iam(order.identity)
    try:
        answer = signed.ask(
            client,
            credentials,
            "GetRole",
            region=_IAM_REGION[order.role_arn.partition],
            RoleName=order.role_arn.name,
        )
    except AwsUnavailable:
        # IAM is another endpoint than STS; without it the probes still count.
        return ""
    # IAM answers the document URL-encoded (RFC 3986), as its API reference says.
    return unquote(str(answer.get("Role", {}).get("AssumeRolePolicyDocument", "")))


def _request_id(answer: Any) -> str:
    return str(answer.get("ResponseMetadata", {}).get("RequestId", ""))


def _elapsed(started: float) -> int:
    return round((perf_counter() - started) * 1000)
