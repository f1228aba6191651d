"""Partners: finding, registering and correcting them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Prefetch
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from onboarding import attention, paging, wording
from onboarding.core.states import State, concern
from onboarding.forms.admins.registration import PartnerForm, RegisterForm
from onboarding.messages import explain
from onboarding.models import ExternalAccount, ExternalRole, Invitation, Partner, PermissionSet, Validation
from onboarding.permissions import PersonRequest, platform_admin_required
from onboarding.services import registration
from onboarding.views.admins import links, lists, preview


@platform_admin_required
@require_safe
def partners(request: PersonRequest) -> HttpResponse:
    text, standing = lists.searched(request), lists.chosen(request, "standing", wording.STANDINGS)
    found = Partner.objects.matching(text) if text else Partner.objects.all()
    found = found.standing(standing) if standing else found
    page = paging.page(found.prefetch_related(_live_accounts()), by="name", **lists.cursor(request))
    counts = ExternalRole.objects.live().counted_by_standing(partners=True) | {"": Partner.objects.count()}
    context = {
        "rows": _rows(page.rows),
        "now": timezone.now(),
        "total": counts[""],
        "searched": text,
        "chips": lists.chips(request, "standing", wording.STANDINGS, counts),
        "all_url": lists.address(request, q="", standing=""),
        "can_register": PermissionSet.objects.exists(),
        **lists.pager(request, page),
    }
    return render(request, "admins/partners.html", context)


@platform_admin_required
@require_safe
def partner(request: PersonRequest, uuid: UUID) -> HttpResponse:
    row = get_object_or_404(Partner.objects.select_related("created_by").prefetch_related(_live_accounts()), uuid=uuid)
    roles = [role for account in row.accounts.all() for role in account.roles.all()]
    ended = ExternalRole.objects.filter(account__partner=row, state=State.RETIRED).select_related("account")
    last = Validation.objects.latest_of(roles)
    context = {
        "partner": row,
        "accounts": [
            (account, [(role, last.get(role.pk)) for role in account.roles.all()]) for account in row.accounts.all()
        ],
        "roles": len(roles),
        "ended": ended.order_by("-state_since")[:50],
    }
    return render(request, "admins/partner.html", context)


@platform_admin_required
@require_http_methods(["GET", "HEAD", "POST"])
def register(request: PersonRequest) -> HttpResponse:
    form = RegisterForm(request.POST or None)
    if form.is_valid():
        role = form.attempt(
            lambda: registration.register_together(
                form.partner_details, form.account_details, form.role_details, by=request.user
            )
        )
        if role:
            return links.show_new_link(request, role.account, expected="")
    context = {"form": form, "can_register": PermissionSet.objects.exists()}
    return render(request, "admins/register.html", context)


@platform_admin_required
@require_POST
def register_preview(request: PersonRequest) -> HttpResponse:
    """What the partner would read and paste; nothing is stored, and what is still missing is no error yet."""
    form = RegisterForm(request.POST)
    shown = preview.of(form)
    if request.htmx:  # type: ignore[attr-defined]
        return render(request, "admins/partials/preview.html", {"preview": shown})
    form = RegisterForm(initial=request.POST.dict())
    return render(request, "admins/register.html", {"form": form, "preview": shown, "can_register": True})


@platform_admin_required
@require_http_methods(["GET", "HEAD", "POST"])
def correct_partner(request: PersonRequest, uuid: UUID) -> HttpResponse:
    row = get_object_or_404(Partner, uuid=uuid)
    form = PartnerForm(request.POST or None, initial=PartnerForm.of_partner(row))
    if form.is_valid() and form.succeeds(
        lambda: registration.correct_partner(row, form.partner_details, by=request.user)
    ):
        messages.success(request, _("Saved. The partner's page shows it from now on."))
        return redirect("onboarding:admins:partner", uuid)
    row.refresh_from_db()
    return render(request, "admins/correct_partner.html", {"form": form, "partner": row})


@dataclass(frozen=True, slots=True)
class _Row:
    partner: Partner
    # Of each account, the role that is furthest behind or worst off.
    paths: list[tuple[ExternalAccount, ExternalRole | None]]
    roles: int
    turn: str
    # How long the link of the role that is furthest behind is good for; None where no link matters.
    link: Invitation | None
    validation: Validation | None


def _live_accounts() -> "Prefetch[Any, Any, Any]":
    roles = ExternalRole.objects.live().select_related("permission_set").order_by("role_name", "pk")
    links = Invitation.objects.filter(revoked_at=None)
    accounts = ExternalAccount.objects.live().prefetch_related(Prefetch("roles", roles), Prefetch("invitations", links))
    return Prefetch("accounts", accounts)


def _rows(partners: Sequence[Partner]) -> list[_Row]:
    worst = {row.pk: _worst(role for account in row.accounts.all() for role in account.roles.all()) for row in partners}
    told = Validation.objects.latest_of(role for role in worst.values() if role)
    return [_row(row, worst[row.pk], told) for row in partners]


def _row(partner: Partner, worst: ExternalRole | None, told: dict[int, Validation]) -> _Row:
    accounts = partner.accounts.all()
    paths = [(account, _worst(account.roles.all())) for account in accounts]
    place = next((account for account, role in paths if role == worst), None)
    return _Row(
        partner=partner,
        paths=paths,
        roles=sum(len(account.roles.all()) for account in accounts),
        turn=_turn(worst, told, place) if worst else "",
        link=next(iter(place.invitations.all()), None) if place and worst and worst.state == State.INVITED else None,
        validation=told.get(worst.pk) if worst else None,
    )


def _turn(worst: ExternalRole, told: dict[int, Validation], place: ExternalAccount | None) -> str:
    if (
        worst.state == State.INVITED
        and place
        and not any(link.is_usable(at=timezone.now()) for link in place.invitations.all())
    ):
        return _("You")
    return attention.turn_name(explain(worst, told.get(worst.pk)).turn, worst)


def _worst(roles: Iterable[ExternalRole]) -> ExternalRole | None:
    return min(roles, key=lambda role: concern(State(role.state), used=role.is_used), default=None)
