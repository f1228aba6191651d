"""Mails, in the language of whoever reads them."""

from datetime import datetime
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import pgettext

from onboarding.models import Invitation


class MailUnavailable(Exception):
    """The mail server did not take the mail; an outage, so the task tries again."""


def mail_link(invitation: Invitation, link_token: str) -> None:
    """Send the link to the partner's registered address, and to no other. Raises `MailUnavailable`."""
    partner = invitation.account.partner
    context: dict[str, object] = {
        "invitation": invitation,
        "partner": partner,
        "organization": settings.ORGANIZATION_NAME,
        "contact_name": settings.CONTACT_NAME,
        "contact_email": settings.CONTACT_EMAIL,
        "link": link_address(link_token),
    }
    with translation.override(partner.language):
        context["expires_at"] = _in_words(invitation.expires_at)
        _send("invitation", context, to=partner.contact_email)


def link_address(link_token: str) -> str:
    """The address that the partner opens; it is shown or mailed, and stored nowhere."""
    return f"{settings.PUBLIC_URL}/i/{link_token}"


def _in_words(at: datetime) -> str:
    """With its zone: a mail has no footer that names it."""
    local = timezone.localtime(at)
    return f"{date_format(local, pgettext('date format', 'j F Y, H:i'))} {local.tzname()}"


def _send(template: str, context: dict[str, object], *, to: str) -> None:
    # A subject is one line whatever was typed into the names in it.
    subject = " ".join(render_to_string(f"emails/{template}_subject.txt", context).split())
    mail = EmailMultiAlternatives(subject, render_to_string(f"emails/{template}.txt", context), to=[to])
    mail.attach_alternative(render_to_string(f"emails/{template}.html", context), "text/html")
    try:
        mail.send()
    except (SMTPException, OSError) as error:
        raise MailUnavailable(type(error).__name__) from error
