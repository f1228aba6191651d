"""Every check that was made, newest first."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from onboarding import paging, wording
from onboarding.core.probes import VerdictCode
from onboarding.models import Trigger, Validation
from onboarding.permissions import PersonRequest, platform_admin_required
from onboarding.services import rounds
from onboarding.views.admins import lists

_VERDICTS = {code.value: wording.of_verdict(code).word for code in VerdictCode}


@platform_admin_required
@require_safe
def validations(request: PersonRequest) -> HttpResponse:
    verdict = lists.chosen(request, "verdict", _VERDICTS)
    trigger = lists.chosen(request, "trigger", dict(Trigger.choices))
    wanted = {name: value for name, value in {"verdict": verdict, "trigger": trigger}.items() if value}
    found = Validation.objects.filter(**wanted).select_related("external_role__account__partner")
    page = paging.page(found, by="-requested_at", **lists.cursor(request))
    context = {
        "rows": page.rows,
        "is_filtered": bool(wanted),
        "verdicts": lists.chips(request, "verdict", _VERDICTS),
        "triggers": lists.chips(request, "trigger", dict(Trigger.choices)),
        "progress": rounds.newest_progress(),
        **lists.pager(request, page),
    }
    return render(request, "admins/validations.html", context)
