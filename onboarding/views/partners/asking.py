"""What is asked for, by whom, and who could enter: what the page and its summary both tell."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from onboarding.core.arns import RoleArn
from onboarding.core.trust import TrustStyle
from onboarding.models import ExternalRole, Invitation, PermissionSet


@dataclass(frozen=True, slots=True)
class Entrance:
    """Who may enter through one permission set, as the trust policies name them."""

    permission_set: PermissionSet
    # Patterns or ARNs, as the style of each role's policy has it.
    employees: tuple[str, ...]
    validator: str

    @property
    def is_pattern(self) -> bool:
        return any("?" in employees for employees in self.employees)


def of(invitation: Invitation, roles: Sequence[ExternalRole]) -> dict[str, Any]:
    return {
        "invitation": invitation,
        "request_number": invitation.reference,
        "account": invitation.account,
        "partner": invitation.account.partner,
        "asked_by": invitation.issued_by.display_name,
        "left": invitation.expires_at - timezone.now(),
        "roles": roles,
        "entrances": _entrances(roles),
        "needs_external_id": [role for role in roles if not role.console_access],
        "by_console": [role for role in roles if role.console_access],
    }


def arn_of(role: ExternalRole) -> RoleArn:
    """Where the role was returned, under the name and path that it has; else as we ask for it."""
    return role.arn or role.asked_arn


def _entrances(roles: Sequence[ExternalRole]) -> list[Entrance]:
    found: dict[PermissionSet, dict[str, None]] = {}
    for role in roles:
        found.setdefault(role.permission_set, {})[_employees(role)] = None
    return [
        Entrance(permission_set, tuple(employees), str(permission_set.bastion.validator_role))
        for permission_set, employees in found.items()
    ]


def _employees(role: ExternalRole) -> str:
    callers = role.permission_set.callers
    # Where the style wants the ARN and it is not known yet, there is no policy either, and the page says so.
    by_pattern = role.trust_style == TrustStyle.ACCOUNT_AND_CONDITION or not callers.sso_role
    return callers.sso_role_pattern if by_pattern else str(callers.sso_role)
