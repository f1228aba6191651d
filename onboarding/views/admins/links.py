"""Hand-off links: a new one is shown once, in the answer to the press that made it."""

from functools import partial
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_POST

from onboarding.core.errors import OnboardingError
from onboarding.letters import hand_off_letter
from onboarding.messages import sentence
from onboarding.models import ExternalAccount, Invitation, Partner
from onboarding.permissions import PersonRequest, platform_admin_required
from onboarding.services import invitations, notifications
from onboarding.views.admins.answers import tell


@platform_admin_required
@require_POST
def issue(request: PersonRequest, uuid: UUID) -> HttpResponse:
    account = get_object_or_404(ExternalAccount.objects.live().select_related("partner"), uuid=uuid)
    # The link that the admin saw: a double click must not end the one that was just made.
    expected, verify = request.POST.get("current", ""), "verify_recipient" in request.POST
    if "mail" not in request.POST:
        return show_new_link(request, account, expected=expected, verify_recipient=verify)
    mail = partial(invitations.mail_invitation, account, by=request.user, expected=expected, verify_recipient=verify)
    tell(request, mail, done=_on_its_way(account.partner))
    return redirect("onboarding:admins:account", uuid)


@platform_admin_required
@require_POST
def resend(request: PersonRequest, uuid: UUID) -> HttpResponse:
    link = _link(uuid)
    mail = partial(invitations.resend_link, link, by=request.user)
    tell(request, mail, done=_on_its_way(link.account.partner))
    return redirect("onboarding:admins:account", link.account.uuid)


@platform_admin_required
@require_POST
def choose_verification(request: PersonRequest, uuid: UUID) -> HttpResponse:
    link, wanted = _link(uuid), request.POST.get("verify_recipient") == "on"
    choose = partial(invitations.choose_verification, link, verify_recipient=wanted, by=request.user)
    asks = _("Whoever opens the link is asked for a code from their mail, also where it has been opened before.")
    tell(request, choose, done=asks if wanted else _("The link opens without a code."))
    return redirect("onboarding:admins:account", link.account.uuid)


@platform_admin_required
@require_POST
def extend(request: PersonRequest, uuid: UUID) -> HttpResponse:
    link = _link(uuid)
    try:
        until = invitations.extend_invitation(link, by=request.user)
    except OnboardingError as error:
        messages.error(request, sentence(error))
    else:
        shown = date_format(localtime(until), pgettext("date format", "j F Y, H:i"))
        names = {"partner": link.account.partner.name, "until": shown}
        messages.success(request, _("The link of %(partner)s is good until %(until)s.") % names)
    return redirect("onboarding:admins:account", link.account.uuid)


@platform_admin_required
@require_POST
def revoke(request: PersonRequest, uuid: UUID) -> HttpResponse:
    link = _link(uuid)
    done = _("The link is revoked: whoever opens it is told nothing. Make a new one when you want to ask again.")
    tell(request, lambda: invitations.revoke_invitation(link, by=request.user), done=done)
    return redirect("onboarding:admins:account", link.account.uuid)


def show_new_link(
    request: PersonRequest, account: ExternalAccount, *, expected: str, verify_recipient: bool = False
) -> HttpResponse:
    """Make a link and show it in this answer, which no cache keeps; a reload does not make a second one."""
    try:
        issued = invitations.issue_invitation(
            account, by=request.user, expected=expected, verify_recipient=verify_recipient
        )
    except OnboardingError as error:
        messages.error(request, sentence(error))
        return redirect("onboarding:admins:account", account.uuid)
    link = notifications.link_address(issued.link_token)
    language = account.partner.mail_language
    context = {
        "account": account,
        "invitation": issued.invitation,
        "link": link,
        "letter": hand_off_letter(issued.invitation, link, language=language),
    }
    return render(request, "admins/new_link.html", context)


def _on_its_way(partner: Partner) -> str:
    return _("The mail is on its way to %(address)s. Its link is made when it goes out, and nobody here sees it.") % {
        "address": partner.contact_email
    }


def _link(uuid: UUID) -> Invitation:
    return get_object_or_404(Invitation.objects.select_related("account__partner"), uuid=uuid)
