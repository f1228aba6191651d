"""The page behind the link: read what is asked, make the role, return its ARN, see whether it holds."""

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from onboarding.core.errors import OnboardingError
from onboarding.core.handoff import Form, WantedRole, Way, text_of
from onboarding.core.states import State
from onboarding.forms.partners import FormsChoice, ReturnForm, TrustPolicyForm
from onboarding.messages import sentence
from onboarding.models import ExternalRole
from onboarding.models.partner import ExternalRoleQuerySet
from onboarding.permissions import InvitedRequest, invitation_required
from onboarding.services import invitations, offboarding, quick_create, submission, validation
from onboarding.views.partners import cards, making, standing, trust
from onboarding.views.partners.standing import Standing
from onboarding.views.partners.trust import TrustCheck


@invitation_required
@require_safe
def page(request: InvitedRequest) -> HttpResponse:
    return _page(request)


@invitation_required
@require_http_methods(["GET", "HEAD", "POST"])
def return_role(request: InvitedRequest, role_uuid: UUID) -> HttpResponse:
    role = _role(request, role_uuid)
    if request.method != "POST":
        return _to(request, role)
    form = ReturnForm(role, request.POST)
    if form.is_valid():
        try:
            submission.take_reply(request.invitation, role, form.cleaned_data["role_arn"])
        except OnboardingError as error:
            form.add_error("role_arn", sentence(error))
        else:
            return _to(request, role)
    return _page(request, form=form, of=role)


@invitation_required
@require_http_methods(["GET", "HEAD", "POST"])
def check(request: InvitedRequest, role_uuid: UUID) -> HttpResponse:
    role = _role(request, role_uuid)
    if request.method != "POST":
        return _to(request, role)
    refusal = ""
    try:
        validation.check_again(role)
    except OnboardingError as error:
        refusal = sentence(error)
    if request.htmx:  # type: ignore[attr-defined]
        return _fragment(request, standing.now_of(role, notice=refusal))
    return _page(request, notice=refusal, of=role) if refusal else _to(request, role)


@invitation_required
@require_http_methods(["GET", "HEAD", "POST"])
def say_deleted(request: InvitedRequest, role_uuid: UUID) -> HttpResponse:
    role = _role(request, role_uuid)
    if request.method == "POST":
        offboarding.say_deleted(request.invitation, role)
    return _to(request, role)


@invitation_required
@require_safe
def verdict(request: InvitedRequest, role_uuid: UUID) -> HttpResponse:
    """Asked again and again while a check runs; what the page already shows is not sent once more."""
    role = _role(request, role_uuid, of=ExternalRole.objects.all())
    if not request.htmx:  # type: ignore[attr-defined]
        return _to(request, role)
    if role.state == State.RETIRED:
        # The whole page is another one now.
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    shown = standing.now_of(role)
    seen = request.GET.get("seen")
    return _fragment(request, shown if shown and shown.seen != seen else None)


@invitation_required
@require_http_methods(["GET", "HEAD", "POST"])
def check_trust(request: InvitedRequest, role_uuid: UUID) -> HttpResponse:
    """What is in the way in a trust policy as pasted, at any time."""
    role = _role(request, role_uuid)
    if request.method != "POST":
        return _to(request, role)
    check = trust.pasted_now(role, TrustPolicyForm(role, request.POST))
    if request.htmx:  # type: ignore[attr-defined]
        context = {"invitation": request.invitation, "check": check, "standing": standing.now_of(role)}
        return render(request, "partners/trust_checked.html", context)
    return _page(request, pasted=check, of=role)


@invitation_required
@require_safe
def trust_policy(request: InvitedRequest, role_uuid: UUID) -> HttpResponse:
    wanted = _wanted(request, role_uuid, Way.CREATE)
    return _file(wanted.policy_text, wanted.policy_file, "application/json")


@invitation_required
@require_safe
def permissions_policy(request: InvitedRequest, role_uuid: UUID) -> HttpResponse:
    wanted = _wanted(request, role_uuid, Way.CREATE)
    if not wanted.permissions.document:
        raise Http404
    return _file(wanted.permissions.document_text, wanted.permissions_file, "application/json")


@invitation_required
@require_safe
def form(request: InvitedRequest, role_uuid: UUID, form: str, way: str) -> HttpResponse:
    if form not in set(Form) or way not in set(Way):
        raise Http404
    made = text_of(Form(form), _wanted(request, role_uuid, Way(way)), Way(way))
    return _file(made.text, made.file_name, made.media_type)


@invitation_required
@require_http_methods(["GET", "HEAD", "POST"])
def create_stack(request: InvitedRequest, role_uuid: UUID) -> HttpResponse:
    """Leads to CloudFormation's own page; what keeps us from it is said beside the template to download."""
    role = _role(request, role_uuid)
    if request.method != "POST" or not quick_create.is_offered(role.account):
        return _to(request, role)
    wanted = _wanted(request, role_uuid, Way.CREATE)
    try:
        return redirect(quick_create.link_for(wanted, request.invitation))
    except OnboardingError as error:
        return _page(request, trouble=sentence(error), of=role)


@invitation_required
@require_POST
def withdraw(request: InvitedRequest, role_uuid: UUID) -> HttpResponse:
    role = _role(request, role_uuid)
    try:
        offboarding.withdraw_role(request.invitation, role)
    except OnboardingError as error:
        messages.error(request, sentence(error))
    else:
        told = {"role": role.role_name, "organization": settings.ORGANIZATION_NAME}
        messages.success(request, _("You have withdrawn %(role)s, and %(organization)s is being told.") % told)
    return _to(request, role)


@invitation_required
@require_POST
def note_copied(request: InvitedRequest) -> HttpResponse:
    invitations.note_copied(request.invitation)
    return HttpResponse(status=204)


def _role(request: InvitedRequest, role_uuid: UUID, *, of: ExternalRoleQuerySet | None = None) -> ExternalRole:
    """A link reaches the live roles of its own account, and no other's."""
    reached = ExternalRole.objects.live() if of is None else of
    found = reached.with_owner().select_related("created_by")
    return get_object_or_404(found, account=request.invitation.account, uuid=role_uuid)


def _wanted(request: InvitedRequest, role_uuid: UUID, way: Way) -> WantedRole:
    role = _role(request, role_uuid)
    choice = FormsChoice(request.GET, role.account)
    if not choice.is_valid():
        raise Http404
    try:
        return making.wanted(role, request.invitation, way, choice.cleaned_data["existing"])
    except OnboardingError as error:
        # The page says in words why there is no policy, and does not link here.
        raise Http404 from error


def _page(
    request: InvitedRequest,
    *,
    of: ExternalRole | None = None,
    form: ReturnForm | None = None,
    notice: str = "",
    pasted: TrustCheck | None = None,
    trouble: str = "",
) -> HttpResponse:
    """The whole page; `of` names the role that all else belongs to."""
    context = cards.page(
        request.invitation, request.GET, of=of, form=form, notice=notice, pasted=pasted, trouble=trouble
    )
    return render(request, "partners/handoff.html", context)


def _fragment(request: InvitedRequest, shown: Standing | None) -> HttpResponse:
    if shown is None:
        return HttpResponse(status=204)
    context = {"invitation": request.invitation, "standing": shown, "is_fragment": True}
    return render(request, "partners/verdict.html", context)


def _to(request: InvitedRequest, role: ExternalRole) -> HttpResponse:
    return redirect(reverse("onboarding:partners:handoff", args=[request.invitation.uuid]) + f"#return-{role.uuid}")


def _file(text: str, name: str, kind: str) -> HttpResponse:
    disposition = content_disposition_header(as_attachment=True, filename=name)
    return HttpResponse(text, content_type=f"{kind}; charset=utf-8", headers={"Content-Disposition": disposition})
