"""Mails about links are asked for in the transaction that wants them."""

from datetime import datetime, timedelta
from typing import Final

from onboarding import queue
from onboarding.models import ExternalRole, Invitation, Mail, MailKind, Person
from onboarding.services.outbox import Outbox

OUTBOX: Final[Outbox[Mail]] = Outbox(
    rows=lambda: Mail.objects.select_related("invitation__account__partner", "external_role", "to"),
    task=queue.SEND_MAIL,
    # Whoever waits for a code waits before the page.
    patience=lambda mail: timedelta(minutes=10) if mail.kind == MailKind.CODE else timedelta(days=1),
)


def ask_once(kind: MailKind, invitation: Invitation, *, at: datetime) -> None:
    """To the partner. One that is under way is enough: what it carries is made when it is sent."""
    now = {"asked_at": at, "queued_at": at, "next_try_at": at}
    mail, made = Mail.objects.under_way().get_or_create(kind=kind, invitation=invitation, defaults=now)
    # One that was put off is tried at once: whoever asks may have mended what was wrong.
    if made or Mail.objects.put_off().filter(pk=mail.pk).update(**now):
        queue.on_commit(queue.SEND_MAIL, mail.pk)


def ask_to_tell_admins(
    kind: MailKind, invitation: Invitation, *, at: datetime, role: ExternalRole | None = None
) -> None:
    now = {"asked_at": at, "queued_at": at, "next_try_at": at}
    for admin in Person.objects.platform_admins():
        mail = Mail.objects.create(kind=kind, invitation=invitation, external_role=role, to=admin, **now)
        queue.on_commit(queue.SEND_MAIL, mail.pk)
