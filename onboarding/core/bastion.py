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


def validator_policy(
    *, partition: Partition, bastion_account_id: AccountId, organization_id: str | None = None
) -> SizedPolicy:
    """What the validator role may do.

    Any role of other accounts, because an ARN is returned before any list could name it. No condition on
    `sts:ExternalId`: it would refuse the probe without one on our side and so fake its result.
    """
    statements = [
        _allow("ProbePartnerRoles", "sts:AssumeRole", f"arn:{partition}:iam::*:role/*"),
        _deny("NeverOurOwnAccount", f"arn:{partition}:iam::{bastion_account_id}:role/*"),
        _allow("FindSsoRoles", "iam:ListRoles", "*"),
    ]
    if organization_id:
        condition = {"StringEquals": {"aws:ResourceOrgID": organization_id}}
        statements.insert(2, {**_deny("NeverOurOwnOrganization", "*"), "Condition": condition})
    return SizedPolicy(_policy(*statements))


def _policy(*statements: Document) -> Document:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _allow(sid: str, action: str | list[str], resource: str | list[str]) -> Document:
    return {"Sid": sid, "Effect": "Allow", "Action": action, "Resource": resource}


def _deny(sid: str, resource: str) -> Document:
    return {"Sid": sid, "Effect": "Deny", "Action": "sts:AssumeRole", "Resource": resource}
