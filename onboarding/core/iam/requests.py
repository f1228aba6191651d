"""One AssumeRole call as a trust policy sees it: who calls, and the context keys that are known of the call."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple, Self

_CALLER = re.compile(r"arn:([^:]*):(iam|sts)::([0-9]{12}):([a-z-]+)/(.+)", re.DOTALL)
ABSENT: tuple[str, ...] = ()
# In bits; Python refuses to write out a far longer one.
_LONGEST_INTEGER = 1024

# Sent with no AssumeRole call that a role makes directly, as the pages on context keys say.
_NEVER_SENT = (
    "aws:username",
    "aws:calledvia",
    "aws:calledviafirst",
    "aws:calledvialast",
    "aws:principalservicename",
    "aws:principalservicenameslist",
    "aws:sourcearn",
    "aws:sourceaccount",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
    "aws:assumedroot",
    "sts:awsservicename",
    # Only where the caller signed in with MFA as an IAM user; the session of a role never carries its age.
    "aws:multifactorauthage",
    # Nothing in ~/.aws/config can set a source identity, and our probes set none.
    "sts:sourceidentity",
    "aws:sourceidentity",
)
# Keys of the namespaces whose lists are complete: a near miss of one of them is a slip, so it is never sent.
KNOWN_KEYS = (
    "aws:CalledVia", "aws:CurrentTime", "aws:EpochTime", "aws:FederatedProvider", "aws:MultiFactorAuthAge",
    "aws:MultiFactorAuthPresent", "aws:PrincipalAccount", "aws:PrincipalArn", "aws:PrincipalIsAWSService",
    "aws:PrincipalOrgID", "aws:PrincipalOrgPaths", "aws:PrincipalServiceName", "aws:PrincipalType", "aws:Referer",
    "aws:RequestedRegion", "aws:ResourceAccount", "aws:ResourceOrgID", "aws:ResourceOrgPaths", "aws:SecureTransport",
    "aws:SourceAccount", "aws:SourceArn", "aws:SourceIdentity", "aws:SourceIp", "aws:SourceOrgID",
    "aws:SourceOrgPaths", "aws:SourceVpc", "aws:SourceVpcArn", "aws:SourceVpce", "aws:TagKeys", "aws:TokenIssueTime",
    "aws:UserAgent", "aws:ViaAWSService", "aws:VpcSourceIp", "aws:VpceAccount", "aws:VpceOrgID", "aws:VpceOrgPaths",
    "aws:userid", "aws:username", "sts:AWSServiceName", "sts:DurationSeconds", "sts:ExternalId",
    "sts:RoleSessionName", "sts:SourceIdentity", "sts:TransitiveTagKeys",
)  # fmt: skip
_KNOWN_LOWER = {key.lower(): key for key in KNOWN_KEYS}


class Request(NamedTuple):
    """`facts` holds lower-case context keys; a key that is not in it cannot be known."""

    partition: str
    account: str
    # The role's ARN with its path; empty where only the ARN of an SSO role's session is known, which leaves it out.
    principal_arn: str
    role_name: str
    session_name: str
    facts: Mapping[str, Sequence[str]]

    @staticmethod
    def of_caller(
        principal_arn: str,
        *,
        session_name: str = "",
        external_id: str | None = None,
        role_arn: str = "",
        context: Mapping[str, object] | None = None,
    ) -> "Request":
        """What a role of ours sends when it assumes `role_arn`. Entries of `context` are taken before our own facts."""
        request = _usual_call(principal_arn, session_name, role_arn).with_external_id(external_id)
        if not context:
            return request
        given = {key.lower(): _values(value) for key, value in context.items()}
        return request._replace(facts={**request.facts, **given})

    @classmethod
    def of_stranger(cls, principal_arn: str, *, session_name: str = "") -> Self:
        """Anybody at all: only who they are is given, all else may be as the policy wants it."""
        request = cls.with_facts(principal_arn, session_name=session_name, facts={})
        return request._replace(facts=_identity(request))

    def with_external_id(self, external_id: str | None) -> Self:
        """The same call with another external ID, or with none."""
        facts = {**self.facts, "sts:externalid": ABSENT if external_id is None else (external_id,)}
        return self._replace(facts=facts)

    @classmethod
    def with_facts(cls, principal_arn: str, *, session_name: str, facts: Mapping[str, Sequence[str]]) -> Self:
        """A principal whose ARN cannot be read matches nothing but `*`."""
        parts = _CALLER.fullmatch(principal_arn)
        partition, service, account, kind, rest = parts.groups() if parts else ("", "", "", "", "")
        if kind == "assumed-role" and service == "sts":
            name, _, session = rest.partition("/")
            principal_arn = "" if name.startswith("AWSReservedSSO_") else f"arn:{partition}:iam::{account}:role/{name}"
            session_name = session_name or session
        else:
            name = rest.rpartition("/")[2]
        return cls(
            partition=partition,
            account=account,
            principal_arn=principal_arn,
            role_name=name,
            session_name=session_name,
            facts=facts,
        )

    def lookup(self, key: str) -> Sequence[str] | None:
        """The values of a context key: () when it is not sent, None when that cannot be known."""
        lower = key.lower()
        if lower in self.facts:
            return self.facts[lower]
        return ABSENT if nearest_known_key(lower) else None


@lru_cache(maxsize=256)
def _usual_call(principal_arn: str, session_name: str, role_arn: str) -> Request:
    """Without the external ID: all that is the same from policy to policy."""
    request = Request.with_facts(principal_arn, session_name=session_name, facts={})
    return request._replace(facts={**dict.fromkeys(_NEVER_SENT, ABSENT), **_own_facts(request, role_arn)})


def clock(at: datetime) -> dict[str, object]:
    """The context keys that tell the time."""
    return {
        "aws:CurrentTime": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "aws:EpochTime": int(at.timestamp()),
    }


def _identity(request: Request) -> dict[str, Sequence[str]]:
    facts: dict[str, Sequence[str]] = {"aws:principalaccount": (request.account,)}
    if request.principal_arn:
        facts["aws:principalarn"] = (request.principal_arn,)
    return facts


def _own_facts(request: Request, role_arn: str) -> dict[str, Sequence[str]]:
    facts: dict[str, Sequence[str]] = {
        **_identity(request),
        "aws:principaltype": ("AssumedRole",),
        "aws:principalisawsservice": ("false",),
        "aws:viaawsservice": ("false",),
        "aws:securetransport": ("true",),
        # Temporary credentials carry the key, and neither Identity Center nor a service signs in with AWS's own MFA.
        "aws:multifactorauthpresent": ("false",),
    }
    if request.session_name:
        facts["sts:rolesessionname"] = (request.session_name,)
    account = role_arn.split(":", 5)[4:5]
    if account:
        facts["aws:resourceaccount"] = tuple(account)
    return facts


def _values(value: object) -> Sequence[str]:
    if value is None:
        return ABSENT
    return tuple(map(text_of, value)) if isinstance(value, list | tuple) else (text_of(value),)


def text_of(value: object) -> str:
    """A value of a policy or of the context as IAM compares it: `true`, not `True`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and value.bit_length() > _LONGEST_INTEGER:
        return ""
    return str(value) if isinstance(value, str | int | float) else ""


@lru_cache(maxsize=1024)
def nearest_known_key(lower: str) -> str | None:
    """The key of `aws:` or `sts:` that was meant, where this one is none but nearly."""
    if lower in _KNOWN_LOWER or not lower.startswith(("aws:", "sts:")) or "/" in lower or len(lower) > 64:
        return None
    return next((key for known, key in _KNOWN_LOWER.items() if is_near(lower, known)), None)


def is_near(one: str, other: str) -> bool:
    """At most two letters inserted, left out or changed (or two neighbours swapped)."""
    # Each change concerns two letters at most, so most pairs need no table.
    if abs(len(one) - len(other)) > 2 or len(set(one) ^ set(other)) > 4:
        return False
    previous = list(range(len(other) + 1))
    for row, letter in enumerate(one, 1):
        current = [row]
        for column, wanted in enumerate(other, 1):
            change = previous[column - 1] + (letter != wanted)
            current.append(min(previous[column] + 1, current[-1] + 1, change))
        previous = current
    return previous[-1] <= 2
