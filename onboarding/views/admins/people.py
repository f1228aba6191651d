"""The people of our own organization."""

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from onboarding import paging, signin
from onboarding.forms.admins.people import NewPersonForm, PersonForm
from onboarding.models import Grant, Person, PortalRole
from onboarding.permissions import PersonRequest, platform_admin_required
from onboarding.services import people as service
from onboarding.services.mailing import MailUnavailable
from onboarding.services.people import PersonDetails
from onboarding.views.admins import lists
from onboarding.views.admins.answers import tell

_KINDS = {
    "admins": gettext_lazy("Platform admins"),
    "employees": gettext_lazy("Employees"),
    "inactive": gettext_lazy("Deactivated"),
}


@platform_admin_required
@require_safe
def people(request: PersonRequest) -> HttpResponse:
    text, kind = lists.searched(request), lists.chosen(request, "kind", _KINDS)
    found = Person.objects.matching(text, kind)
    page = paging.page(found.prefetch_related("groups"), by="email", **lists.cursor(request))
    context = {
        "rows": page.rows,
        "searched": text,
        "chips": lists.chips(request, "kind", _KINDS, Person.objects.counted_by_kind()),
        "all_url": lists.address(request, q="", kind=""),
        **lists.pager(request, page),
    }
    return render(request, "admins/people.html", context)


@platform_admin_required
@require_http_methods(["GET", "HEAD", "POST"])
def add_person(request: PersonRequest) -> HttpResponse:
    form = NewPersonForm(request.POST or None)
    if form.is_valid():
        email = form.cleaned_data["email"]
        made = form.attempt(lambda: service.add_person(email, form.details(is_active=True), by=request.user))
        if made:
            _mail_password_link(request, made)
            return redirect("onboarding:admins:person", made.uuid)
    return render(request, "admins/add_person.html", {"form": form})


@platform_admin_required
@require_http_methods(["GET", "HEAD", "POST"])
def person(request: PersonRequest, uuid: UUID) -> HttpResponse:
    found = get_object_or_404(Person, uuid=uuid)
    form = PersonForm(request.POST or None, initial=PersonForm.initial_of(found))
    if form.is_valid() and form.succeeds(
        lambda: service.change_person(found, form.details(is_active=found.is_active), by=request.user)
    ):
        messages.success(request, _("Saved. It holds from their next click on."))
        return redirect("onboarding:admins:person", uuid)
    reached = Q(person=found) | Q(group__in=found.groups.all())
    grants = Grant.objects.live(timezone.now()).filter(reached)
    context = {
        "form": form,
        "person": Person.objects.get(pk=found.pk),
        "grants": grants.select_related("external_role__account__partner", "person", "group")[:100],
        "follows_provider": bool(settings.OIDC_SERVER_URL),
    }
    return render(request, "admins/person.html", context)


@platform_admin_required
@require_POST
def deactivate(request: PersonRequest, uuid: UUID) -> HttpResponse:
    found = get_object_or_404(Person, uuid=uuid)
    done = _("%(email)s is deactivated and signed out everywhere. Take away their assignment in Identity Center too.")
    _set_active(request, found, active=False, done=done)
    return redirect("onboarding:admins:person", uuid)


@platform_admin_required
@require_POST
def reactivate(request: PersonRequest, uuid: UUID) -> HttpResponse:
    found = get_object_or_404(Person, uuid=uuid)
    _set_active(request, found, active=True, done=_("%(email)s may sign in again, with the same grants as before."))
    return redirect("onboarding:admins:person", uuid)


@platform_admin_required
@require_POST
def send_password_link(request: PersonRequest, uuid: UUID) -> HttpResponse:
    _mail_password_link(request, get_object_or_404(Person, uuid=uuid, is_active=True))
    return redirect("onboarding:admins:person", uuid)


def _set_active(request: PersonRequest, found: Person, *, active: bool, done: str) -> None:
    details = PersonDetails(
        first_name=found.first_name,
        last_name=found.last_name,
        portal_role=PortalRole(found.portal_role),
        is_active=active,
        groups=tuple(found.groups.values_list("name", flat=True)),
    )
    names = {"email": found.email}
    tell(request, lambda: service.change_person(found, details, by=request.user), done=done % names)


def _mail_password_link(request: HttpRequest, found: Person) -> None:
    """Only where people have passwords here; an identity provider has its own ways."""
    names = {"email": found.email}
    if not settings.LOCAL_ACCOUNTS:
        messages.success(request, _("%(email)s signs in with the identity provider; no mail was needed.") % names)
        return
    try:
        signin.mail_password_link(request, found)
    except MailUnavailable:
        text = _("%(email)s is here, but no mail could be sent. Try again from this page later.")
        messages.warning(request, text % names)
    else:
        messages.success(request, _("A link to set a password was mailed to %(email)s.") % names)
