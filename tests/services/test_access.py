from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone

from onboarding.core.probes import Outcome
from onboarding.models import AuditEvent, ExternalRole, Grant
from onboarding.services import access, offboarding
from onboarding.services.access import AlreadyGranted, GrantTerms, NothingToGrant
from tests.factories import Door, make_checked_role, make_grant, make_person, make_role

pytestmark = pytest.mark.django_db


def seen_by(person, *, at=None):
    return list(access.entitled_roles(person, at=at or timezone.now()))


def test_a_grant_to_a_group_reaches_its_members(alice, carol, dave):
    role, group = make_role(), Group.objects.create(name="analysts")
    carol.groups.add(group)
    access.grant(role, group, GrantTerms(), by=alice)
    assert seen_by(carol) == [role]
    assert seen_by(dave) == []
    assert list(access.entitled_people(role, at=timezone.now())) == [carol]


def test_a_person_granted_twice_over_sees_the_role_once(alice, carol):
    role, group = make_role(), Group.objects.create(name="analysts")
    carol.groups.add(group)
    access.grant(role, group, GrantTerms(), by=alice)
    make_grant(role, carol)
    assert seen_by(carol) == [role]


def test_a_grant_ends_with_its_time(carol):
    role = make_role()
    make_grant(role, carol, for_hours=1)
    assert seen_by(carol, at=timezone.now() + timedelta(hours=2)) == []


def test_a_grant_whose_time_is_over_makes_room_for_another(carol):
    role = make_role()
    make_grant(role, carol, for_hours=1)
    Grant.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    make_grant(role, carol)
    assert seen_by(carol) == [role]


def test_a_revoked_grant_ends_at_once_and_is_told(alice, carol):
    grant = make_grant(make_role(), carol)
    access.revoke_grant(grant, by=alice)
    assert seen_by(carol) == []
    assert AuditEvent.objects.get(action="grant_revoked").facts["to"] == carol.email


def test_the_same_grant_twice_is_refused(carol):
    role = make_role()
    make_grant(role, carol)
    with pytest.raises(AlreadyGranted):
        make_grant(role, carol)


def test_a_retired_role_is_nobodys(alice, carol):
    role = make_checked_role()
    make_grant(role, carol)
    offboarding.retire_role(role, by=alice)
    assert seen_by(carol) == []
    with pytest.raises(NothingToGrant):
        make_grant(role, alice)


def test_the_first_config_lights_the_fifth_stone_of_what_it_holds(carol):
    proven, refused = make_checked_role(), make_checked_role(door=Door(with_external_id=Outcome.DENIED))
    access.note_config_taken(carol, [proven, refused])
    first = ExternalRole.objects.get(pk=proven.pk).first_used_at
    assert first is not None
    assert ExternalRole.objects.get(pk=refused.pk).first_used_at is None
    access.note_config_taken(carol, [proven])
    assert ExternalRole.objects.get(pk=proven.pk).first_used_at == first


def test_somebody_who_left_is_not_counted_among_the_entitled(carol):
    role = make_role()
    make_grant(role, carol)
    gone = make_person("gone@hoshino.example")
    make_grant(role, gone)
    gone.is_active = False
    gone.save()
    assert list(access.entitled_people(role, at=timezone.now())) == [carol]
