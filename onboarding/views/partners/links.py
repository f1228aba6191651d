"""The link itself: the token leaves the address bar at once, whatever becomes of it."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from onboarding import limits
from onboarding.permissions import (
    as_stranger,
    held_invitation,
    hold_invitation,
    link_unknown,
    open_to_anyone,
    too_many,
)
from onboarding.services import invitations


@open_to_anyone
@require_safe
def open_link(request: HttpRequest, link_token: str) -> HttpResponse:
    """Known or not, the answer is a redirect: an error page here would put the token into logs and `Referer`."""
    if not limits.may_open(request, link_token):
        return _leave("onboarding:partners:too_many")
    invitation = invitations.find_by_token(link_token)
    if invitation is None:
        return _leave("onboarding:partners:lost")
    # A HEAD comes from a scanner or a preview, and changes nothing.
    if request.method == "GET":
        invitations.note_opened(invitation)
        hold_invitation(request, invitation)
    return _leave("onboarding:partners:handoff", invitation.uuid)


@open_to_anyone
@require_safe
def lost(request: HttpRequest) -> HttpResponse:
    return link_unknown(request)


@open_to_anyone
@require_POST
def ask_for_new_link(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """The same answer for everybody; only the holder of the expired link sets anything going."""
    if not limits.may_send_form(request, uuid):
        return too_many(request)
    invitation = held_invitation(request, uuid)
    if invitation:
        invitations.ask_for_new_link(invitation)
    return _leave("onboarding:partners:asked")


@open_to_anyone
@require_safe
def opened_too_often(request: HttpRequest) -> HttpResponse:
    return too_many(request)


@open_to_anyone
@require_safe
def asked(request: HttpRequest) -> HttpResponse:
    return as_stranger(render(request, "partners/asked.html"))


def _leave(name: str, *arguments: object) -> HttpResponse:
    answer = as_stranger(redirect(name, *arguments))
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer
