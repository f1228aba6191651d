"""Setting up the bastion account and its permission sets, and finding their SSO roles."""

from collections.abc import Iterable
from dataclasses import dataclass

import structlog
from django.db import IntegrityError, transaction
from django.utils import timezone

from onboarding import aws, queue
from onboarding.aws import iam
from onboarding.aws.clients import Identity
from onboarding.core.arns import AccountId, Partition, RoleArn
from onboarding.core.awsconfig import DEFAULT_TEMPLATE
from onboarding.core.bastion import (
    OwnSide,
    PermissionSetPolicyStyle,
    SizedPolicy,
    exact_permission_set_policy,
    simple_permission_set_policy,
)
from onboarding.core.errors import AlreadyRegistered, OnboardingError, WrongAccount, WrongPartition
from onboarding.core.states import State
from onboarding.models import Bastion, ExternalRole, PermissionSet, Person
from onboarding.models.partner import ExternalRoleQuerySet
from onboarding.services import alerts, audit

log = structlog.get_logger(__name__)


class BastionInUse(OnboardingError):
    """Partners were shown this account and this validator role; changing them would shut every door."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BastionDetails:
    name: str
    partition: Partition
    account_id: AccountId
    validator_role_arn: RoleArn
    worker_is_validator: bool
    sso_start_url: str
    sso_region: str
    sso_session_name: str
    region: str
    organization_id: str = ""
    profile_template: str = DEFAULT_TEMPLATE
    open_control_role_arn: RoleArn | None = None
    asking_control_role_arn: RoleArn | None = None
    stranger_role_arn: RoleArn | None = None


class UnfitControls(OnboardingError):
    """`reason` is `alone` where one of the two is missing, `bastion` or `partition` where one lives there."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class UnfitStranger(OnboardingError):
    """The stranger has to be a role of the bastion account, and not the validator role."""


# What the control roles were tried with.
CONTROLS = ("validator_role_arn", "open_control_role_arn", "asking_control_role_arn", "stranger_role_arn")


@transaction.atomic
def set_up_bastion(details: BastionDetails, *, bastion: Bastion | None = None, by: Person) -> Bastion:
    """Make or change. The validator role lives in the bastion account.

    Raises `WrongAccount`, `WrongPartition`, `UnfitControls`, `UnfitStranger`, `AlreadyRegistered`, and `BastionInUse`
    for what partners already trust.
    """
    validator = details.validator_role_arn
    if validator.account_id != details.account_id:
        raise WrongAccount(expected=details.account_id, found=validator.account_id)
    if validator.partition != details.partition:
        raise WrongPartition(expected=details.partition, found=validator.partition)
    _check_own_roles(details)
    row = bastion or Bastion()
    if bastion and _is_trusted(bastion) and _what_partners_trust(bastion) != _what_partners_trust(details):
        raise BastionInUse
    before = [getattr(row, name) for name in CONTROLS]
    for name in details.__dataclass_fields__:
        setattr(row, name, getattr(details, name))
    for name in CONTROLS:
        setattr(row, name, str(getattr(details, name) or ""))
    if before != [getattr(row, name) for name in CONTROLS]:
        row.controls_due_at = row.controls_tried_at = row.controls_hold = None
        row.controls_probes = []
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        raise AlreadyRegistered("bastion", details.account_id) from None
    if row.has_controls and row.controls_due_at is None:
        queue.on_commit(queue.TRY_CONTROLS, row.pk)
    action = "bastion_changed" if bastion else "bastion_set_up"
    audit.append(action, row, at=timezone.now(), by=by, facts={"account": row.account_id})
    return row


def _check_own_roles(details: BastionDetails) -> None:
    stranger = details.stranger_role_arn
    if stranger and (stranger.account_id != details.account_id or stranger == details.validator_role_arn):
        raise UnfitStranger
    controls = [arn for arn in (details.open_control_role_arn, details.asking_control_role_arn) if arn]
    if len(controls) == 1:
        raise UnfitControls("alone")
    if any(arn.account_id == details.account_id for arn in controls):
        # The validator role is kept out of its own account, whatever a role there would say.
        raise UnfitControls("bastion")
    if any(arn.partition != details.partition for arn in controls):
        raise UnfitControls("partition")


def _what_partners_trust(bastion: Bastion | BastionDetails) -> tuple[str, str, str, str]:
    return (str(bastion.partition), bastion.account_id, str(bastion.validator_role_arn), bastion.sso_region)


def _is_trusted(bastion: Bastion) -> bool:
    return ExternalRole.objects.live().filter(permission_set__bastion=bastion).exclude(role_arn="").exists()


@transaction.atomic
def add_permission_set(bastion: Bastion, name: str, *, style: PermissionSetPolicyStyle, by: Person) -> PermissionSet:
    """Raises `AlreadyRegistered`."""
    try:
        with transaction.atomic():
            permission_set = PermissionSet.objects.create(bastion=bastion, name=name, policy_style=style)
    except IntegrityError:
        raise AlreadyRegistered("permission_set", name) from None
    audit.append("permission_set_added", permission_set, at=timezone.now(), by=by, facts={"bastion": bastion.name})
    return permission_set


@transaction.atomic
def choose_policy_style(permission_set: PermissionSet, style: PermissionSetPolicyStyle, *, by: Person) -> None:
    if permission_set.policy_style == style:
        return
    permission_set.policy_style = style
    permission_set.save(update_fields=["policy_style"])
    audit.append("permission_set_policy_chosen", permission_set, at=timezone.now(), by=by, facts={"style": style})


def permission_set_policy(permission_set: PermissionSet) -> SizedPolicy:
    """What to put into Identity Center: in the exact style, the returned roles that are not retired."""
    roles = _enterable(ExternalRole.objects.filter(permission_set=permission_set))
    return _policy_of(permission_set, roles.values_list("role_arn", flat=True))


def _policy_of(permission_set: PermissionSet, role_arns: Iterable[str]) -> SizedPolicy:
    if permission_set.policy_style == PermissionSetPolicyStyle.SIMPLE:
        return simple_permission_set_policy()
    return exact_permission_set_policy(RoleArn.parse(arn) for arn in role_arns)


@transaction.atomic
def note_policy_put(permission_set: PermissionSet, digest: str, *, by: Person) -> None:
    """An admin says that the policy with this digest is in Identity Center now; the portal cannot read it there."""
    now = timezone.now()
    row = PermissionSet.objects.filter(pk=permission_set.pk).exclude(put_policy_digest=digest)
    if row.update(put_policy_digest=digest, put_policy_at=now):
        audit.append("permission_set_policy_put", permission_set, at=now, by=by, facts={"digest": digest})


def outdated_permission_sets() -> list[PermissionSet]:
    """Those whose policy in Identity Center is another than the one that is wanted now, as far as we were told."""
    wanted = _wanted_arns()
    return [
        permission_set
        for permission_set in PermissionSet.objects.select_related("bastion")
        if _policy_of(permission_set, wanted.get(permission_set.pk, [])).digest != permission_set.put_policy_digest
    ]


def _wanted_arns() -> dict[int, list[str]]:
    arns: dict[int, list[str]] = {}
    for key, arn in _enterable(ExternalRole.objects.live()).values_list("permission_set", "role_arn"):
        arns.setdefault(key, []).append(arn)
    return arns


def _enterable(roles: ExternalRoleQuerySet) -> ExternalRoleQuerySet:
    """Returned, and not about to be retired: employees must not enter such a role any more."""
    return roles.live().exclude(state=State.RETIRING).exclude(role_arn="")


def find_sso_role(permission_set: PermissionSet, *, by: Person | None = None) -> bool:
    """Ask IAM for the SSO role's ARN and keep it. False where there is none. Raises `aws.AwsUnavailable`."""
    found = iam.find_sso_role(identity_of(permission_set.bastion), permission_set.name)
    arn = str(found) if found else ""
    with transaction.atomic():
        row = PermissionSet.objects.select_for_update().get(pk=permission_set.pk)
        before, row.sso_role_arn, row.sso_role_found_at = row.sso_role_arn, arn, timezone.now()
        row.save(update_fields=["sso_role_arn", "sso_role_found_at"])
        if before != arn:
            if before:
                alerts.note_sso_role_changed(row, at=timezone.now())
            facts = {"before": before, "after": arn}
            audit.append("sso_role_changed", row, at=timezone.now(), by=by, facts=facts)
    return found is not None


def find_all_sso_roles() -> None:
    """Once an hour: a re-created SSO role breaks every trust policy that names its ARN."""
    for permission_set in PermissionSet.objects.select_related("bastion"):
        try:
            find_sso_role(permission_set)
        except aws.AwsUnavailable as trouble:
            log.warning("sso_role_unknown", permission_set=permission_set.name, code=trouble.code)


def own_side(bastion: Bastion) -> OwnSide:
    controls = filter(None, (bastion.open_control_role_arn, bastion.asking_control_role_arn))
    return OwnSide(
        partition=Partition(bastion.partition),
        bastion_account_id=AccountId(bastion.account_id),
        organization_id=bastion.organization_id,
        control_account_ids=frozenset(RoleArn.parse(arn).account_id for arn in controls),
    )


def control_callers(bastion: Bastion) -> list[RoleArn]:
    """Whom the control roles let in."""
    callers = filter(None, (bastion.validator_role_arn, bastion.stranger_role_arn))
    return [RoleArn.parse(arn) for arn in callers]


def identity_of(bastion: Bastion) -> Identity:
    """As whom the worker acts in this bastion account: the validator role, which it may already be."""
    return Identity(bastion.region, "" if bastion.worker_is_validator else bastion.validator_role_arn)


def stranger_of(bastion: Bastion) -> Identity | None:
    """A role of ours that no trust policy names; None where there is none."""
    return Identity(bastion.region, bastion.stranger_role_arn) if bastion.stranger_role_arn else None
