"""The policies on our own side: the permission set's inline policy, the validator role's trust and permissions."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from onboarding.core.arns import AccountId, Partition, RoleArn
from onboarding.core.trust import Document, minified

# IAM's quota for all inline policies of a role together, white space not counted; Identity Center names 32,768 in its
# API and 10,240 in its quotas, so the smaller one is planned for.
MAX_INLINE_POLICY = 10_240
# What the control role asks for that asks at all. It is our own, and opens nothing, so every portal's may be the same.
CONTROL_EXTERNAL_ID = "tobiishi-control"


class PermissionSetPolicyStyle(StrEnum):
    EXACT = "exact"
    SIMPLE = "simple"


@dataclass(frozen=True, slots=True)
class SizedPolicy:
    """A policy and how much of its quota it takes; `document` is None where there is nothing to allow yet."""

    document: Document | None
    limit: int = MAX_INLINE_POLICY

    @property
    def length(self) -> int:
        return len(minified(self.document)) if self.document else 0

    @property
    def digest(self) -> str:
        """Tells one policy from another; empty where there is nothing to allow yet."""
        return hashlib.sha256(minified(self.document).encode()).hexdigest() if self.document else ""

    @property
    def fits(self) -> bool:
        return self.length <= self.limit


def exact_permission_set_policy(role_arns: Iterable[RoleArn]) -> SizedPolicy:
    """Allow entering exactly these roles; nothing else, so that a role that merely trusts us opens nothing."""
    resources = sorted({str(arn) for arn in role_arns})
    if not resources:
        return SizedPolicy(None)
    return SizedPolicy(_policy(_allow("EnterPartnerRoles", "sts:AssumeRole", resources)))


def simple_permission_set_policy() -> SizedPolicy:
    """Never has to be changed, and opens every role anywhere that trusts this account."""
    actions = ["sts:AssumeRole*", "sts:Get*", "iam:GetRole", "iam:ListRoles"]
    return SizedPolicy(_policy(_allow("EnterAnyRoleThatTrustsUs", actions, "*")))


def validator_trust_policy(worker_arn: str) -> Document:
    """The validator role admits exactly the worker's identity, never the whole bastion account."""
    return _policy(
        {
            "Sid": "AllowWorker",
            "Effect": "Allow",
            "Principal": {"AWS": worker_arn},
            "Action": "sts:AssumeRole",
        }
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnSide:
    """Which roles the portal's own roles may try. The control roles' accounts are ours, and tried nevertheless."""

    partition: Partition
    bastion_account_id: AccountId
    organization_id: str = ""
    control_account_ids: frozenset[AccountId] = frozenset()


def validator_policy(own: OwnSide) -> SizedPolicy:
    """What the validator role may do.

    Any role of other accounts, because an ARN is returned before any list could name it. No condition on
    `sts:ExternalId`: it would refuse the probe without one on our side and so fake its result.
    """
    return SizedPolicy(_policy(*_try_others(own), _allow("FindSsoRoles", "iam:ListRoles", "*")))


def stranger_policy(own: OwnSide) -> SizedPolicy:
    """As the validator role's: where the stranger is denied, it must be for the partner's trust policy alone."""
    return SizedPolicy(_policy(*_try_others(own)))


def _try_others(own: OwnSide) -> list[Document]:
    statements = [
        _allow("ProbePartnerRoles", "sts:AssumeRole", f"arn:{own.partition}:iam::*:role/*"),
        _deny("NeverOurOwnAccount", f"arn:{own.partition}:iam::{own.bastion_account_id}:role/*"),
    ]
    if own.organization_id:
        condition: Document = {"StringEquals": {"aws:ResourceOrgID": own.organization_id}}
        if own.control_account_ids:
            condition["StringNotEquals"] = {"aws:ResourceAccount": sorted(own.control_account_ids)}
        statements.append({**_deny("NeverOurOwnOrganization", "*"), "Condition": condition})
    return statements


def control_trust_policy(role_arns: Iterable[RoleArn], *, asks: bool) -> Document:
    """Of our own control roles: the one that asks for an external ID, and the one that does not."""
    statement: Document = {
        "Sid": "AllowPortal",
        "Effect": "Allow",
        "Principal": {"AWS": sorted(map(str, role_arns))},
        "Action": "sts:AssumeRole",
    }
    if asks:
        statement["Condition"] = {"StringEquals": {"sts:ExternalId": CONTROL_EXTERNAL_ID}}
    return _policy(statement)


def _policy(*statements: Document) -> Document:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _allow(sid: str, action: str | list[str], resource: str | list[str]) -> Document:
    return {"Sid": sid, "Effect": "Allow", "Action": action, "Resource": resource}


def _deny(sid: str, resource: str) -> Document:
    return {"Sid": sid, "Effect": "Deny", "Action": "sts:AssumeRole", "Resource": resource}
