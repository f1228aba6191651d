"""External roles: finding them, and what an admin can do with one."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from onboarding import attention, paging, wording
from onboarding.core.errors import OnboardingError
from onboarding.core.trust import policy_text
from onboarding.forms.admins.people import GrantForm
from onboarding.forms.admins.registration import RoleForm
from onboarding.messages import explain, sentence
from onboarding.models import ExternalAccount, ExternalRole, PermissionSet, Trigger, Validation
from onboarding.permissions import PersonRequest, platform_admin_required
from onboarding.services import offboarding, registration, submission, validation
from onboarding.views.admins import lists, preview, standing
from onboarding.views.admins.answers import tell


@platform_admin_required
@require_safe
def roles(request: PersonRequest) -> HttpResponse:
    text, where = lists.searched(request), lists.chosen(request, "standing", wording.STANDINGS)
    ended = request.GET.get("ended") == "1"
    every = ExternalRole.objects.all() if ended else ExternalRole.objects.live()
    found = every.matching(text) if text else every
    found = found.standing(where) if where else found
    page = paging.page(found.with_owner(), by="role_name", **lists.cursor(request))
    last = Validation.objects.latest_of(page.rows)
    counts = every.counted_by_standing() | {"": every.count()}
    context = {
        "rows": [
            (role, last.get(role.pk), attention.turn_name(explain(role, last.get(role.pk)).turn, role))
            for role in page.rows
        ],
        "total": counts[""],
        "searched": text,
        "chips": lists.chips(request, "standing", wording.STANDINGS, counts),
        "all_url": lists.address(request, q="", standing=""),
        "ended": ended,
        "ended_url": lists.address(request, ended="" if ended else "1"),
        **lists.pager(request, page),
    }
    return render(request, "admins/roles.html", context)


@platform_admin_required
@require_safe
def role(request: PersonRequest, uuid: UUID) -> HttpResponse:
    return render(request, "admins/role.html", standing.page(request, find(uuid), GrantForm()))


@platform_admin_required
@require_safe
def live(request: PersonRequest, uuid: UUID) -> HttpResponse:
    """Asked every two seconds while a check runs; the answer without the question in it ends that."""
    found = find(uuid)
    context = standing.of(found, language=request.GET.get("letter", ""))
    return render(request, "admins/partials/live.html", {**context, "is_fragment": True})


@platform_admin_required
@require_safe
def trust_policy(_request: PersonRequest, uuid: UUID) -> HttpResponse:
    found = find(uuid)
    try:
        text = policy_text(found.trust_policy)
    except OnboardingError as error:
        raise Http404(sentence(error)) from error
    name = f"trust-policy-{found.role_name}.json"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(text, content_type="application/json", headers=headers)


@platform_admin_required
@require_POST
def validate(request: PersonRequest, uuid: UUID) -> HttpResponse:
    found = find(uuid)
    done = _("Asked for a check. The verdict shows here as soon as it is there.")
    tell(
        request,
        lambda: validation.request_validation(found, trigger=Trigger.ADMIN, by=request.user),
        done=done,
    )
    return redirect("onboarding:admins:role", uuid)


@platform_admin_required
@require_POST
def suspend(request: PersonRequest, uuid: UUID) -> HttpResponse:
    found = find(uuid)
    done = _("Suspended. New configs leave the role out; configs that were taken before still work.")
    tell(request, lambda: offboarding.suspend_role(found, by=request.user), done=done)
    return redirect("onboarding:admins:role", uuid)


@platform_admin_required
@require_POST
def resume(request: PersonRequest, uuid: UUID) -> HttpResponse:
    found = find(uuid)
    done = _("Resumed. It is checked now, and handed out again once it is proven.")
    tell(request, lambda: offboarding.resume_role(found, by=request.user), done=done)
    return redirect("onboarding:admins:role", uuid)


@platform_admin_required
@require_POST
def retire(request: PersonRequest, uuid: UUID) -> HttpResponse:
    found = find(uuid)
    done = _("The work with this role has ended. Take it out of the permission set's policy as well.")
    if not found.role_arn:
        done = _("Retired. It was never returned, so there is nothing to take back.")
    tell(request, lambda: offboarding.retire_role(found, by=request.user), done=done)
    return redirect("onboarding:admins:role", uuid)


@platform_admin_required
@require_POST
def accept_offer(request: PersonRequest, uuid: UUID) -> HttpResponse:
    found = find(uuid)
    done = _("Accepted. The new ARN is checked now, and its policy in Identity Center has to follow.")
    tell(request, lambda: submission.accept_offer(found, by=request.user), done=done)
    return redirect("onboarding:admins:role", uuid)


@platform_admin_required
@require_POST
def decline_offer(request: PersonRequest, uuid: UUID) -> HttpResponse:
    found = find(uuid)
    done = _("Declined. The role stays as it was; tell the partner why.")
    tell(request, lambda: submission.decline_offer(found, by=request.user), done=done)
    return redirect("onboarding:admins:role", uuid)


@platform_admin_required
@require_http_methods(["GET", "HEAD", "POST"])
def add_role(request: PersonRequest, uuid: UUID) -> HttpResponse:
    account = get_object_or_404(ExternalAccount.objects.live().select_related("partner"), uuid=uuid)
    form = RoleForm(request.POST or None, **_known(account))
    if form.is_valid():
        made = form.attempt(lambda: registration.register_role(account, form.role_details, by=request.user))
        if made:
            messages.success(
                request, _("Registered. The account's link shows this role too; make one if there is none.")
            )
            return redirect("onboarding:admins:account", uuid)
    context = {"form": form, "account": account, "can_register": PermissionSet.objects.exists()}
    return render(request, "admins/add_role.html", context)


@platform_admin_required
@require_POST
def add_role_preview(request: PersonRequest, uuid: UUID) -> HttpResponse:
    account = get_object_or_404(ExternalAccount.objects.live().select_related("partner"), uuid=uuid)
    shown = preview.of(RoleForm(request.POST, **_known(account)), partner_name=account.partner.name)
    if request.htmx:  # type: ignore[attr-defined]
        return render(request, "admins/partials/preview.html", {"preview": shown})
    form = RoleForm(initial=request.POST.dict(), **_known(account))
    context = {"form": form, "account": account, "preview": shown, "can_register": True}
    return render(request, "admins/add_role.html", context)


@platform_admin_required
@require_http_methods(["GET", "HEAD", "POST"])
def correct_role(request: PersonRequest, uuid: UUID) -> HttpResponse:
    found = find(uuid)
    form = RoleForm(request.POST or None, initial=RoleForm.of_role(found), **_known(found.account))
    if form.is_valid() and form.succeeds(lambda: registration.correct_role(found, form.role_details, by=request.user)):
        messages.success(request, _("Saved. The partner's page shows it from now on."))
        return redirect("onboarding:admins:role", uuid)
    return render(request, "admins/correct_role.html", {"form": form, "role": found})


def _known(account: ExternalAccount) -> dict[str, str]:
    """What the form takes from the account instead of asking for it."""
    return {"partner_name": account.partner.name, "account_id": account.account_id}


def find(uuid: UUID) -> ExternalRole:
    return get_object_or_404(ExternalRole.objects.with_owner(), uuid=uuid)
