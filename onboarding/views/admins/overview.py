"""The first page: what needs somebody, where the roles stand, and what happened last."""

from dataclasses import dataclass

from django.db.models import Min
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from onboarding import attention
from onboarding.models import (
    AuditEvent,
    Bastion,
    ExternalAccount,
    ExternalRole,
    Invitation,
    Partner,
    PermissionSet,
    Validation,
)
from onboarding.permissions import PersonRequest, platform_admin_required

_RECENT = 6


@platform_admin_required
@require_safe
def overview(request: PersonRequest) -> HttpResponse:
    now = timezone.now()
    matters = attention.matters(now=now)
    planned = ExternalRole.objects.filter(next_check_at__gt=now)
    context = {
        "matters": matters,
        "ours": sum(not matter.turn for matter in matters),
        "first_steps": _first_steps(),
        "counts": ExternalRole.objects.live().counted_by_stone(),
        "partners": Partner.objects.count(),
        "accounts": ExternalAccount.objects.live().count(),
        "last_check": Validation.objects.finished().order_by("-requested_at", "-id").first(),
        "next_check_at": planned.aggregate(soonest=Min("next_check_at"))["soonest"],
        "recent": AuditEvent.objects.select_related("actor")[:_RECENT],
    }
    return render(request, "admins/overview.html", context)


@dataclass(frozen=True, slots=True)
class _Step:
    text: str
    done: bool
    route: str
    do: str


def _first_steps() -> list[_Step]:
    """Empty once a first link was made: then the portal is set up."""
    if Invitation.objects.exists():
        return []
    found = PermissionSet.objects.exclude(sso_role_arn="").exists()
    return [
        _Step(
            _("Name the bastion: our own account, into which employees sign in"),
            Bastion.objects.exists(),
            "bastions",
            _("Set up the bastion"),
        ),
        _Step(
            _("Add a permission set of IAM Identity Center"),
            PermissionSet.objects.exists(),
            "bastions",
            _("Add a permission set"),
        ),
        _Step(_("Find the role that Identity Center made for it"), found, "bastions", _("Find the SSO role")),
        _Step(
            _("Register a partner, its account and the role you want there"),
            ExternalRole.objects.exists(),
            "register",
            _("Register a partner"),
        ),
        _Step(_("Make a hand-off link and send it to the partner"), False, "partners", _("Open the partner")),
    ]
