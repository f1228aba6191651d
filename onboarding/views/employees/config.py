"""The config as files: downloaded, copied, and in the forms that other tools take."""

from collections.abc import Callable
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from onboarding.core import states
from onboarding.models import Person
from onboarding.models.partner import ExternalRoleQuerySet
from onboarding.permissions import PersonRequest, sign_in_required
from onboarding.services import access, config
from onboarding.services.config import ConfigSnippet
from onboarding.views.employees.offers import snippet_for

_TEXT = "text/plain; charset=utf-8"


@sign_in_required
@require_safe
def download_config(request: PersonRequest) -> HttpResponse:
    return _download(request, "config", lambda snippet: snippet.file_text, content_type=_TEXT)


@sign_in_required
@require_safe
def download_plain(request: PersonRequest) -> HttpResponse:
    return _download(request, "config", config.plain_text, content_type=_TEXT)


@sign_in_required
@require_safe
def download_switch_roles(request: PersonRequest) -> HttpResponse:
    return _download(request, "switch-roles.ini", config.switch_roles_text, content_type=_TEXT)


@sign_in_required
@require_safe
def download_granted(request: PersonRequest) -> HttpResponse:
    return _download(request, "granted-registry.zip", config.granted_archive, content_type="application/zip")


def _download(
    request: PersonRequest, name: str, made: Callable[[ConfigSnippet], str | bytes], *, content_type: str
) -> HttpResponse:
    """Where there is nothing to hand out, the page says why: an empty file would do harm in place of a full one."""
    snippet = snippet_for(request.user, access.entitled_roles(request.user, at=timezone.now()))
    content = made(snippet) if snippet and snippet.roles else ""
    if snippet is None or not content:
        return redirect("onboarding:employees:access")
    if request.method == "GET":
        access.note_config_taken(request.user, list(snippet.roles))
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(content, content_type=content_type, headers=headers)


@sign_in_required
@require_POST
def config_copied(request: PersonRequest) -> HttpResponse:
    """Told by the page, also when the config was merged in the browser."""
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
