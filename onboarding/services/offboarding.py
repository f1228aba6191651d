"""When work pauses or ends: a role is withheld, or retired until its door is shown to be shut."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from onboarding.core.errors import OnboardingError
from onboarding.core.states import Event, State
from onboarding.models import ExternalAccount, ExternalRole, Invitation, MailKind, Person, Trigger
from onboarding.services import alerts, audit, invitations, mails, transitions, validation


class ChangedMeanwhile(OnboardingError):
    """Somebody else, or a check, was faster; the page shows the newer state."""


class RolesStillLive(OnboardingError):
    """An account can be retired only when all its roles are."""


@transaction.atomic
def suspend_role(role: ExternalRole, *, by: Person) -> None:
    """Withhold the role from new configs and stop checking it; the partner's side stays as it is."""
    _move(role, Event.SUSPENDED, "role_suspended", at=timezone.now(), by=by)


@transaction.atomic
def resume_role(role: ExternalRole, *, by: Person) -> None:
    _move(role, Event.RESUMED, "role_resumed", at=timezone.now(), by=by)
    validation.request_validation(role, trigger=Trigger.ADMIN, by=by)


@transaction.atomic
def retire_role(role: ExternalRole, *, by: Person) -> None:
    """End the work. A role whose ARN we hold is tried until AWS has denied us twice; only then is it retired.

    The partner is told what to remove, and the link that they hold is good again for that.
    """
    now = timezone.now()
    _move(role, Event.RETIRED, "role_retirement_begun", at=now, by=by, retirement_begun_at=now)
    if role.state != State.RETIRING:
        return
    alerts.note_retirement(role, at=now)
    validation.request_validation(role, trigger=Trigger.ADMIN, by=by)
    for invitation in role.account.invitations.filter(revoked_at=None):
        invitations.extend_invitation(invitation, by=by)


@transaction.atomic
def say_deleted(invitation: Invitation, role: ExternalRole) -> None:
    """The partner says that the role is gone, which only they can know of both paths; we try ours at once."""
    now = timezone.now()
    said = ExternalRole.objects.filter(pk=role.pk, state=State.RETIRING, said_deleted_at=None)
    if said.update(said_deleted_at=now):
        validation.request_validation(role, trigger=Trigger.PARTNER)
        audit.append("role_said_deleted", role, at=now, label=invitations.partner_label(invitation))


@transaction.atomic
def withdraw_role(invitation: Invitation, role: ExternalRole) -> None:
    """The partner ends it: the same path as when we do, and all admins are told."""
    now, label = timezone.now(), invitations.partner_label(invitation)
    _move(role, Event.RETIRED, "role_withdrawn", at=now, label=label, withdrawn_at=now, retirement_begun_at=now)
    mails.ask_to_tell_admins(MailKind.WITHDRAWAL, invitation, at=now, role=role)
    if role.state == State.RETIRING:
        validation.request_validation(role, trigger=Trigger.PARTNER)


@transaction.atomic
def retire_account(account: ExternalAccount, *, by: Person) -> None:
    """Frees the account's number for a new registration and ends its link. Raises `RolesStillLive`."""
    if account.roles.live().exists():
        raise RolesStillLive
    now = timezone.now()
    account.invitations.filter(revoked_at=None).update(revoked_at=now)
    if ExternalAccount.objects.filter(pk=account.pk, retired_at=None).update(retired_at=now):
        audit.append("account_retired", account, at=now, by=by, facts={"partner": account.partner.name})


def _move(
    role: ExternalRole,
    event: Event,
    action: str,
    *,
    at: datetime,
    by: Person | None = None,
    label: str = audit.PORTAL,
    **columns: datetime,
) -> None:
    """Raises `IllegalTransition`, `ChangedMeanwhile`."""
    before = role.state
    if not transitions.move(role, event, at=at, **columns):
        raise ChangedMeanwhile
    validation.supersede_open(role, at=at)
    audit.append(action, role, at=at, by=by, label=label, facts={"before": before, "after": role.state})
