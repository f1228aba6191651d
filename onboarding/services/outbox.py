"""Mails are asked for in the transaction that wants them, and tried until the mail server takes them."""

from datetime import datetime, timedelta

import structlog
from django.db.models import F
from django.utils import timezone

from onboarding import queue
from onboarding.models import ExternalRole, Invitation, Mail, MailKind, Person, PortalRole
from onboarding.services.mailing import MailUnavailable

log = structlog.get_logger(__name__)

# Longer than a mail server may take (EMAIL_TIMEOUT): only a worker that is gone loses its claim.
_LEASE = timedelta(minutes=2)
_FIRST_GAP = timedelta(seconds=30)
_LONGEST_GAP = timedelta(hours=1)
# How long the broker may hold a task before the sweeper takes it for lost.
_LOST_AFTER = timedelta(seconds=30)
_PATIENCE = timedelta(days=1)
# Whoever waits for a code waits before the page.
_PATIENCE_FOR_CODE = timedelta(minutes=10)
_CHUNK = 100


def ask_once(kind: MailKind, invitation: Invitation, *, at: datetime) -> None:
    """To the partner. One that waits already is enough: what it carries is made when it is sent."""
    mail, made = Mail.objects.get_or_create(
        kind=kind, invitation=invitation, next_try_at__isnull=False, defaults={"asked_at": at, "next_try_at": at}
    )
    # One that was put off is tried at once: whoever asks may have mended what was wrong.
    if made or Mail.objects.put_off().filter(pk=mail.pk).update(asked_at=at, next_try_at=at):
        queue.on_commit(queue.SEND_MAIL, mail.pk)


def ask_to_tell_admins(
    kind: MailKind, invitation: Invitation, *, at: datetime, role: ExternalRole | None = None
) -> None:
    for admin in Person.objects.filter(is_active=True, portal_role=PortalRole.PLATFORM_ADMIN):
        mail = Mail.objects.create(
            kind=kind, invitation=invitation, external_role=role, to=admin, asked_at=at, next_try_at=at
        )
        queue.on_commit(queue.SEND_MAIL, mail.pk)


def claim(pk: int) -> Mail | None:
    """None where another worker holds it, or where it is sent or given up."""
    now = timezone.now()
    due = Mail.objects.due(now).filter(pk=pk)
    if not due.update(next_try_at=now + _LEASE, tries=F("tries") + 1, trouble=""):
        return None
    return Mail.objects.select_related("invitation__account__partner", "external_role", "to").get(pk=pk)


def note_sent(mail: Mail) -> None:
    Mail.objects.filter(pk=mail.pk).update(sent_at=timezone.now(), next_try_at=None, trouble="")


def drop(mail: Mail) -> None:
    """What it was to say is no longer true."""
    Mail.objects.filter(pk=mail.pk).update(next_try_at=None, trouble="")


def put_off(mail: Mail, trouble: MailUnavailable) -> None:
    """Try again later, in growing gaps; at last give up, which the admins' pages show."""
    now = timezone.now()
    gap = min(_FIRST_GAP * 2 ** min(mail.tries - 1, 10), _LONGEST_GAP)
    patience = _PATIENCE_FOR_CODE if mail.kind == MailKind.CODE else _PATIENCE
    again = now + gap if now + gap < mail.asked_at + patience else None
    log.warning("mail_not_taken", mail=mail.pk, kind=mail.kind, trouble=str(trouble), given_up=again is None)
    Mail.objects.filter(pk=mail.pk).update(next_try_at=again, trouble=str(trouble)[:80])


def requeue_due() -> None:
    """What waits for its next try, and what the broker has lost."""
    now = timezone.now()
    late = Mail.objects.due(now - _LOST_AFTER)
    due = list(late.order_by("next_try_at").values_list("pk", flat=True)[:_CHUNK])
    # Not those that a worker has claimed since.
    late.filter(pk__in=due).update(next_try_at=now)
    for pk in due:
        if not queue.send(queue.SEND_MAIL, pk):
            return
