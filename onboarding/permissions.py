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
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.cache import add_never_cache_headers
from django.views.decorators.csrf import csrf_exempt

from onboarding import limits
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
_VERIFIED = "verified_invitations"
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


def link_required(view: View[InvitedRequest, P]) -> Gate:
    """Whoever has opened the link in this browser, while it is good; `uuid` in the address says which.

    What is sent, and so may change something, is counted for the link and for the address that it comes from.
    """

    @wraps(view)
    def gate(request: HttpRequest, uuid: UUID, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if request.method == "POST" and not limits.may_send_form(request, uuid):
            return too_many(request)
        invitation = held_invitation(request, uuid)
        if invitation is None:
            return link_unknown(request)
        if invitation.is_expired(at=timezone.now()):
            return link_expired(request, invitation)
        invited = cast("InvitedRequest", request)
        invited.invitation = invitation
        return _spoken(request, invitation, lambda: view(invited, *args, **kwargs))

    return _marked(gate, Audience.HOLDER_OF_A_LINK)


def invitation_required(view: View[InvitedRequest, P]) -> Gate:
    """The pages of an invitation; where an admin wants to know the recipient, only after the code from their mail."""

    @wraps(view)
    def gate(request: InvitedRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        invitation = request.invitation
        if invitation.verify_recipient and not is_verified(request):
            return redirect("onboarding:partners:recipient", invitation.uuid)
        return view(request, *args, **kwargs)

    return link_required(cast("View[InvitedRequest, P]", gate))


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
    _keep(request, _HELD, invitation)


def note_verified(request: InvitedRequest) -> None:
    """This browser's reader has shown that mail to the registered address reaches them."""
    _keep(request, _VERIFIED, request.invitation)


def is_verified(request: InvitedRequest) -> bool:
    kept: str | None = request.session.get(_VERIFIED, {}).get(str(request.invitation.uuid))
    return kept is not None and kept == request.invitation.token_digest


def held_invitation(request: HttpRequest, uuid: UUID) -> Invitation | None:
    """None too where the link was revoked or replaced since it was opened here."""
    digest = request.session.get(_HELD, {}).get(str(uuid))
    return invitations.find_held(str(uuid), digest) if digest else None


def link_unknown(request: HttpRequest) -> HttpResponse:
    """Lost, mistyped and revoked look alike: a stranger learns nothing from it."""
    return as_stranger(render(request, "partners/link_unknown.html", status=404))


def link_expired(request: HttpRequest, invitation: Invitation) -> HttpResponseBase:
    context = {"invitation": invitation}
    return _spoken(request, invitation, lambda: render(request, "partners/link_expired.html", context, status=410))


def too_many(request: HttpRequest) -> HttpResponse:
    answer = as_stranger(limits.too_many(request, seconds=limits.FORMS_OF_LINK.seconds))
    # A fragment's answer would be dropped: the reader is led to the page that says why nothing happened.
    if request.htmx:  # type: ignore[attr-defined]
        answer.headers["HX-Redirect"] = reverse("onboarding:partners:too_many")
    return answer


V = TypeVar("V", bound=Callable[..., HttpResponseBase])
Answer = TypeVar("Answer", bound=HttpResponseBase)


def as_stranger(response: Answer) -> Answer:
    """What every page of a link carries: kept by no cache and by no search engine."""
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return _unstored(response)


def _unstored(response: Answer) -> Answer:
    add_never_cache_headers(response)
    return response


def _spoken(request: HttpRequest, invitation: Invitation, page: Callable[[], HttpResponseBase]) -> HttpResponseBase:
    """In the language that the reader chose on the page, else that of the partner, else that of the browser."""
    chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME)
    noted = invitation.account.partner.language or translation.get_language()
    language = chosen if chosen in dict(settings.LANGUAGES) else noted
    with translation.override(language):
        answer = as_stranger(page())
    answer.headers["Content-Language"] = language or settings.LANGUAGE_CODE
    return answer


def _keep(request: HttpRequest, what: str, invitation: Invitation) -> None:
    """Bound to the token: one that replaces it has to be opened anew."""
    kept = request.session.get(what, {})
    kept.pop(str(invitation.uuid), None)
    # A key that somebody else may have planted in this browser shall not come to hold the link as well.
    request.session.cycle_key()
    request.session[what] = dict([*kept.items(), (str(invitation.uuid), invitation.token_digest)][-_MOST_HELD:])


def _marked(view: V, audience: Audience) -> V:
    view.audience = audience  # type: ignore[attr-defined]
    return view
