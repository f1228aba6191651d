"""Whether mail to the registered address reaches whoever opened a link: a code goes there, and comes back."""

from datetime import timedelta
from typing import Final

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from onboarding.core import identifiers
from onboarding.core.errors import OnboardingError
from onboarding.models import Invitation, Mail, MailKind
from onboarding.services import audit, invitations, mails, notifications
from onboarding.services.outbox import NoLongerWanted

LIFETIME: Final = timedelta(minutes=15)
MOST_TRIES: Final = 5
_ASK_AGAIN_AFTER = timedelta(minutes=1)
_MOST_AN_HOUR = 6


class CodeJustSent(OnboardingError):
    """Another code was asked for a moment ago, or too many in this hour."""


class WrongCode(OnboardingError):
    """Not the code of the newest mail."""


class NoCodeLeft(OnboardingError):
    """The code has run out of time or tries, or none was asked for."""


def ask_for_code(invitation: Invitation) -> None:
    """Mail a code to the registered address, and to no other. Raises `CodeJustSent`."""
    now = timezone.now()
    asked = invitation.mails.filter(kind=MailKind.CODE)
    if (
        asked.filter(asked_at__gt=now - _ASK_AGAIN_AFTER).exists()
        or asked.filter(asked_at__gt=now - timedelta(hours=1)).count() >= _MOST_AN_HOUR
    ):
        raise CodeJustSent
    mails.ask_once(MailKind.CODE, invitation, at=now)


def awaited_mail(invitation: Invitation) -> Mail | None:
    """The mail from which the reader has a code, or will have one; None where they have to ask for one."""
    newest = invitation.mails.filter(kind=MailKind.CODE).first()
    since = timezone.now() - LIFETIME
    return newest if newest and (newest.acknowledged_at or newest.asked_at) > since and not newest.is_given_up else None


def send_code(mail: Mail) -> None:
    """Made at the moment of sending, like a link: only its digest is stored.

    Raises `NoLongerWanted`, `MailUnavailable`.
    """
    invitation, now = mail.invitation, timezone.now()
    if not invitation.is_usable(at=now):
        raise NoLongerWanted
    code = identifiers.new_recipient_code()
    Invitation.objects.filter(pk=invitation.pk).update(
        code_digest=_digest(invitation, code), code_expires_at=now + LIFETIME, code_tries=0
    )
    notifications.mail_code(mail, code)


def check_code(invitation: Invitation, code: str) -> None:
    """A code opens once. Raises `WrongCode`, `NoCodeLeft`."""
    now = timezone.now()
    this = Invitation.objects.filter(pk=invitation.pk).exclude(code_digest="")
    # The try counts before it is looked at: many at once cannot have more of them.
    if not this.filter(code_expires_at__gt=now, code_tries__lt=MOST_TRIES).update(code_tries=F("code_tries") + 1):
        raise NoCodeLeft
    digest = _digest(invitation, code)
    stored = Invitation.objects.values_list("code_digest", flat=True).get(pk=invitation.pk)
    with transaction.atomic():
        if not constant_time_compare(stored, digest) or not this.filter(code_digest=digest).update(code_digest=""):
            raise WrongCode
        audit.append("recipient_verified", invitation, at=now, label=invitations.partner_label(invitation))


def _digest(invitation: Invitation, code: str) -> str:
    # With the portal's key: so few digits could be tried out by whoever reads the database.
    return salted_hmac("onboarding.recipient", f"{invitation.uuid}:{code}", algorithm="sha256").hexdigest()
