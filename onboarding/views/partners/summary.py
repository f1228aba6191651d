"""The request on a few sheets of paper: for whoever has to agree to it, and for the partner's own records."""

from collections.abc import Callable
from operator import attrgetter
from typing import Any

from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from onboarding.core import identifiers, trust
from onboarding.core.arns import AccountId
from onboarding.core.errors import OnboardingError
from onboarding.core.handoff.attribution import Attribution
from onboarding.models import ExternalRole, Invitation
from onboarding.permissions import InvitedRequest, invitation_required
from onboarding.services import invitations
from onboarding.views.partners import asking

# An employee's address as it could be: whose it would be is nobody's business here.
_SOMEBODY = "first.last"
_SHEETS: dict[str, tuple[Callable[[Attribution], str], str]] = {
    "cloudtrail-event.json": (attrgetter("sample_event"), "application/json"),
    "cloudtrail-lake.sql": (attrgetter("lake_query"), "application/sql"),
    "athena.sql": (attrgetter("athena_query"), "application/sql"),
}


@invitation_required
@require_safe
def page(request: InvitedRequest) -> HttpResponse:
    roles = invitations.roles_of(request.invitation)
    context: dict[str, Any] = {
        **asking.of(request.invitation, roles),
        "policies": [(role, _policy(role)) for role in roles],
        "validator_session": identifiers.VALIDATOR_SESSION_NAME,
        "employee_session": _session_name(),
        "sheets": _sheets(request.invitation, roles) if roles else {},
    }
    return render(request, "partners/summary.html", context)


@invitation_required
@require_safe
def sheet(request: InvitedRequest, name: str) -> HttpResponse:
    roles = invitations.roles_of(request.invitation)
    if name not in _SHEETS or not roles:
        raise Http404
    disposition = content_disposition_header(as_attachment=True, filename=name)
    text, kind = _sheets(request.invitation, roles)[name], _SHEETS[name][1]
    return HttpResponse(text, content_type=f"{kind}; charset=utf-8", headers={"Content-Disposition": disposition})


def _sheets(invitation: Invitation, roles: list[ExternalRole]) -> dict[str, str]:
    bastions = dict.fromkeys(AccountId(role.permission_set.bastion.account_id) for role in roles)
    told = Attribution(
        account_id=invitation.account.number,
        bastion_accounts=tuple(bastions),
        role_arns=tuple(asking.arn_of(role) for role in roles),
        external_id="" if roles[0].console_access else roles[0].external_id,
        region=roles[0].region,
        session_name=_session_name(),
    )
    return {name: text(told) for name, (text, _) in _SHEETS.items()}


def _session_name() -> str:
    domain = settings.CONTACT_EMAIL.rpartition("@")[2] or "example.com"
    return identifiers.role_session_name(f"{_SOMEBODY}@{domain}")


def _policy(role: ExternalRole) -> str:
    """Empty where it cannot be made yet."""
    try:
        return trust.policy_text(role.trust_policy)
    except OnboardingError:
        return ""
