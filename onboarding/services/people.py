"""The people of our own organization: who they are, and what the portal lets them do."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import Group
from django.contrib.sessions.models import Session
from django.db import transaction
from django.utils import timezone

from onboarding.core.errors import OnboardingError
from onboarding.models import Person, PortalRole
from onboarding.services import audit, computers


class PersonExists(OnboardingError):
    def __init__(self, email: str) -> None:
        super().__init__(email)
        self.email = email


class LastPlatformAdmin(OnboardingError):
    """Without an active platform admin nobody could put anything right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonDetails:
    first_name: str
    last_name: str
    portal_role: PortalRole
    is_active: bool = True
    groups: tuple[str, ...] = ()


@transaction.atomic
def add_person(email: str, details: PersonDetails, *, password: str | None = None, by: Person | None = None) -> Person:
    """Without a password the person sets one by the mail that password reset sends. Raises `PersonExists`."""
    if Person.objects.filter(email__iexact=email).exists():
        raise PersonExists(email)
    person = Person.objects.create_user(email, password, **_columns(details))
    person.groups.set(groups_named(details.groups))
    audit.append("person_added", person, at=timezone.now(), by=by, facts=_facts(details))
    return person


@transaction.atomic
def change_person(person: Person, details: PersonDetails, *, by: Person | None = None) -> Person:
    """Raises `LastPlatformAdmin` where nobody would be left to administer the portal."""
    stays = details.is_active and details.portal_role == PortalRole.PLATFORM_ADMIN
    if person.is_platform_admin and not stays and _is_last_admin(person):
        raise LastPlatformAdmin
    before = set(person.groups.values_list("name", flat=True))
    columns = {name: value for name, value in _columns(details).items() if getattr(person, name) != value}
    if not columns and before == set(details.groups):
        return person
    for name, value in columns.items():
        setattr(person, name, value)
    if columns:
        person.save(update_fields=list(columns))
    if not details.is_active:
        _end_sessions(person)
        computers.end_tokens_of(person, at=timezone.now())
    person.groups.set(groups_named(details.groups))
    audit.append("person_changed", person, at=timezone.now(), by=by, facts=_facts(details))
    return person


@transaction.atomic
def appoint_admin(email: str, *, password: str | None = None) -> Person:
    """Make a platform admin, or one of who is there; for the command line, where nobody has signed in."""
    person = Person.objects.filter(email__iexact=email).first()
    if person is None:
        details = PersonDetails(first_name="", last_name="", portal_role=PortalRole.PLATFORM_ADMIN)
        return add_person(email, details, password=password)
    details = PersonDetails(
        first_name=person.first_name,
        last_name=person.last_name,
        portal_role=PortalRole.PLATFORM_ADMIN,
        groups=tuple(person.groups.values_list("name", flat=True)),
    )
    change_person(person, details)
    if password:
        person.set_password(password)
        person.save(update_fields=["password"])
        audit.append("password_set", person, at=timezone.now())
    return person


@transaction.atomic
def follow_provider(person: Person, portal_role: PortalRole | None, groups: frozenset[str] | None) -> None:
    """Take over what the organization's identity provider says at sign-in; None leaves what the portal holds.

    The provider is the authority, so it may also take the last admin's role; `manage.py bootstrap` makes a new one.
    """
    before = set(person.groups.values_list("name", flat=True))
    role = portal_role or PortalRole(person.portal_role)
    if person.portal_role == role and (groups is None or before == groups):
        return
    person.portal_role = role
    person.save(update_fields=["portal_role"])
    if groups is not None:
        person.groups.set(groups_named(groups))
    facts = {"portal_role": role, "groups": sorted(before if groups is None else groups)}
    audit.append("provider_followed", person, at=timezone.now(), label="identity provider", facts=facts)


def groups_named(names: Iterable[str]) -> list[Group]:
    """The groups of these names, made where they are new."""
    return [Group.objects.get_or_create(name=name)[0] for name in sorted(set(names))]


def _end_sessions(person: Person) -> None:
    """Nobody inactive is let in anyhow; this keeps an old session from waking up with the account."""
    live = Session.objects.filter(expire_date__gt=timezone.now())
    theirs = [row.pk for row in live.iterator() if row.get_decoded().get(SESSION_KEY) == str(person.pk)]
    Session.objects.filter(pk__in=theirs).delete()


def _is_last_admin(person: Person) -> bool:
    others = Person.objects.filter(is_active=True, portal_role=PortalRole.PLATFORM_ADMIN).exclude(pk=person.pk)
    return not others.exists()


def _columns(details: PersonDetails) -> dict[str, object]:
    return {name: getattr(details, name) for name in ("first_name", "last_name", "portal_role", "is_active")}


def _facts(details: PersonDetails) -> dict[str, object]:
    return {**_columns(details), "groups": sorted(details.groups)}
