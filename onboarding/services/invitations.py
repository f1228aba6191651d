"""Invitations: issuing links, ending them, and answering whoever holds one. Only digests of links are stored."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from onboarding import queue
from onboarding.core import identifiers
from onboarding.core.errors import OnboardingError
from onboarding.core.states import Event, State
from onboarding.models import ExternalAccount, ExternalRole, Invitation, Person
from onboarding.models.invitation import InvitationQuerySet
from onboarding.services import audit, notifications, transitions

# A partner who asks again and again for a new link gets one mail in this time.
_ASK_AGAIN_AFTER = timedelta(minutes=10)
# How long the broker may hold a task before the sweeper takes it for lost.
_LOST_AFTER = timedelta(minutes=1)


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
    account: ExternalAccount, *, by: Person, answers: Invitation | None = None, expected: str | None = None
) -> IssuedInvitation:
    """Replaces the account's earlier link, which ends at once.

    `expected` is the UUID of the link that the admin saw, empty where there was none: a reload or a double click must
    not end the link that was just made. Raises `NothingToHandOff`, `AlreadyIssued`.
    """
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
    link_token = identifiers.new_link_token()
    invitation = Invitation.objects.create(
        account=account,
        token_digest=identifiers.token_digest(link_token),
        issued_at=now,
        issued_by=by,
        expires_at=now + settings.INVITATION_LIFETIME,
        answers=answers,
    )
    for role in roles:
        if role.is_correctable:
            transitions.move(role, Event.INVITED, at=now)
    _tell("invitation_issued", invitation, at=now, by=by)
    return IssuedInvitation(invitation, link_token)


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
    if not Invitation.objects.filter(pk=invitation.pk, revoked_at=None).update(expires_at=expires_at):
        raise NoLongerUsable
    _tell("invitation_extended", invitation, at=now, by=by)
    return expires_at


def find_by_token(link_token: str) -> Invitation | None:
    """The invitation, also when it has expired; None alike for an unknown and for a revoked one, in one query."""
    digest = identifiers.token_digest(link_token)
    return _with_owner().filter(token_digest=digest, revoked_at=None).first()


def find_held(uuid: str) -> Invitation | None:
    """The invitation that a session holds; None where it was revoked meanwhile."""
    return _with_owner().filter(uuid=uuid, revoked_at=None).first()


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
    if asked.update(new_link_asked_at=now, new_link_sent_at=None):
        audit.append("new_link_asked_for", invitation, at=now, label=partner_label(invitation))
        queue.on_commit(queue.SEND_FRESH_LINK, invitation.pk)


def send_fresh_link(pk: int) -> None:
    """Replace the expired link and mail the new one. Raises `MailUnavailable`; a retry replaces the link again."""
    asked = _with_owner().select_related("issued_by").get(pk=pk)
    if asked.new_link_asked_at is None or asked.new_link_sent_at is not None:
        return
    if not _replaced_by_an_admin(asked):
        issued = issue_invitation(asked.account, by=asked.issued_by, answers=asked)
        notifications.mail_link(issued.invitation, issued.link_token)
    Invitation.objects.filter(pk=pk).update(new_link_sent_at=timezone.now())


def requeue_lost_asks() -> None:
    now = timezone.now()
    for pk in Invitation.objects.awaiting_new_link(asked_before=now - _LOST_AFTER).values_list("pk", flat=True)[:100]:
        queue.send(queue.SEND_FRESH_LINK, pk)


def roles_of(invitation: Invitation) -> list[ExternalRole]:
    """The live roles of the invitation's account, as its page shows them."""
    return list(ExternalRole.objects.live().with_owner().filter(account=invitation.account).order_by("pk"))


def retired_since(invitation: Invitation) -> list[ExternalRole]:
    """Roles whose door was shown to be shut since the link was made: its page says so, and then they are gone."""
    ended = ExternalRole.objects.filter(account=invitation.account, state=State.RETIRED).exclude(role_arn="")
    return list(ended.filter(state_since__gte=invitation.issued_at).with_owner().order_by("state_since"))


def partner_label(invitation: Invitation) -> str:
    """How the audit log names a partner, who has no account."""
    return f"{invitation.account.partner.name} ({invitation.reference})"


def _replaced_by_an_admin(asked: Invitation) -> bool:
    """Somebody sent a newer link by hand since; a mail from us would end that one."""
    newer = asked.account.invitations.filter(revoked_at=None, pk__gt=asked.pk)
    return newer.exclude(answers=asked).exists()


def _with_owner() -> InvitationQuerySet:
    return Invitation.objects.select_related("account__partner")


def _tell(action: str, invitation: Invitation, *, at: datetime, by: Person) -> None:
    facts = {"account": invitation.account.account_id, "expires_at": invitation.expires_at.isoformat()}
    audit.append(action, invitation, at=at, by=by, facts=facts)
