"""The front door, and the help pages that anyone may read."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from onboarding.permissions import PersonRequest, open_to_anyone, sign_in_required


@sign_in_required
@require_safe
def home(request: PersonRequest) -> HttpResponse:
    if request.user.is_platform_admin:
        return redirect("onboarding:admins:overview")
    return redirect("onboarding:employees:access")


@open_to_anyone
@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    return render(request, "help/access.html")


@open_to_anyone
@require_safe
def genuine(request: HttpRequest) -> HttpResponse:
    return render(request, "help/genuine.html")
