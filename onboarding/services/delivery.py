"""Sending one mail about a link: each kind is made by the service that it belongs to."""

from collections.abc import Callable

from onboarding.models import Mail, MailKind
from onboarding.services import invitations, mails, notifications, recipients

_SEND: dict[str, Callable[[Mail], None]] = {
    MailKind.LINK: invitations.send_link,
    MailKind.CODE: recipients.send_code,
    MailKind.REMINDER: notifications.mail_reminder,
    MailKind.WITHDRAWAL: notifications.mail_withdrawal,
}


def deliver(pk: int) -> None:
    """One attempt; nothing where another worker holds the mail, or it is sent already."""
    mails.OUTBOX.deliver(pk, lambda mail: _SEND[mail.kind](mail))
