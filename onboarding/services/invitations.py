"""Invitations: issuing links, ending them, and answering whoever holds one. Only digests of links are stored."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from onboarding.core import identifiers
from onboarding.core.errors import OnboardingError
from onboarding.core.states import Event, State
from onboarding.models import ExternalAccount, ExternalRole, Invitation, Mail, MailKind, Person
from onboarding.models.invitation import InvitationQuerySet
from onboarding.services import audit, mails, notifications, transitions
from onboarding.services.mailing import MailUnavailable
from onboarding.services.outbox import NoLongerWanted

# A partner who asks again and again for a new link gets one mail in this time.
_ASK_AGAIN_AFTER = timedelta(minutes=10)


class NothingToHandOff(OnboardingError):
    """The account has no live role that a partner could return."""


class AlreadyIssued(OnboardingError):
    """Another link was made since the admin's page was loaded: a reload, a double click or a colleague."""


class NoLongerUsable(OnboardingError):
    """The invitation was revoked or replaced meanwhile."""


@dataclass(frozen=True, slots=True)
class IssuedInvitation:
    """The link token exists here and in the partner's hands; it cannot be shown a second time."""

    invitation: Invitation
    link_token: str


@transaction.atomic
def issue_invitation(
    account: ExternalAccount, *, by: Person, expected: str | None = None, verify_recipient: bool = False
) -> IssuedInvitation:
    """A link that the admin sends. It replaces the account's earlier one, which ends at once.

    `expected` is the UUID of the link that the admin saw, empty where there was none: a reload or a double click must
    not end the link that was just made. Raises `NothingToHandOff`, `AlreadyIssued`.
    """
    link_token = identifiers.new_link_token()
    digest = identifiers.token_digest(link_token)
    invitation = _replace(account, by=by, expected=expected, verify_recipient=verify_recipient, token_digest=digest)
    return IssuedInvitation(invitation, link_token)


@transaction.atomic
def mail_invitation(
    account: ExternalAccount, *, by: Person, expected: str | None = None, verify_recipient: bool = False
) -> Invitation:
    """The same, but the portal mails it; nobody, not even the admin, sees its token. Raises as above."""
    invitation = _replace(account, by=by, expected=expected, verify_recipient=verify_recipient, token_digest=None)
    mails.ask_once(MailKind.LINK, invitation, at=invitation.issued_at)
    return invitation


@transaction.atomic
def resend_link(invitation: Invitation, *, by: Person) -> None:
    """Mail the link anew: what was sent before opens nothing from then on. Raises `NoLongerUsable`."""
    if not Invitation.objects.filter(pk=invitation.pk, revoked_at=None).exists():
        raise NoLongerUsable
    now = timezone.now()
    mails.ask_once(MailKind.LINK, invitation, at=now)
    _tell("invitation_resent", invitation, at=now, by=by)


def send_link(mail: Mail) -> None:
    """Make the token at the moment of sending; where the mail server refuses it, the one before holds on.

    Raises `NoLongerWanted` where the link was revoked meanwhile, and `MailUnavailable`.
    """
    invitation, link_token = mail.invitation, identifiers.new_link_token()
    expires_at = timezone.now() + settings.INVITATION_LIFETIME
    digest = identifiers.token_digest(link_token)
    fresh = {"token_digest": digest, "expires_at": expires_at, "reminded_at": None}
    before = {name: getattr(invitation, name) for name in fresh}
    this = Invitation.objects.filter(pk=invitation.pk, revoked_at=None)
    if not this.filter(token_digest=before["token_digest"]).update(**fresh):
        raise NoLongerWanted
    try:
        notifications.mail_link(mail, link_token, expires_at=expires_at)
    except MailUnavailable:
        this.filter(token_digest=digest).update(**before)
        raise


@transaction.atomic
def revoke_invitation(invitation: Invitation, *, by: Person) -> None:
    now = timezone.now()
    if Invitation.objects.filter(pk=invitation.pk, revoked_at=None).update(revoked_at=now):
        _tell("invitation_revoked", invitation, at=now, by=by)


@transaction.atomic
def extend_invitation(invitation: Invitation, *, by: Person) -> datetime:
    """Give the link its full time again from now on, also where it had expired. Raises `NoLongerUsable`."""
    now = timezone.now()
    expires_at = now + settings.INVITATION_LIFETIME
    same = Invitation.objects.filter(pk=invitation.pk, revoked_at=None)
    if not same.update(expires_at=expires_at, reminded_at=None):
        raise NoLongerUsable
    _tell("invitation_extended", invitation, at=now, by=by)
    return expires_at


@transaction.atomic
def choose_verification(invitation: Invitation, *, verify_recipient: bool, by: Person) -> None:
    """Whether the holder has to show that mail to the registered address reaches them. Raises `NoLongerUsable`."""
    same = Invitation.objects.filter(pk=invitation.pk, revoked_at=None)
    if not same.update(verify_recipient=verify_recipient):
        raise NoLongerUsable
    facts = {"verify_recipient": verify_recipient}
    audit.append("recipient_verification_chosen", invitation, at=timezone.now(), by=by, facts=facts)


def find_by_token(link_token: str) -> Invitation | None:
    """The invitation, also when it has expired; None alike for an unknown and for a revoked one, in one query."""
    digest = identifiers.token_digest(link_token)
    return _with_owner().filter(token_digest=digest, revoked_at=None).first()


def find_held(uuid: str, token_digest: str) -> Invitation | None:
    """The invitation that a session holds; None where it was revoked, or its token replaced, meanwhile."""
    return _with_owner().filter(uuid=uuid, token_digest=token_digest, revoked_at=None).first()


def note_opened(invitation: Invitation) -> None:
    """An observation and no right: it may have been a mail scanner."""
    now = timezone.now()
    Invitation.objects.filter(pk=invitation.pk).update(times_opened=F("times_opened") + 1)
    Invitation.objects.filter(pk=invitation.pk, opened_at=None).update(opened_at=now)


def note_copied(invitation: Invitation) -> None:
    Invitation.objects.filter(pk=invitation.pk, copied_at=None).update(copied_at=timezone.now())


@transaction.atomic
def ask_for_new_link(invitation: Invitation) -> None:
    """The holder of an expired link asks; the answer goes to the registered address only, once in a while."""
    now = timezone.now()
    asked = Invitation.objects.filter(pk=invitation.pk, revoked_at=None, expires_at__lte=now).exclude(
        new_link_asked_at__gt=now - _ASK_AGAIN_AFTER
    )
    if asked.update(new_link_asked_at=now):
        mails.ask_once(MailKind.LINK, invitation, at=now)
        audit.append("new_link_asked_for", invitation, at=now, label=partner_label(invitation))


def roles_of(invitation: Invitation) -> list[ExternalRole]:
    """The live roles of the invitation's account, as its page shows them."""
    live = ExternalRole.objects.live().with_owner().select_related("created_by")
    return list(live.filter(account=invitation.account).order_by("pk"))


def retired_since(invitation: Invitation) -> list[ExternalRole]:
    """Roles whose door was shown to be shut since the link was made: its page says so, and then they are gone."""
    ended = ExternalRole.objects.filter(account=invitation.account, state=State.RETIRED).exclude(role_arn="")
    return list(ended.filter(state_since__gte=invitation.issued_at).with_owner().order_by("state_since"))


def partner_label(invitation: Invitation) -> str:
    """How the audit log names a partner, who has no account."""
    return f"{invitation.account.partner.name} ({invitation.reference})"


def _replace(
    account: ExternalAccount, *, by: Person, expected: str | None, verify_recipient: bool, token_digest: str | None
) -> Invitation:
    # Two at once must wait for each other, or both would make a link.
    account = ExternalAccount.objects.select_for_update(of=("self",)).select_related("partner").get(pk=account.pk)
    roles = list(account.roles.live())
    if not roles:
        raise NothingToHandOff
    current = account.invitations.filter(revoked_at=None).first()
    if expected is not None and expected != (str(current.uuid) if current else ""):
        raise AlreadyIssued
    now = timezone.now()
    account.invitations.filter(revoked_at=None).update(revoked_at=now)
    invitation = Invitation.objects.create(
        account=account,
        token_digest=token_digest,
        issued_at=now,
        issued_by=by,
        expires_at=now + settings.INVITATION_LIFETIME,
        verify_recipient=verify_recipient,
    )
    for role in roles:
        if role.is_correctable:
            transitions.move(role, Event.INVITED, at=now)
    _tell("invitation_issued", invitation, at=now, by=by)
    return invitation


def _with_owner() -> InvitationQuerySet:
    return Invitation.objects.select_related("account__partner", "issued_by")


def _tell(action: str, invitation: Invitation, *, at: datetime, by: Person) -> None:
    facts = {"account": invitation.account.account_id, "expires_at": invitation.expires_at.isoformat()}
    audit.append(action, invitation, at=at, by=by, facts=facts)
