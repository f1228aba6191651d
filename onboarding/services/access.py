"""Who may use which role: grants, what they open, and the first time that it was used."""

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from onboarding.core import states
from onboarding.core.errors import OnboardingError
from onboarding.models import ExternalRole, Grant, Person
from onboarding.models.access import GrantQuerySet
from onboarding.models.partner import ExternalRoleQuerySet
from onboarding.services import audit


class AlreadyGranted(OnboardingError):
    def __init__(self, grantee: Person | Group) -> None:
        super().__init__(grantee)
        self.grantee = grantee


class NothingToGrant(OnboardingError):
    """The role's work has ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantTerms:
    reason: str = ""
    expires_at: datetime | None = None


@transaction.atomic
def grant(role: ExternalRole, grantee: Person | Group, terms: GrantTerms, *, by: Person) -> Grant:
    """Show the role to a person or to a group's members, and hand it out once it is proven.

    It decides nothing in AWS: there, whoever is assigned to the permission set gets in. Raises `AlreadyGranted`,
    `NothingToGrant`.
    """
    if role.state in {states.State.RETIRING, states.State.RETIRED}:
        raise NothingToGrant
    now = timezone.now()
    to = {"person": grantee} if isinstance(grantee, Person) else {"group": grantee}
    # A grant whose time is over makes room for a new one.
    role.grants.filter(revoked_at=None, expires_at__lte=now, **to).update(revoked_at=now)
    try:
        with transaction.atomic():
            made = Grant.objects.create(
                external_role=role,
                granted_at=now,
                granted_by=by,
                reason=terms.reason,
                expires_at=terms.expires_at,
                **to,
            )
    except IntegrityError:
        raise AlreadyGranted(grantee) from None
    audit.append("role_granted", role, at=now, by=by, facts=_facts(made))
    return made


@transaction.atomic
def revoke_grant(grant: Grant, *, by: Person) -> None:
    now = timezone.now()
    if Grant.objects.filter(pk=grant.pk, revoked_at=None).update(revoked_at=now):
        audit.append("grant_revoked", grant.external_role, at=now, by=by, facts=_facts(grant))


def entitled_roles(person: Person, *, at: datetime) -> ExternalRoleQuerySet:
    """The live roles that this person was granted, alone or by a group; the one place that decides it."""
    grants = _live_grants(person, at=at)
    roles = ExternalRole.objects.live().exclude(state=states.State.RETIRING)
    return roles.filter(pk__in=grants.values("external_role")).with_owner()


def granted_until(person: Person, *, at: datetime) -> dict[int, datetime]:
    """When the last of this person's grants of a role ends, by the role's key; absent where one has no end."""
    ends: dict[int, list[datetime | None]] = {}
    for role, end in _live_grants(person, at=at).values_list("external_role", "expires_at"):
        ends.setdefault(role, []).append(end)
    return {role: max(filter(None, found)) for role, found in ends.items() if all(found)}


def _live_grants(person: Person, *, at: datetime) -> GrantQuerySet:
    return Grant.objects.live(at).filter(Q(person=person) | Q(group__in=person.groups.all()))


def entitled_people(role: ExternalRole, *, at: datetime) -> QuerySet[Person]:
    """The active people whom a live grant of this role reaches."""
    grants = role.grants.live(at)
    reached = Q(pk__in=grants.filter(group=None).values("person")) | Q(
        groups__in=grants.filter(person=None).values("group")
    )
    return Person.objects.filter(reached, is_active=True).distinct()


@transaction.atomic
def note_config_taken(person: Person, roles: list[ExternalRole]) -> None:
    """A config with these roles was downloaded or copied: the fifth stone lights with the first time."""
    now = timezone.now()
    keys = [role.pk for role in roles]
    ExternalRole.objects.filter(pk__in=keys, first_used_at=None, state__in=states.HANDED_OUT).update(first_used_at=now)
    facts = {"profiles": [role.profile_name for role in roles]}
    audit.append("config_taken", person, at=now, by=person, facts=facts)


def _facts(grant: Grant) -> dict[str, object]:
    return {
        "to": str(grant.person or grant.group),
        "reason": grant.reason,
        "expires_at": grant.expires_at.isoformat() if grant.expires_at else None,
    }
