import pytest

from onboarding.models import AuditEvent, Person, PortalRole
from onboarding.services import people
from onboarding.services.people import LastPlatformAdmin, PersonDetails, PersonExists
from tests.factories import an_admin, make_person

pytestmark = pytest.mark.django_db


def details(**override: object) -> PersonDetails:
    return PersonDetails(**({"first_name": "A", "last_name": "B", "portal_role": PortalRole.EMPLOYEE} | override))


def test_an_address_belongs_to_one_person_in_any_case():
    make_person("carol@hoshino.example")
    with pytest.raises(PersonExists):
        people.add_person("Carol@Hoshino.example", details())


def test_without_a_password_nobody_can_sign_in_with_one():
    assert not people.add_person("new@hoshino.example", details()).has_usable_password()


def test_the_last_admin_can_neither_step_down_nor_leave():
    alice = an_admin()
    for change in (details(), details(portal_role=PortalRole.PLATFORM_ADMIN, is_active=False)):
        with pytest.raises(LastPlatformAdmin):
            people.change_person(alice, change, by=alice)
    assert Person.objects.get().is_platform_admin


def test_a_change_is_told_and_no_change_is_not():
    alice, carol = an_admin(), make_person()
    people.change_person(carol, details(groups=("analysts",)), by=alice)
    people.change_person(carol, details(groups=("analysts",)), by=alice)
    assert AuditEvent.objects.filter(action="person_changed").count() == 1
    assert [group.name for group in carol.groups.all()] == ["analysts"]


def test_the_provider_gives_and_takes_groups_and_the_portal_role():
    carol = make_person(groups=("kept-by-hand",))
    people.follow_provider(carol, PortalRole.PLATFORM_ADMIN, frozenset({"admins"}))
    assert carol.is_platform_admin
    people.follow_provider(carol, PortalRole.EMPLOYEE, frozenset())
    assert not carol.is_platform_admin
    assert not carol.groups.exists()


def test_where_the_provider_names_no_groups_the_portals_stay():
    carol = make_person(groups=("analysts",))
    people.follow_provider(carol, None, None)
    assert carol.groups.count() == 1
    assert not AuditEvent.objects.filter(action="provider_followed").exists()
