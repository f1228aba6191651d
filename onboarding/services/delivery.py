"""Sending one mail of the outbox: each kind is made by the service that it belongs to."""

from collections.abc import Callable

from onboarding.models import Mail, MailKind
from onboarding.services import invitations, notifications, outbox, recipients
from onboarding.services.mailing import MailUnavailable

# False where the mail is no longer true, so that it is not sent.
_SEND: dict[str, Callable[[Mail], bool]] = {
    MailKind.LINK: invitations.send_link,
    MailKind.CODE: recipients.send_code,
    MailKind.REMINDER: notifications.mail_reminder,
    MailKind.WITHDRAWAL: notifications.mail_withdrawal,
}


def deliver(pk: int) -> None:
    """Nothing where another worker holds the mail, or it is sent already."""
    mail = outbox.claim(pk)
    if mail is None:
        return
    try:
        is_sent = _SEND[mail.kind](mail)
    except MailUnavailable as trouble:
        outbox.put_off(mail, trouble)
        return
    (outbox.note_sent if is_sent else outbox.drop)(mail)
