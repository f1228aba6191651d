"""Telling the admins in time: a link that ends without having been used."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from onboarding.models import Invitation, MailKind
from onboarding.services import mails

_DAYS_BEFORE = timedelta(days=3)
_CHUNK = 100


def remind_of_ending_links() -> None:
    """Once for each term of a link: one that was given more time is told of again before its new end."""
    now = timezone.now()
    # Where links live for a few days only, half of their life would be a reminder.
    soon = min(_DAYS_BEFORE, settings.INVITATION_LIFETIME / 4)
    for invitation in Invitation.objects.to_be_reminded_of(now=now, ending_before=now + soon)[:_CHUNK]:
        _remind(invitation, at=now)


@transaction.atomic
def _remind(invitation: Invitation, *, at: datetime) -> None:
    if Invitation.objects.filter(pk=invitation.pk, reminded_at=None, revoked_at=None).update(reminded_at=at):
        mails.ask_to_tell_admins(MailKind.REMINDER, invitation, at=at)
