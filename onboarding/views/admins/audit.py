"""The audit log, for people to read."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from onboarding import paging, wording
from onboarding.models import AuditEvent
from onboarding.permissions import PersonRequest, platform_admin_required
from onboarding.views.admins import lists


@platform_admin_required
@require_safe
def audit(request: PersonRequest) -> HttpResponse:
    actions = wording.actions()
    action, actor, subject = (
        lists.chosen(request, "action", actions),
        lists.searched(request, "actor"),
        lists.searched(request, "subject"),
    )
    found = AuditEvent.objects.told(action=action, actor=actor, subject=subject)
    page = paging.page(found, by="-pk", **lists.cursor(request))
    context = {
        "rows": page.rows,
        "actions": actions.items(),
        "action": action,
        "actor": actor,
        "subject": subject,
        "is_filtered": bool(action or actor or subject),
        **lists.pager(request, page),
    }
    return render(request, "admins/audit.html", context)
