"""An employee's roles, and the config that leads to them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode
from uuid import UUID

import structlog
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from onboarding import messages, paging
from onboarding.core import states
from onboarding.core.awsconfig import PartnerProfile
from onboarding.core.errors import OnboardingError
from onboarding.models import ExternalRole, Person
from onboarding.models.partner import ExternalRoleQuerySet
from onboarding.permissions import PersonRequest, sign_in_required
from onboarding.services import access, config
from onboarding.services.config import ConfigSnippet
from onboarding.views.employees.computers import OwnLaptop

log = structlog.get_logger(__name__)

# So many partner profiles are shown; all are copied and downloaded.
_PREVIEWED = 2


@sign_in_required
@require_safe
def access_page(request: PersonRequest) -> HttpResponse:
    now = timezone.now()
    entitled = access.entitled_roles(request.user, at=now)
    roles = list(entitled)
    snippet = _offered(request.user, roles)
    search = Search.asked(request)
    page = paging.page(search.found(entitled), by="profile_name", after=search.after, before=search.before)
    shown = {
        "roles": roles,
        "rows": _rows(page.rows, snippet, access.granted_until(request.user, at=now)),
        "next_url": search.url(after=page.next) if page.next else "",
        "previous_url": search.url(before=page.previous) if page.previous else "",
        "search": search,
        "filters": search.filters(roles),
        "snippet": snippet,
        "offer": Offer.of(snippet) if snippet and snippet.roles else None,
        "laptop": OwnLaptop.of(request.user, at=now),
    }
    return render(request, "employees/access.html", shown)


@sign_in_required
@require_safe
def download_config(request: PersonRequest) -> HttpResponse:
    """Where there is nothing to hand out, the page says why: an empty file would do harm in place of a full one."""
    snippet = _offered(request.user, access.entitled_roles(request.user, at=timezone.now()))
    if snippet is None or not snippet.roles:
        return redirect("onboarding:employees:access")
    if request.method == "GET":
        access.note_config_taken(request.user, list(snippet.roles))
    headers = {"Content-Disposition": 'attachment; filename="config"'}
    return HttpResponse(snippet.text, content_type="text/plain; charset=utf-8", headers=headers)


@sign_in_required
@require_POST
def config_copied(request: PersonRequest) -> HttpResponse:
    return _note_copied(request.user, access.entitled_roles(request.user, at=timezone.now()))


@sign_in_required
@require_POST
def profile_copied(request: PersonRequest, uuid: UUID) -> HttpResponse:
    return _note_copied(request.user, access.entitled_roles(request.user, at=timezone.now()).filter(uuid=uuid))


def _note_copied(person: Person, entitled: ExternalRoleQuerySet) -> HttpResponse:
    roles = list(entitled.filter(state__in=states.HANDED_OUT))
    if not roles:
        raise Http404
    access.note_config_taken(person, roles)
    return HttpResponse(status=204)


def _offered(person: Person, roles: Iterable[ExternalRole]) -> ConfigSnippet | None:
    """None where a stored value could become syntax in the file: then nothing of it is offered."""
    try:
        return config.config_snippet(person, roles)
    except OnboardingError as error:
        where = {name: getattr(error, name, "") for name in ("section", "key", "name")}
        log.error("config_not_offered", person=str(person.uuid), error=type(error).__name__, **where)  # noqa: TRY400
        return None


# --- The list -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Row:
    role: ExternalRole
    # What is copied of it; empty where it is left out of the config.
    section: str
    why: str
    until: datetime | None


def _rows(roles: Iterable[ExternalRole], snippet: ConfigSnippet | None, until: dict[int, datetime]) -> list[Row]:
    texts = snippet.section_texts if snippet else {}
    return [
        Row(role, texts.get(f"profile {role.profile_name}", ""), messages.to_employee(role), until.get(role.pk))
        for role in roles
    ]


@dataclass(frozen=True, slots=True)
class Filter:
    label: str | Promise
    url: str
    count: int
    current: bool


_ALL, _IN_CONFIG, _LEFT_OUT = "", "config", "left-out"
_FILTERS = {_ALL: _("All"), _IN_CONFIG: _("In your config"), _LEFT_OUT: _("Left out")}


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
        if self.show == _IN_CONFIG:
            return roles.filter(state__in=states.HANDED_OUT)
        return roles.exclude(state__in=states.HANDED_OUT) if self.show == _LEFT_OUT else roles

    def filters(self, roles: list[ExternalRole]) -> list[Filter]:
        inside = sum(role.is_handed_out for role in roles)
        counts = {_ALL: len(roles), _IN_CONFIG: inside, _LEFT_OUT: len(roles) - inside}
        return [Filter(_FILTERS[show], self.url(show=show), counts[show], show == self.show) for show in _FILTERS]

    def url(self, **other: str) -> str:
        wanted = {"q": self.text, "show": self.show} | other
        return "?" + urlencode({name: value for name, value in wanted.items() if value})


# --- The config ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """The config as the page shows it: how it begins, the commands, and one role as the example."""

    preview: str
    marks: dict[int, str]
    lines: int
    example: PartnerProfile
    sign_in: str
    use: str
    check: str
    place_unix: str = "mkdir -p ~/.aws\nmv -i ~/Downloads/config ~/.aws/config"
    # Without -Force, PowerShell moves nothing over a file that is there.
    place_windows: str = "mkdir -Force ~\\.aws\nmv ~\\Downloads\\config ~\\.aws\\config"

    @classmethod
    def of(cls, snippet: ConfigSnippet) -> "Offer":
        preview, marks = _preview(snippet)
        example = _example(snippet)
        sign_in = [f"aws sso login --sso-session {session.name}" for session in snippet.config.sessions]
        return cls(
            preview=preview,
            marks=marks,
            lines=snippet.text.count("\n"),
            example=example,
            sign_in="\n".join(sign_in),
            use=f"aws s3 ls --profile {example.name}",
            check=f"aws sts get-caller-identity --profile {example.name}",
        )


def _example(snippet: ConfigSnippet) -> PartnerProfile:
    """A role that surely opens, if there is one."""
    pairs = zip(snippet.roles, snippet.config.partners, strict=True)
    proven = (profile for role, profile in pairs if role.state == states.State.PROVEN)
    return next(proven, snippet.config.partners[0])


def _preview(snippet: ConfigSnippet) -> tuple[str, dict[int, str]]:
    texts = list(snippet.section_texts.values())
    shown = len(texts) - len(snippet.roles) + _PREVIEWED
    left = len(texts) - shown
    if left <= 1:
        return snippet.text, {}
    beginning = "\n".join(texts[:shown])
    gap = ngettext("… %(count)d more profile", "… %(count)d more profiles", left) % {"count": left}
    return f"{beginning}\n{gap}", {beginning.count("\n") + 2: "gap"}
