"""The trust policy that we ask a partner for, in its styles, and its JSON text."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from onboarding.core.arns import AccountId, Partition, RoleArn, SsoRoleArn, sso_role_arn
from onboarding.core.errors import OnboardingError, PolicyTooLong

# Default quota "role trust policy length"; white space may count, so the shorter text is what is measured.
MAX_LENGTH = 2048
# The names of our statements, whichever style and console choice they were made with.
SIDS = ("AllowBastion", "AllowEmployees", "AllowValidator")
_BASTION, _EMPLOYEES, _VALIDATOR = SIDS
_SUFFIX = "?" * 16
_REGION_WITHOUT_SEGMENT = "us-east-1"

Document = dict[str, object]


class TrustStyle(StrEnum):
    """Whom `Principal` names. See docs/adr/0001."""

    ACCOUNT_AND_CONDITION = "account_and_condition"
    EXACT_ROLE = "exact_role"


class SsoRoleUnknown(OnboardingError):
    """The style `exact_role` names the SSO role itself, and its ARN was not found yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Callers:
    """The two roles of the bastion account that may enter: the employees' SSO role and the validator role."""

    partition: Partition
    bastion_account_id: AccountId
    permission_set: str
    identity_center_region: str
    validator_role: RoleArn
    sso_role: SsoRoleArn | None = None

    @property
    def sso_role_pattern(self) -> str:
        """Matches the SSO role also after it was re-created: its suffix is new then, its length is not.

        Sixteen `?` and not `*`: `AWSReservedSSO_Bastion_*` would admit the permission set `Bastion_Admin` as well.
        """
        return sso_role_arn(
            self.partition,
            self.bastion_account_id,
            self._region_segment,
            f"AWSReservedSSO_{self.permission_set}_{_SUFFIX}",
        )

    @property
    def sso_role_example(self) -> str:
        """The SSO role's ARN; where it is not known yet, one that it could have."""
        return str(self.sso_role) if self.sso_role else self.sso_role_pattern.replace(_SUFFIX, "0" * len(_SUFFIX))

    @property
    def _region_segment(self) -> str | None:
        if self.sso_role:
            return self.sso_role.region
        return None if self.identity_center_region == _REGION_WITHOUT_SEGMENT else self.identity_center_region


def trust_policy(
    callers: Callers,
    *,
    external_id: str,
    style: TrustStyle = TrustStyle.ACCOUNT_AND_CONDITION,
    console_access: bool = False,
) -> Document:
    """The document as IAM takes it.

    Both callers stand in one statement under the same conditions, so that the validator's probes speak for the
    employees too. With console access the employees' statement drops the external ID, because the console cannot send
    one. Raises `SsoRoleUnknown` and `PolicyTooLong`.
    """
    employees, validator = _employees(callers, style), str(callers.validator_role)
    if console_access:
        statements = [
            _statement(callers, style, _EMPLOYEES, [employees], external_id=None),
            _statement(callers, style, _VALIDATOR, [validator], external_id=external_id),
        ]
    else:
        statements = [_statement(callers, style, _BASTION, [employees, validator], external_id=external_id)]
    document: Document = {"Version": "2012-10-17", "Statement": statements}
    check_length(document, MAX_LENGTH)
    return document


def _employees(callers: Callers, style: TrustStyle) -> str:
    if style is TrustStyle.ACCOUNT_AND_CONDITION:
        return callers.sso_role_pattern
    if not callers.sso_role:
        raise SsoRoleUnknown
    return str(callers.sso_role)


def _statement(callers: Callers, style: TrustStyle, sid: str, arns: list[str], *, external_id: str | None) -> Document:
    by_condition = style is TrustStyle.ACCOUNT_AND_CONDITION
    root = f"arn:{callers.partition}:iam::{callers.bastion_account_id}:root"
    condition: Document = {}
    if external_id is not None:
        condition["StringEquals"] = {"sts:ExternalId": external_id}
    if by_condition:
        condition["ArnLike"] = {"aws:PrincipalArn": arns}
    statement: Document = {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"AWS": root if by_condition else arns},
        "Action": "sts:AssumeRole",
    }
    return {**statement, "Condition": condition} if condition else statement


def policy_text(document: Mapping[str, object]) -> str:
    """Indented JSON as people paste it, with a final newline."""
    return json.dumps(document, indent=2) + "\n"


def minified(document: Mapping[str, object]) -> str:
    return json.dumps(document, separators=(",", ":"))


def check_length(document: Mapping[str, object], limit: int) -> None:
    """Raise `PolicyTooLong` where the document without white space is longer than `limit` characters."""
    length = len(minified(document))
    if length > limit:
        raise PolicyTooLong(length=length, limit=limit)
