"""Validating every role once more: begin, watch, stop."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from onboarding.models import ValidationRound
from onboarding.permissions import PersonRequest, platform_admin_required
from onboarding.services import rounds
from onboarding.views.admins.answers import tell


@platform_admin_required
@require_POST
def begin(request: PersonRequest) -> HttpResponse:
    done = _("Every role is being validated once more. You may leave this page; it goes on.")
    tell(request, lambda: rounds.begin_round(by=request.user), done=done)
    return redirect("onboarding:admins:validations")


@platform_admin_required
@require_POST
def stop(request: PersonRequest, uuid: UUID) -> HttpResponse:
    found = get_object_or_404(ValidationRound, uuid=uuid)
    done = _("Stopped. What a worker had begun is finished; the other roles are checked when they fall due.")
    tell(request, lambda: rounds.stop_round(found, by=request.user), done=done)
    return redirect("onboarding:admins:validations")


@platform_admin_required
@require_safe
def live(request: PersonRequest) -> HttpResponse:
    """Asked every two seconds while a round runs; the answer without the question in it ends that."""
    if not request.htmx:  # type: ignore[attr-defined]
        return redirect("onboarding:admins:validations")
    return render(request, "admins/partials/round.html", {"progress": rounds.newest_progress()})
