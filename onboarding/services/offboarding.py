"""When work pauses or ends: a role is withheld, or retired until its door is shown to be shut."""

from django.db import transaction
from django.utils import timezone

from onboarding.core.errors import OnboardingError
from onboarding.core.states import Event, State
from onboarding.models import ExternalAccount, ExternalRole, Invitation, Person, Trigger
from onboarding.services import alerts, audit, invitations, transitions, validation


class ChangedMeanwhile(OnboardingError):
    """Somebody else, or a check, was faster; the page shows the newer state."""


class RolesStillLive(OnboardingError):
    """An account can be retired only when all its roles are."""


@transaction.atomic
def suspend_role(role: ExternalRole, *, by: Person) -> None:
    """Withhold the role from new configs and stop checking it; the partner's side stays as it is."""
    _move(role, Event.SUSPENDED, "role_suspended", by=by)


@transaction.atomic
def resume_role(role: ExternalRole, *, by: Person) -> None:
    _move(role, Event.RESUMED, "role_resumed", by=by)
    validation.request_validation(role, trigger=Trigger.ADMIN, by=by)


@transaction.atomic
def retire_role(role: ExternalRole, *, by: Person) -> None:
    """End the work. A role whose ARN we hold is tried until AWS has denied us twice; only then is it retired.

    The partner is told what to remove, and the link that they hold is good again for that.
    """
    now = timezone.now()
    _move(role, Event.RETIRED, "role_retirement_begun", by=by)
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
def retire_account(account: ExternalAccount, *, by: Person) -> None:
    """Frees the account's number for a new registration and ends its link. Raises `RolesStillLive`."""
    if account.roles.live().exists():
        raise RolesStillLive
    now = timezone.now()
    account.invitations.filter(revoked_at=None).update(revoked_at=now)
    if ExternalAccount.objects.filter(pk=account.pk, retired_at=None).update(retired_at=now):
        audit.append("account_retired", account, at=now, by=by, facts={"partner": account.partner.name})


def _move(role: ExternalRole, event: Event, action: str, *, by: Person) -> None:
    """Raises `IllegalTransition`, `ChangedMeanwhile`."""
    now, before = timezone.now(), role.state
    columns = {"retirement_begun_at": now, "failures_in_a_row": 0} if event is Event.RETIRED else {}
    if not transitions.move(role, event, at=now, next_check_at=None, **columns):
        raise ChangedMeanwhile
    validation.supersede_open(role, at=now)
    audit.append(action, role, at=now, by=by, facts={"before": before, "after": role.state})
