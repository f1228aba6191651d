"""What a partner would read and paste, from a form that is still being filled in."""

from dataclasses import dataclass

from django.conf import settings

from onboarding.core import identifiers, trust
from onboarding.core.errors import OnboardingError
from onboarding.core.handoff import Permissions
from onboarding.core.trust import TrustStyle, policy_text
from onboarding.forms.admins.registration import RoleForm
from onboarding.messages import sentence
from onboarding.models import PermissionSet

# Shows where it will stand; the real one is made when the role is registered, and comes from no form.
_EXTERNAL_ID_TO_COME = "tbi-xxxx-xxxx-xxxx-xxxx-xxxx"


@dataclass(frozen=True, slots=True)
class Preview:
    organization: str
    partner: str
    permission_set: str
    purpose: str
    role_name: str
    role_path: str
    profile_name: str
    policy: str
    permissions: Permissions
    tags: list[str]
    # Of the policy, the lines that come from the form.
    marks: dict[int, str]
    # Why there is no policy.
    trouble: str = ""


def of(form: RoleForm, *, partner_name: str = "") -> Preview:
    form.is_valid()
    typed = form.cleaned_data
    partner = typed.get("name") or partner_name
    permission_set = typed.get("permission_set") or PermissionSet.objects.select_related("bastion").first()
    policy, trouble = _policy(permission_set, typed) if permission_set else ("", "")
    return Preview(
        organization=settings.ORGANIZATION_NAME,
        partner=partner,
        permission_set=str(permission_set or ""),
        purpose=typed.get("purpose") or "",
        role_name=typed.get("role_name") or "" if partner else "",
        role_path=typed.get("role_path") or "/",
        profile_name=typed.get("profile_name") or "" if partner else "",
        permissions=form.permissions(),
        tags=identifiers.tag_lines(typed.get("tags") or {}),
        policy=policy,
        marks={
            number: "live"
            for number, line in enumerate(policy.splitlines(), start=1)
            if _EXTERNAL_ID_TO_COME in line or "AWSReservedSSO_" in line
        },
        trouble=trouble,
    )


def _policy(permission_set: PermissionSet, typed: dict[str, object]) -> tuple[str, str]:
    style = TrustStyle(str(typed.get("trust_style") or TrustStyle.ACCOUNT_AND_CONDITION))
    try:
        document = trust.trust_policy(
            permission_set.callers,
            external_id=_EXTERNAL_ID_TO_COME,
            style=style,
            console_access=bool(typed.get("console_access")),
        )
    except OnboardingError as error:
        return "", sentence(error)
    return policy_text(document), ""
