"""Connecting a computer on which `portal-config` asked to sign in, and disconnecting it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from csp.decorators import csp_update
from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from onboarding.core import client_access
from onboarding.forms.client import LoopbackForm, UserCodeForm
from onboarding.limits import by_person, limited
from onboarding.models import ClientToken, Person, Proof
from onboarding.permissions import PersonRequest, sign_in_required
from onboarding.services import computers
from onboarding.services.client_file import client_file
from onboarding.services.computers import LoopbackRequest

_LATEST = 5


@sign_in_required
@require_http_methods(["GET", "HEAD", "POST"])
@limited(30, by_person)
def connect(request: PersonRequest) -> HttpResponseBase:
    """The computer's own browser came with the question, and takes the answer back to it."""
    form = LoopbackForm(request.POST or request.GET)
    if not form.is_valid():
        return render(request, "employees/connect_unclear.html", status=400)
    if request.method == "POST":
        return redirect(_answer(request.user, form.asked, allowed=request.POST.get("decision") == "allow"))
    # The browser follows the form's answer to where the computer listens, which the policy must name.
    origin = client_access.origin_of(form.asked.loopback)
    shown = {"form": form, "computer": form.asked.computer}
    return csp_update({"form-action": [origin]})(lambda asked: render(asked, "employees/connect.html", shown))(request)


@sign_in_required
@require_http_methods(["GET", "HEAD", "POST"])
@limited(20, by_person)
def connect_by_code(request: PersonRequest) -> HttpResponse:
    asked = request.POST or (request.GET if "user_code" in request.GET else None)
    form = UserCodeForm(asked)
    code = computers.find_waiting(form.cleaned_data["user_code"]) if form.is_valid() else None
    if code and request.method == "POST":
        return _decided(request, computers.decide(code, request.user, allowed=request.POST.get("decision") == "allow"))
    if form.is_valid() and code is None:
        form.add_error("user_code", _("No computer waits with this code. Codes are good for ten minutes, and once."))
    return render(request, "employees/connect_by_code.html", {"form": form, "code": code})


@sign_in_required
@require_POST
def disconnect(request: PersonRequest, uuid: UUID) -> HttpResponse:
    token = get_object_or_404(ClientToken.objects.live(timezone.now()), uuid=uuid, person=request.user)
    computers.end_token(token)
    messages.success(request, _("Disconnected. %(computer)s keeps its file as it is.") % {"computer": token.computer})
    return redirect("onboarding:employees:access")


@dataclass(frozen=True, slots=True)
class OwnLaptop:
    """What the employee's page says of portal-config, of the computers on which it runs, and of the own proofs."""

    sha256: str
    commands: str
    computers: Sequence[ClientToken]
    proofs: Sequence[Proof]

    @classmethod
    def of(cls, person: Person, *, at: datetime) -> "OwnLaptop":
        proven = (
            Proof.objects.proven()
            .filter(person=person)
            .last_of_each_role()
            .select_related("external_role__account__partner")
        )
        return cls(
            sha256=client_file().sha256,
            commands="\n".join(f"python3 portal-config {command}" for command in _commands()),
            computers=list(ClientToken.objects.live(at).filter(person=person)),
            proofs=list(proven.order_by("-proven_at")[:_LATEST]),
        )


def _commands() -> list[str]:
    return [f"login {settings.PUBLIC_URL}", "diff", "sync", "check"]


def _answer(person: Person, asked: LoopbackRequest, *, allowed: bool) -> str:
    if not allowed:
        return client_access.answer_address(asked.loopback, error="access_denied", state=asked.state)
    return client_access.answer_address(
        asked.loopback, code=computers.approve_loopback(person, asked), state=asked.state
    )


def _decided(request: PersonRequest, done: bool) -> HttpResponse:
    if not done:
        messages.error(request, _("Nothing changed: the time was over, or somebody decided already."))
    elif request.POST.get("decision") == "allow":
        messages.success(request, _("Connected. Go on in your terminal."))
    else:
        messages.success(request, _("Refused. Nothing was handed out."))
    return redirect("onboarding:employees:access")
