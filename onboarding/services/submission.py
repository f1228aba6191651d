"""What a partner returns: the ARN of the role that they made."""

from django.db import IntegrityError, transaction
from django.utils import timezone

from onboarding.core.arns import RoleArn
from onboarding.core.errors import BastionsOwnAccount, OnboardingError, WrongAccount, WrongPartition
from onboarding.core.handoff.returned import Returned
from onboarding.core.states import Event
from onboarding.models import ExternalRole, Invitation, Person, Trigger
from onboarding.services import audit, diagnosis, invitations, transitions, validation


class ArnTaken(OnboardingError):
    """Another role of the same account was returned with this ARN."""

    def __init__(self, role_arn: RoleArn) -> None:
        super().__init__(role_arn)
        self.role_arn = role_arn


class NotReturnable(OnboardingError):
    """The role is suspended or being retired, so nothing may be returned for it."""


class NothingOffered(OnboardingError):
    """There is no offered ARN to agree to; somebody else has answered."""


@transaction.atomic
def return_role(invitation: Invitation, role: ExternalRole, arn: RoleArn) -> ExternalRole:
    """Take the ARN and have it checked; for a role that was proven before, keep it as an offer for an admin.

    Twice the same is one submission. Raises `WrongAccount`, `WrongPartition`, `BastionsOwnAccount`, `ArnTaken`,
    `NotReturnable`.
    """
    _refuse_foreign(role, arn)
    role = ExternalRole.objects.select_for_update(of=("self",)).with_owner().get(pk=role.pk)
    if str(arn) in {role.role_arn, role.offered_arn}:
        return role
    if ExternalRole.objects.live().filter(role_arn=str(arn)).exclude(pk=role.pk).exists():
        raise ArnTaken(arn)
    if not (role.is_correctable or role.is_checked):
        raise NotReturnable
    label = invitations.partner_label(invitation)
    if role.first_proven_at:
        return _offer(role, arn, label=label)
    return _take(role, arn, label=label)


@transaction.atomic
def take_reply(invitation: Invitation, role: ExternalRole, reply: Returned) -> ExternalRole:
    """As `return_role`; a trust policy that came along is kept for the doctor. Raises what `return_role` raises."""
    role = return_role(invitation, role, reply.arn)
    # An offer is another role, and what its policy says is nothing about the one in use.
    if reply.trust_policy and role.role_arn == str(reply.arn):
        diagnosis.check_pasted(role, reply.trust_policy)
    return role


@transaction.atomic
def accept_offer(role: ExternalRole, *, by: Person) -> ExternalRole:
    """An admin agrees to the replacement; validation starts again, as for a role that never worked.

    Raises `NothingOffered`, `NotReturnable`, `ArnTaken`.
    """
    role = ExternalRole.objects.select_for_update(of=("self",)).with_owner().get(pk=role.pk)
    if not role.offered_arn:
        raise NothingOffered
    if not role.is_checked:
        raise NotReturnable
    return _take(role, RoleArn.parse(role.offered_arn), by=by)


@transaction.atomic
def decline_offer(role: ExternalRole, *, by: Person) -> None:
    offered = ExternalRole.objects.filter(pk=role.pk, offered_arn=role.offered_arn).exclude(offered_arn="")
    if not offered.update(offered_arn="", offered_at=None):
        raise NothingOffered
    audit.append("replacement_declined", role, at=timezone.now(), by=by, facts={"offered_arn": role.offered_arn})


def _refuse_foreign(role: ExternalRole, arn: RoleArn) -> None:
    account = role.account
    if arn.account_id == role.permission_set.bastion.account_id:
        raise BastionsOwnAccount
    if arn.partition != account.partition:
        raise WrongPartition(expected=account.partition, found=arn.partition)
    if arn.account_id != account.account_id:
        raise WrongAccount(expected=account.account_id, found=arn.account_id)


def _offer(role: ExternalRole, arn: RoleArn, *, label: str) -> ExternalRole:
    now = timezone.now()
    role.offered_arn, role.offered_at = str(arn), now
    role.save(update_fields=["offered_arn", "offered_at"])
    audit.append("replacement_offered", role, at=now, label=label, facts={"offered_arn": str(arn)})
    return role


def _take(role: ExternalRole, arn: RoleArn, *, by: Person | None = None, label: str = audit.PORTAL) -> ExternalRole:
    now = timezone.now()
    before = role.role_arn
    try:
        with transaction.atomic():
            transitions.move(
                role,
                Event.RETURNED,
                at=now,
                role_arn=str(arn),
                returned_at=now,
                offered_arn="",
                offered_at=None,
                first_proven_at=None,
                failing_since=None,
                next_check_at=now,
            )
    except IntegrityError:
        raise ArnTaken(arn) from None
    trigger = Trigger.ADMIN if by else Trigger.RETURN
    validation.supersede_open(role, at=now)
    validation.request_validation(role, trigger=trigger, by=by)
    facts = {"role_arn": str(arn), "before": before}
    audit.append("replacement_accepted" if by else "role_returned", role, at=now, by=by, label=label, facts=facts)
    return role
