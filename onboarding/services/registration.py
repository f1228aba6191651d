"""Registering partners, their accounts and the roles we ask for, and correcting them until a role is returned."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.db import IntegrityError, transaction
from django.utils import timezone

from onboarding.core import identifiers
from onboarding.core.arns import AccountId
from onboarding.core.awsconfig import fill_profile_template, free_profile_name
from onboarding.core.errors import (
    AlreadyRegistered,
    BastionsOwnAccount,
    ForeignPolicy,
    OnboardingError,
    WrongPartition,
)
from onboarding.core.handoff import Permissions
from onboarding.core.states import Event
from onboarding.core.trust import TrustStyle
from onboarding.models import Bastion, ExternalAccount, ExternalRole, Partner, PermissionSet, Person
from onboarding.models.base import Addressed
from onboarding.services import audit, transitions


class NoLongerCorrectable(OnboardingError):
    """The role was returned: what the partner was shown must stay as it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerDetails:
    name: str
    language: str
    contact_name: str
    contact_email: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountDetails:
    account_id: AccountId
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleDetails:
    permission_set: PermissionSet
    role_name: str
    profile_name: str
    region: str
    purpose: str
    permissions_wanted: str = ""
    role_path: str = "/"
    permissions: Permissions = field(default_factory=Permissions)
    tags: Mapping[str, str] = field(default_factory=dict)
    trust_style: TrustStyle = TrustStyle.ACCOUNT_AND_CONDITION
    console_access: bool = False


@transaction.atomic
def register_partner(details: PartnerDetails, *, by: Person) -> Partner:
    """Raises `AlreadyRegistered`."""
    if Partner.objects.filter(name__iexact=details.name).exists():
        raise AlreadyRegistered("partner", details.name)
    partner = Partner.objects.create(slug=_free_slug(details.name), created_by=by, **_columns(details))
    audit.append("partner_registered", partner, at=timezone.now(), by=by)
    return partner


@transaction.atomic
def register_account(
    partner: Partner, account_id: AccountId, *, bastion: Bastion, label: str, by: Person
) -> ExternalAccount:
    """The account lives in the bastion's partition: AWS lets no role be assumed across partitions.

    Raises `BastionsOwnAccount` and `AlreadyRegistered`.
    """
    if Bastion.objects.filter(account_id=account_id).exists():
        raise BastionsOwnAccount
    try:
        with transaction.atomic():
            account = ExternalAccount.objects.create(
                partner=partner, partition=bastion.partition, account_id=account_id, label=label
            )
    except IntegrityError:
        raise AlreadyRegistered("account", account_id) from None
    audit.append("account_registered", account, at=timezone.now(), by=by, facts={"partner": partner.name})
    return account


@transaction.atomic
def register_role(account: ExternalAccount, details: RoleDetails, *, by: Person) -> ExternalRole:
    """Makes the external ID, once.

    Raises `AlreadyRegistered` for a taken profile name, `PolicyTooLong`, `ForeignPolicy`, `WrongPartition`.
    """
    _refuse_taken_profile_name(details.profile_name)
    _refuse_foreign_policies(account, details.permissions)
    now = timezone.now()
    role = ExternalRole(
        account=account,
        external_id=identifiers.new_external_id(),
        state_since=now,
        created_by=by,
        **_columns(details),
    )
    # What cannot be asked for must not be registered: this raises where the policy would be too long.
    _ = role.trust_policy
    role.save()
    if account.invitations.usable(now).exists():
        # The link that the partner holds shows this role too.
        transitions.move(role, Event.INVITED, at=now)
    facts = {"account": account.account_id, "partner": account.partner.name, "external_id": role.external_id}
    audit.append("role_registered", role, at=now, by=by, facts=facts)
    return role


@transaction.atomic
def register_together(
    partner: Partner | PartnerDetails, account: AccountDetails, role: RoleDetails, *, by: Person
) -> ExternalRole:
    """A new account with its first role, and its partner where that is new too: all of it or nothing.

    Raises what the single registrations raise.
    """
    owner = register_partner(partner, by=by) if isinstance(partner, PartnerDetails) else partner
    bastion = role.permission_set.bastion
    place = register_account(owner, account.account_id, bastion=bastion, label=account.label, by=by)
    return register_role(place, role, by=by)


@transaction.atomic
def correct_partner(partner: Partner, details: PartnerDetails, *, by: Person) -> Partner:
    """Contact, language and name may change at any time; what changed is told. Raises `AlreadyRegistered`."""
    if Partner.objects.filter(name__iexact=details.name).exclude(pk=partner.pk).exists():
        raise AlreadyRegistered("partner", details.name)
    _apply(partner, _columns(details), action="partner_corrected", by=by)
    return partner


@transaction.atomic
def correct_account(account: ExternalAccount, account_id: AccountId, *, label: str, by: Person) -> ExternalAccount:
    """The number stays once any role of the account was returned.

    Raises `NoLongerCorrectable`, `AlreadyRegistered`, `BastionsOwnAccount`, `ForeignPolicy`.
    """
    if account_id != account.account_id:
        if account.roles.exclude(role_arn="").exists():
            raise NoLongerCorrectable
        if Bastion.objects.filter(account_id=account_id).exists():
            raise BastionsOwnAccount
        taken = ExternalAccount.objects.filter(
            partition=account.partition, account_id=account_id, retired_at=None
        ).exclude(pk=account.pk)
        if taken.exists():
            raise AlreadyRegistered("account", account_id)
        for role in account.roles.live():
            _refuse_foreign_policies(account, role.permissions, number=account_id)
    _apply(account, {"account_id": account_id, "label": label}, action="account_corrected", by=by)
    return account


@transaction.atomic
def correct_role(role: ExternalRole, details: RoleDetails, *, by: Person) -> ExternalRole:
    """The external ID stays.

    Raises `NoLongerCorrectable`, `AlreadyRegistered`, `PolicyTooLong`, `ForeignPolicy`, `WrongPartition`.
    """
    role = ExternalRole.objects.select_for_update().get(pk=role.pk)
    if not role.is_correctable:
        raise NoLongerCorrectable
    _refuse_foreign_policies(role.account, details.permissions)
    if details.profile_name.lower() != role.profile_name.lower():
        _refuse_taken_profile_name(details.profile_name)
    _apply(role, _columns(details), action="role_corrected", by=by)
    # Raised after the change and inside the transaction, so that the change does not stay.
    _ = role.trust_policy
    return role


def suggested_profile_name(bastion: Bastion, *, partner: str, account_id: str, role_name: str) -> str:
    """By the bastion's template: the same for the same role, and no live role's."""
    plain = fill_profile_template(bastion.profile_template, partner=partner, role=role_name, account_id=account_id)
    # Whatever it is made longer by, it begins alike.
    alike = ExternalRole.objects.live().filter(profile_name__istartswith=plain[:8])
    taken = alike.values_list("profile_name", flat=True)
    return free_profile_name(plain, key=f"{account_id}:{role_name}", taken=taken)


def _columns(details: PartnerDetails | RoleDetails) -> dict[str, object]:
    columns = {name: getattr(details, name) for name in details.__dataclass_fields__}
    permissions: Permissions | None = columns.pop("permissions", None)
    if permissions is None:
        return columns
    return {
        **columns,
        "managed_policy": str(permissions.managed_policy or ""),
        "permissions_policy": permissions.document_text,
        "permissions_boundary": str(permissions.boundary or ""),
    }


def _refuse_foreign_policies(account: ExternalAccount, permissions: Permissions, *, number: str = "") -> None:
    """A role takes policies of AWS and of its own account, and no others."""
    for policy in filter(None, (permissions.managed_policy, permissions.boundary)):
        if policy.partition != account.partition:
            raise WrongPartition(expected=account.partition, found=policy.partition)
        expected = number or account.account_id
        if not policy.is_of_aws and policy.owner != expected:
            raise ForeignPolicy(expected=expected, found=policy.owner)


def _apply(
    row: Partner | ExternalAccount | ExternalRole, columns: Mapping[str, object], *, action: str, by: Person
) -> None:
    changed = {name: value for name, value in columns.items() if getattr(row, name) != value}
    if not changed:
        return
    for name, value in changed.items():
        setattr(row, name, value)
    row.save(update_fields=list(changed))
    _tell(row, changed, action=action, by=by)


def _tell(row: Addressed, changed: Mapping[str, object], *, action: str, by: Person) -> None:
    audit.append(action, row, at=timezone.now(), by=by, facts={name: str(value) for name, value in changed.items()})


def _refuse_taken_profile_name(name: str) -> None:
    if ExternalRole.objects.live().filter(profile_name__iexact=name).exists():
        raise AlreadyRegistered("profile_name", name)


def _free_slug(name: str) -> str:
    base = identifiers.slug(name)[:32].strip("-") or "partner"
    taken = set(Partner.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    candidates = (base if n == 1 else f"{base}-{n}" for n in range(1, len(taken) + 2))
    return next(name for name in candidates if name not in taken)
