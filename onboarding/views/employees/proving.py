"""Proving the employee path from one's own laptop."""

from uuid import UUID

import structlog
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from onboarding.aws import AwsUnavailable
from onboarding.core import proof
from onboarding.core.errors import OnboardingError
from onboarding.core.identifiers import role_session_name
from onboarding.core.proof import ProofRefused, Refusal
from onboarding.forms.client import ProofForm
from onboarding.limits import by_person, limited
from onboarding.messages import sentence, sts_unavailable
from onboarding.models import ExternalRole, Proof
from onboarding.permissions import PersonRequest, sign_in_required
from onboarding.services import access, config, proofs

log = structlog.get_logger(__name__)


@sign_in_required
@require_POST
@limited(20, by_person)
def begin(request: PersonRequest, uuid: UUID) -> HttpResponse:
    role = _entitled(request, uuid)
    try:
        proofs.begin_proof(request.user, role)
    except proofs.NothingToProve as error:
        messages.error(request, sentence(error))
        return redirect("onboarding:employees:access")
    return redirect("onboarding:employees:prove", uuid)


@sign_in_required
@require_safe
def prove(request: PersonRequest, uuid: UUID) -> HttpResponse:
    role = _entitled(request, uuid)
    begun, profile = proofs.open_proof(request.user, role), _profile_name(request, role)
    shown = {
        "role": role,
        "profile": profile,
        "begun": begun,
        "command": proof.command(begun.nonce, profile=profile) if begun else "",
        "form": ProofForm(initial={"nonce": begun.nonce}) if begun else None,
        "last": Proof.objects.proven().filter(person=request.user, external_role=role).order_by("-proven_at").first(),
        "session_name": role_session_name(request.user.email),
    }
    return render(request, "employees/prove.html", shown)


@sign_in_required
@require_POST
@limited(20, by_person)
@sensitive_post_parameters("pasted")
def send(request: PersonRequest, uuid: UUID) -> HttpResponse:
    role, form = _entitled(request, uuid), ProofForm(request.POST)
    if form.is_valid():
        _complete(request, form)
    else:
        messages.error(request, sentence(ProofRefused(Refusal.NO_TOKEN)))
    return redirect("onboarding:employees:prove", role.uuid)


def _complete(request: PersonRequest, form: ProofForm) -> None:
    try:
        proofs.complete_proof(request.user, **form.cleaned_data)
    except ProofRefused as error:
        messages.error(request, sentence(error))
    except AwsUnavailable as error:
        log.warning("proof_not_checked", code=error.code)
        messages.error(request, sts_unavailable())
    else:
        messages.success(request, _("Proven. AWS named you in this role."))


def _entitled(request: PersonRequest, uuid: UUID) -> ExternalRole:
    return get_object_or_404(access.entitled_roles(request.user, at=timezone.now()), uuid=uuid)


def _profile_name(request: PersonRequest, role: ExternalRole) -> str:
    """As the person's own config calls it."""
    try:
        snippet = config.config_snippet(request.user, access.entitled_roles(request.user, at=timezone.now()))
    except OnboardingError as error:
        raise Http404 from error
    pairs = zip(snippet.roles, snippet.config.partners, strict=True)
    return next((profile.name for offered, profile in pairs if offered.pk == role.pk), role.profile_name)
