"""A partner's accounts: their roles, their link, and their end."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from onboarding.core.states import State
from onboarding.forms.admins.registration import AccountAndRoleForm, AccountForm
from onboarding.models import ExternalAccount, MailKind, Partner, PermissionSet, Validation
from onboarding.permissions import PersonRequest, platform_admin_required
from onboarding.services import offboarding, registration
from onboarding.views.admins import links, preview
from onboarding.views.admins.answers import tell


@platform_admin_required
@require_safe
def account(request: PersonRequest, uuid: UUID) -> HttpResponse:
    row = _account(uuid)
    roles = list(row.roles.with_owner().order_by("role_name", "pk"))
    last = Validation.objects.latest_of(roles)
    link = row.invitations.select_related("issued_by").filter(revoked_at=None).first()
    context = {
        "account": row,
        "roles": [(role, last.get(role.pk)) for role in roles],
        "has_live_roles": any(role.state != State.RETIRED for role in roles),
        "link": link,
        "mailed": link.mails.filter(kind=MailKind.LINK).first() if link else None,
        "returned": [role for role in roles if role.role_arn and role.state != State.RETIRED],
        "link_is_usable": link is not None and link.is_usable(at=timezone.now()),
        "earlier": row.invitations.exclude(revoked_at=None)[:10],
    }
    return render(request, "admins/account.html", context)


@platform_admin_required
@require_http_methods(["GET", "HEAD", "POST"])
def add_account(request: PersonRequest, uuid: UUID) -> HttpResponse:
    partner = get_object_or_404(Partner, uuid=uuid)
    form = AccountAndRoleForm(request.POST or None, partner_name=partner.name)
    if form.is_valid():
        role = form.attempt(
            lambda: registration.register_together(partner, form.account_details, form.role_details, by=request.user)
        )
        if role:
            return links.show_new_link(request, role.account, expected="")
    context = {"form": form, "partner": partner, "can_register": PermissionSet.objects.exists()}
    return render(request, "admins/add_account.html", context)


@platform_admin_required
@require_POST
def add_account_preview(request: PersonRequest, uuid: UUID) -> HttpResponse:
    partner = get_object_or_404(Partner, uuid=uuid)
    shown = preview.of(AccountAndRoleForm(request.POST, partner_name=partner.name), partner_name=partner.name)
    if request.htmx:  # type: ignore[attr-defined]
        return render(request, "admins/partials/preview.html", {"preview": shown})
    form = AccountAndRoleForm(initial=request.POST.dict(), partner_name=partner.name)
    context = {"form": form, "partner": partner, "preview": shown, "can_register": True}
    return render(request, "admins/add_account.html", context)


@platform_admin_required
@require_http_methods(["GET", "HEAD", "POST"])
def correct_account(request: PersonRequest, uuid: UUID) -> HttpResponse:
    row = _account(uuid)
    form = AccountForm(request.POST or None, initial=AccountForm.of_account(row))
    if form.is_valid():
        details = form.account_details
        if form.attempt(
            lambda: registration.correct_account(row, details.account_id, label=details.label, by=request.user)
        ):
            messages.success(request, _("Saved. The partner's page shows it from now on."))
            return redirect("onboarding:admins:account", uuid)
    return render(request, "admins/correct_account.html", {"form": form, "account": _account(uuid)})


@platform_admin_required
@require_POST
def retire_account(request: PersonRequest, uuid: UUID) -> HttpResponse:
    row = _account(uuid)
    done = _("Account %(account)s is retired, and its link has ended. It may be registered again.")
    names = {"account": row.number.grouped}
    if tell(request, lambda: offboarding.retire_account(row, by=request.user), done=done % names):
        return redirect("onboarding:admins:partner", row.partner.uuid)
    return redirect("onboarding:admins:account", uuid)


def _account(uuid: UUID) -> ExternalAccount:
    return get_object_or_404(ExternalAccount.objects.select_related("partner"), uuid=uuid)
