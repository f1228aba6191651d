"""Who may open which page: each view is marked with its audience here, and nowhere else is it decided."""

from collections.abc import Callable
from enum import StrEnum
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar, cast
from uuid import UUID

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.utils.cache import add_never_cache_headers
from django.views.decorators.csrf import csrf_exempt

from onboarding.models import ClientToken, Invitation, Person
from onboarding.services import computers, invitations


class Audience(StrEnum):
    ANYONE = "anyone"
    HOLDER_OF_A_LINK = "holder_of_a_link"
    HOLDER_OF_A_TOKEN = "holder_of_a_token"
    SIGNED_IN = "signed_in"
    PLATFORM_ADMIN = "platform_admin"


class PersonRequest(HttpRequest):
    """A request of somebody who has signed in."""

    user: Person


class InvitedRequest(HttpRequest):
    """A request of a partner whose link is good."""

    invitation: Invitation


class ClientRequest(PersonRequest):
    """A request of `portal-config`, in the name of its person."""

    client_token: ClientToken


P = ParamSpec("P")
R = TypeVar("R", bound=HttpRequest)
View = Callable[Concatenate[R, P], HttpResponseBase]
Gate = Callable[..., HttpResponseBase]

_HELD = "invitations"
# A browser that holds more links than this forgets the oldest.
_MOST_HELD = 20


def open_to_anyone(view: Gate) -> Gate:
    return _marked(view, Audience.ANYONE)


def sign_in_required(view: View[PersonRequest, P]) -> Gate:
    @wraps(view)
    def gate(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        return _unstored(view(cast("PersonRequest", request), *args, **kwargs))

    return _marked(gate, Audience.SIGNED_IN)


def platform_admin_required(view: View[PersonRequest, P]) -> Gate:
    @wraps(view)
    def gate(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        if not request.user.is_platform_admin:
            raise PermissionDenied
        return _unstored(view(cast("PersonRequest", request), *args, **kwargs))

    return _marked(gate, Audience.PLATFORM_ADMIN)


def invitation_required(view: View[InvitedRequest, P]) -> Gate:
    """The page of an invitation that this browser has opened by its link; `uuid` in the address says which."""

    @wraps(view)
    def gate(request: HttpRequest, uuid: UUID, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        held = str(uuid) in request.session.get(_HELD, [])
        invitation = invitations.find_held(str(uuid)) if held else None
        if invitation is None:
            return link_unknown(request)
        if invitation.is_expired(at=timezone.now()):
            return link_expired(request, invitation)
        invited = cast("InvitedRequest", request)
        invited.invitation = invitation
        with translation.override(_language(request, invitation)):
            return as_stranger(view(invited, *args, **kwargs))

    return _marked(gate, Audience.HOLDER_OF_A_LINK)


def client_token_required(view: View[ClientRequest, P]) -> Gate:
    """A program's request: no cookie counts here, and so no forged form can reach it."""

    @wraps(view)
    def gate(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        token = computers.find_token(text) if scheme.lower() == "bearer" else None
        if token is None:
            headers = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
            return _unstored(JsonResponse({"error": "invalid_token"}, status=401, headers=headers))
        asked = cast("ClientRequest", request)
        asked.client_token, asked.user = token, token.person
        with translation.override(token.person.language or translation.get_language()):
            return _unstored(view(asked, *args, **kwargs))

    return _marked(csrf_exempt(gate), Audience.HOLDER_OF_A_TOKEN)


def open_to_programs(view: Gate) -> Gate:
    """As `open_to_anyone`, for what no page's form sends."""

    @wraps(view)
    def gate(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return _unstored(view(request, *args, **kwargs))

    return _marked(csrf_exempt(gate), Audience.ANYONE)


def hold_invitation(request: HttpRequest, invitation: Invitation) -> None:
    """Keep in the session that this browser came by the link, so that the token can leave the address bar."""
    held = [uuid for uuid in request.session.get(_HELD, []) if uuid != str(invitation.uuid)]
    request.session[_HELD] = [*held, str(invitation.uuid)][-_MOST_HELD:]


def holds_invitation(request: HttpRequest, uuid: UUID) -> bool:
    return str(uuid) in request.session.get(_HELD, [])


def link_unknown(request: HttpRequest) -> HttpResponse:
    """Lost, mistyped and revoked look alike: a stranger learns nothing from it."""
    return as_stranger(render(request, "partners/link_unknown.html", status=404))


def link_expired(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    with translation.override(_language(request, invitation)):
        page = render(request, "partners/link_expired.html", {"invitation": invitation}, status=410)
    return as_stranger(page)


V = TypeVar("V", bound=Callable[..., HttpResponseBase])
Answer = TypeVar("Answer", bound=HttpResponseBase)


def as_stranger(response: Answer) -> Answer:
    """What every page of a link carries: kept by no cache and by no search engine."""
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return _unstored(response)


def _unstored(response: Answer) -> Answer:
    add_never_cache_headers(response)
    return response


def _language(request: HttpRequest, invitation: Invitation) -> str:
    """What the partner chose on the page, else what we noted of them."""
    chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME)
    return chosen if chosen in dict(settings.LANGUAGES) else invitation.account.partner.language


def _marked(view: V, audience: Audience) -> V:
    view.audience = audience  # type: ignore[attr-defined]
    return view
