"""The bastion account: setting it up, its permission sets, and the policies on our own side."""

from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from onboarding import evidence, queue
from onboarding.aws import AwsUnavailable
from onboarding.core import bastion as rules
from onboarding.core.bastion import PermissionSetPolicyStyle, SizedPolicy
from onboarding.core.trust import policy_text
from onboarding.forms.admins.bastions import BastionForm, PermissionSetForm, PolicyStyleForm, WorkerForm
from onboarding.models import Bastion, PermissionSet
from onboarding.permissions import PersonRequest, platform_admin_required
from onboarding.services import bastions


@platform_admin_required
@require_safe
def bastion_list(request: PersonRequest) -> HttpResponse:
    """Most portals have one bastion, and open it at once."""
    rows = list(Bastion.objects.prefetch_related("permission_sets"))
    if len(rows) == 1:
        return redirect("onboarding:admins:bastion", rows[0].uuid)
    return render(request, "admins/bastions.html", {"bastions": rows})


@platform_admin_required
@require_http_methods(["GET", "HEAD", "POST"])
def set_up(request: PersonRequest) -> HttpResponse:
    form = BastionForm(request.POST or None)
    if form.is_valid():
        made = form.attempt(lambda: bastions.set_up_bastion(form.bastion_details, by=request.user))
        if made:
            messages.success(request, _("The bastion is set up. Next: a permission set."))
            return redirect("onboarding:admins:bastion", made.uuid)
    return render(request, "admins/set_up_bastion.html", {"form": form})


@platform_admin_required
@require_http_methods(["GET", "HEAD", "POST"])
def change(request: PersonRequest, uuid: UUID) -> HttpResponse:
    row = get_object_or_404(Bastion, uuid=uuid)
    form = BastionForm(request.POST or None, initial=BastionForm.initial_of(row))
    if form.is_valid() and form.succeeds(
        lambda: bastions.set_up_bastion(form.bastion_details, bastion=row, by=request.user)
    ):
        messages.success(request, _("Saved. New configs and new trust policies follow it."))
        return redirect("onboarding:admins:bastion", uuid)
    return render(request, "admins/set_up_bastion.html", {"form": form, "bastion": Bastion.objects.get(uuid=uuid)})


@platform_admin_required
@require_safe
def bastion(request: PersonRequest, uuid: UUID) -> HttpResponse:
    row = get_object_or_404(Bastion, uuid=uuid)
    asked = WorkerForm(request.GET) if "worker_arn" in request.GET else WorkerForm()
    return render(request, "admins/bastion.html", _context(row, PermissionSetForm(), asked))


@platform_admin_required
@require_POST
def add_permission_set(request: PersonRequest, uuid: UUID) -> HttpResponse:
    row = get_object_or_404(Bastion, uuid=uuid)
    form = PermissionSetForm(request.POST)
    if form.is_valid():
        name, style = form.cleaned_data["name"], PermissionSetPolicyStyle(form.cleaned_data["style"])
        made = form.attempt(lambda: bastions.add_permission_set(row, name, style=style, by=request.user))
        if made:
            messages.success(request, _("Added. Next: find the role that Identity Center made for it."))
            return redirect("onboarding:admins:permission_set", made.uuid)
    return render(request, "admins/bastion.html", _context(row, form, WorkerForm()))


@platform_admin_required
@require_safe
def permission_set(request: PersonRequest, uuid: UUID) -> HttpResponse:
    row = _permission_set(uuid)
    policy = bastions.permission_set_policy(row)
    context = {
        "permission_set": row,
        "policy": policy,
        "policy_text": policy_text(policy.document) if policy.document else "",
        "is_put": policy.digest == row.put_policy_digest,
        "is_simple": row.policy_style == PermissionSetPolicyStyle.SIMPLE,
        "style_form": PolicyStyleForm(initial={"style": row.policy_style}),
        "roles": row.external_roles.live().count(),
    }
    return render(request, "admins/permission_set.html", context)


@platform_admin_required
@require_safe
def permission_set_policy(_request: PersonRequest, uuid: UUID) -> HttpResponse:
    row = _permission_set(uuid)
    document = bastions.permission_set_policy(row).document or {}
    headers = {"Content-Disposition": f'attachment; filename="permission-set-{row.name}.json"'}
    return HttpResponse(policy_text(document), content_type="application/json", headers=headers)


@platform_admin_required
@require_POST
def choose_style(request: PersonRequest, uuid: UUID) -> HttpResponse:
    row = _permission_set(uuid)
    form = PolicyStyleForm(request.POST)
    if form.is_valid():
        bastions.choose_policy_style(row, PermissionSetPolicyStyle(form.cleaned_data["style"]), by=request.user)
        messages.success(request, _("Saved. Put the policy below into IAM Identity Center."))
    return redirect("onboarding:admins:permission_set", uuid)


@platform_admin_required
@require_POST
def note_policy_put(request: PersonRequest, uuid: UUID) -> HttpResponse:
    """Only for the policy that stood on the page: a role may have been returned since."""
    row = _permission_set(uuid)
    if request.POST.get("digest") == bastions.permission_set_policy(row).digest:
        bastions.note_policy_put(row, request.POST["digest"], by=request.user)
        messages.success(request, _("Noted. You are told here as soon as it has to change."))
    else:
        messages.error(request, _("Nothing noted: the policy has changed since. Put this newer one in."))
    return redirect("onboarding:admins:permission_set", uuid)


@platform_admin_required
@require_POST
def find_sso_role(request: PersonRequest, uuid: UUID) -> HttpResponse:
    row = _permission_set(uuid)
    try:
        found = bastions.find_sso_role(row, by=request.user)
    except AwsUnavailable as trouble:
        # This web server may have no way to AWS; the worker has, and asks for all permission sets.
        queue.send(queue.FIND_SSO_ROLES)
        text = _("This server could not ask AWS (%(where)s: %(code)s). The worker was asked to; look again shortly.")
        messages.warning(request, text % {"where": trouble.where, "code": trouble.code})
    else:
        missing = _("AWS has no role for %(name)s there. Assign the permission set to the bastion account first.")
        there = _("Found. Trust policies that are shown from now on follow its path.")
        (messages.success if found else messages.warning)(request, (there if found else missing) % {"name": row.name})
    return redirect("onboarding:admins:permission_set", uuid)


@dataclass(frozen=True, slots=True)
class _Policies:
    """Of our own roles."""

    permissions: SizedPolicy
    permissions_text: str
    stranger_text: str
    control_texts: tuple[str, str]
    # Of validator and stranger; empty until we are told who the worker is.
    trust_text: str = ""


def _context(row: Bastion, form: PermissionSetForm, worker: WorkerForm) -> dict[str, object]:
    return {
        "bastion": row,
        "permission_sets": row.permission_sets.all(),
        "form": form,
        "worker_form": worker,
        "policies": _policies(row, worker),
        "controls": evidence.control_rows(row),
    }


def _policies(row: Bastion, worker: WorkerForm) -> _Policies:
    own = bastions.own_side(row)
    permissions = rules.validator_policy(own)
    callers = bastions.control_callers(row)
    opens, asks = (policy_text(rules.control_trust_policy(callers, asks=asks)) for asks in (False, True))
    trust = ""
    if worker.is_valid():
        trust = policy_text(rules.validator_trust_policy(str(worker.cleaned_data["worker_arn"])))
    return _Policies(
        permissions=permissions,
        permissions_text=policy_text(permissions.document or {}),
        stranger_text=policy_text(rules.stranger_policy(own).document or {}),
        control_texts=(opens, asks),
        trust_text=trust,
    )


def _permission_set(uuid: UUID) -> PermissionSet:
    return get_object_or_404(PermissionSet.objects.select_related("bastion"), uuid=uuid)
