"""To whom a role is shown and handed out."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from onboarding.forms.admins.people import GrantForm
from onboarding.models import ExternalRole, Grant
from onboarding.permissions import PersonRequest, platform_admin_required
from onboarding.services import access
from onboarding.views.admins import standing


@platform_admin_required
@require_POST
def grant(request: PersonRequest, uuid: UUID) -> HttpResponse:
    role = get_object_or_404(ExternalRole.objects.with_owner(), uuid=uuid)
    form = GrantForm(request.POST)
    if form.is_valid():
        made = form.attempt(lambda: access.grant(role, form.grantee, form.terms, by=request.user))
        if made:
            done = _("Granted to %(grantee)s. It shows on their page, and in their config once it is proven.")
            messages.success(request, done % {"grantee": made})
            return redirect("onboarding:admins:role", uuid)
    return render(request, "admins/role.html", standing.page(request, role, form))


@platform_admin_required
@require_POST
def revoke_grant(request: PersonRequest, uuid: UUID) -> HttpResponse:
    found = get_object_or_404(Grant.objects.select_related("external_role", "person", "group"), uuid=uuid)
    access.revoke_grant(found, by=request.user)
    done = _(
        "Revoked: new configs of %(grantee)s leave the role out. Who is assigned to the permission set in AWS "
        "can still enter with an old one."
    )
    messages.success(request, done % {"grantee": found})
    return redirect("onboarding:admins:role", found.external_role.uuid)
