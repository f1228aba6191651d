"""An employee's roles, and how the own config is to be."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.forms import BoundField
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import trigger_client_event

from onboarding import messages, paging
from onboarding.core import states
from onboarding.core.awsconfig import with_prefix
from onboarding.core.console import SwitchRole, switch_role
from onboarding.forms.employees import ConfigChoicesForm
from onboarding.models import ExternalRole
from onboarding.models.partner import ExternalRoleQuerySet
from onboarding.permissions import PersonRequest, sign_in_required
from onboarding.services import access, choices
from onboarding.services.choices import Choices
from onboarding.services.config import ConfigSnippet
from onboarding.views.employees.computers import OwnLaptop
from onboarding.views.employees.offers import Offer, Replacing, snippet_for


@sign_in_required
@require_safe
def access_page(request: PersonRequest) -> HttpResponse:
    return render(request, "employees/access.html", _context(request))


@sign_in_required
@require_POST
def choose(request: PersonRequest) -> HttpResponse:
    """The rows that stood on the page belong to it; with htmx, these and the config are answered anew."""
    entitled = access.entitled_roles(request.user, at=timezone.now())
    open_roles = list(entitled.filter(state__in=states.HANDED_OUT))
    shown = set(request.POST.getlist("shown"))
    form = ConfigChoicesForm(request.POST, roles=[role for role in open_roles if str(role.uuid) in shown])
    is_saved = form.is_valid()
    if is_saved:
        choices.choose(request.user, form.choices, seen=open_roles)
    if request.htmx:  # type: ignore[attr-defined]
        answer = render(request, "employees/chosen.html", _context(request, form=form) | {"saved": is_saved})
        return trigger_client_event(answer, "announce", {"value": _("Saved") if is_saved else _("Not saved")})
    back = f"{reverse('onboarding:employees:access')}?{request.GET.urlencode()}".removesuffix("?")
    return redirect(back) if is_saved else render(request, "employees/access.html", _context(request, form=form))


def _context(request: PersonRequest, *, form: ConfigChoicesForm | None = None) -> dict[str, object]:
    now = timezone.now()
    entitled = access.entitled_roles(request.user, at=now)
    roles = list(entitled)
    chosen = choices.choices_of(request.user)
    snippet = snippet_for(request.user, roles, choices=chosen)
    search = Search.asked(request)
    page = paging.page(search.found(entitled), by="profile_name", after=search.after, before=search.before)
    form = form or ConfigChoicesForm.of(chosen, roles=[role for role in page.rows if role.is_handed_out])
    return {
        "roles": roles,
        "rows": _rows(page.rows, snippet, access.granted_until(request.user, at=now), chosen, form),
        "next_url": search.url(after=page.next) if page.next else "",
        "previous_url": search.url(before=page.previous) if page.previous else "",
        "search": search,
        "filters": search.filters(roles),
        "laptop": OwnLaptop.of(request.user, at=now),
        "snippet": snippet,
        "offer": Offer.of(snippet) if snippet and snippet.roles else None,
        "form": form,
        "can_choose": any(role.is_handed_out for role in roles),
        "replacing": Replacing(),
    }


# --- The list -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """`tick` and `region` belong to the form of choices; None where the role is not handed out."""

    role: ExternalRole
    name: str
    # What is copied of it; empty where it is left out of the config.
    section: str
    why: str
    until: datetime | None
    tick: BoundField | None
    region: BoundField | None
    console: SwitchRole | None

    @property
    def no_link(self) -> str:
        return messages.no_console_link(self.console.no_link) if self.console and self.console.no_link else ""


def _rows(
    roles: Iterable[ExternalRole],
    snippet: ConfigSnippet | None,
    until: dict[int, datetime],
    chosen: Choices,
    form: ConfigChoicesForm,
) -> list[Row]:
    texts = snippet.section_texts if snippet else {}
    rows = []
    for role in roles:
        name = with_prefix(chosen.name_prefix, role.profile_name)
        is_open = role.is_handed_out and f"take-{role.uuid}" in form.fields
        rows.append(
            Row(
                role=role,
                name=name,
                section=texts.get(f"profile {name}", ""),
                why=messages.to_employee(role),
                until=until.get(role.pk),
                tick=form.tick(role) if is_open else None,
                region=form.region(role) if is_open else None,
                console=_console(role),
            )
        )
    return rows


def _console(role: ExternalRole) -> SwitchRole | None:
    arn = role.arn if role.is_handed_out and role.console_access else None
    return switch_role(arn, display_name=role.profile_name) if arn else None


@dataclass(frozen=True, slots=True)
class Filter:
    label: str | Promise
    url: str
    count: int
    current: bool


_ALL, _OUT, _WITHHELD = "", "handed-out", "withheld"
_FILTERS = {_ALL: gettext_lazy("All"), _OUT: gettext_lazy("Handed out"), _WITHHELD: gettext_lazy("Withheld")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What the address asks for."""

    text: str
    show: str
    after: str
    before: str

    @classmethod
    def asked(cls, request: PersonRequest) -> "Search":
        asked = {name: request.GET.get(name, "").replace("\0", "") for name in ("q", "show", "after", "before")}
        show = asked["show"] if asked["show"] in _FILTERS else _ALL
        return cls(text=asked["q"].strip(), show=show, after=asked["after"], before=asked["before"])

    def found(self, roles: ExternalRoleQuerySet) -> ExternalRoleQuerySet:
        if self.text:
            roles = roles.matching(self.text)
        if self.show == _OUT:
            return roles.filter(state__in=states.HANDED_OUT)
        return roles.exclude(state__in=states.HANDED_OUT) if self.show == _WITHHELD else roles

    def filters(self, roles: list[ExternalRole]) -> list[Filter]:
        inside = sum(role.is_handed_out for role in roles)
        counts = {_ALL: len(roles), _OUT: inside, _WITHHELD: len(roles) - inside}
        return [Filter(_FILTERS[show], self.url(show=show), counts[show], show == self.show) for show in _FILTERS]

    def url(self, **other: str) -> str:
        wanted = {"q": self.text, "show": self.show} | other
        return "?" + urlencode({name: value for name, value in wanted.items() if value})
