"""Sending one mail, and what all mails have in common."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from smtplib import SMTPException
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import pgettext

_LONGEST_SUBJECT: Final = 200


class MailUnavailable(Exception):
    """The mail server did not take the mail; an outage, so it is tried again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """The same as plain text and as HTML."""

    subject: str
    text: str
    html: str


def send(letter: Letter, *, to: str, number: str) -> None:
    """Under a Message-ID made of `number`: a mailbox shows once what a server took twice. Raises `MailUnavailable`."""
    mail = EmailMultiAlternatives(
        letter.subject,
        letter.text,
        to=[to],
        reply_to=[settings.CONTACT_EMAIL] if settings.CONTACT_EMAIL else None,
        headers={
            "Message-ID": f"<{number}@{urlsplit(settings.PUBLIC_URL).hostname}>",
            "Auto-Submitted": "auto-generated",
        },
    )
    mail.attach_alternative(letter.html, "text/html")
    connection = get_connection()
    try:
        connection.open()
        connection.send_messages([mail])
    except (SMTPException, OSError) as error:
        raise MailUnavailable(type(error).__name__) from error
    finally:
        # A server that took the mail and then fails to say goodbye has taken the mail.
        with suppress(SMTPException, OSError):
            connection.close()


def subject_line(text: str) -> str:
    """Whatever was typed into a name: a subject is one line, and nothing in it turns the direction of text around."""
    words = " ".join(text.split())
    return "".join(character for character in words if character.isprintable())[:_LONGEST_SUBJECT]


def in_words(at: datetime) -> str:
    """With its zone: a mail has no footer that names it."""
    local = timezone.localtime(at)
    return f"{date_format(local, pgettext('date format', 'j F Y, H:i'))} {local.tzname()}"
