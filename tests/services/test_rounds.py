from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from onboarding import queue
from onboarding.models import AuditEvent, ExternalRole, Trigger, Validation, ValidationRound
from onboarding.services import offboarding, rounds, validation
from onboarding.services.rounds import NothingToValidate, RoundEnded, RoundUnderWay
from tests.factories import Door, make_checked_role, make_role

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def later(monkeypatch):
    """The looks that were asked for."""
    looks = []
    monkeypatch.setattr(queue, "send", lambda _task, *arguments, **_countdown: not looks.append(arguments))
    return looks


@pytest.fixture
def roles(alice) -> list[ExternalRole]:
    make_role()
    return [make_checked_role() for _ in range(5)]


def begun(alice) -> ValidationRound:
    return rounds.begin_round(by=alice)


def work(found: ValidationRound, *, most: int = 100) -> int:
    """What workers do: how many checks they made."""
    waiting = list(found.validations.open()[:most])
    for row in waiting:
        validation.run_validation(row.pk, probe=Door())
    return len(waiting)


def test_every_role_is_validated_once(alice, roles, later):
    found = begun(alice)
    for look in range(4):
        rounds.advance(found.pk, look)
        work(found)
    found.refresh_from_db()
    assert not found.is_under_way
    assert sorted(found.validations.values_list("external_role", flat=True)) == [role.pk for role in roles]
    assert {row.trigger for row in found.validations.all()} == {Trigger.ROUND}
    assert [event.action for event in AuditEvent.objects.filter(action__startswith="round_").order_by("pk")] == [
        "round_begun",
        "round_ended",
    ]


def test_progress_tells_count_rate_and_what_remains(alice, roles):
    found = begun(alice)
    rounds.advance(found.pk, 0)
    with time_machine.travel(timezone.now() + timedelta(seconds=10)):
        work(found, most=2)
        told = rounds.newest_progress()
    assert (told.done, told.total) == (2, 5)
    assert 0.1 < told.rate < 0.3
    assert timedelta(seconds=10) < told.remaining < timedelta(seconds=30)


def test_a_round_that_is_stopped_asks_for_no_more(alice, roles):
    found = begun(alice)
    rounds.advance(found.pk, 0)
    work(found, most=2)
    begun_by_a_worker = found.validations.open().first()
    Validation.objects.filter(pk=begun_by_a_worker.pk).update(started_at=timezone.now())
    rounds.stop_round(found, by=alice)
    assert list(found.validations.open()) == [begun_by_a_worker]
    rounds.advance(found.pk, 1)
    assert found.validations.count() == 3
    assert AuditEvent.objects.get(action="round_stopped").facts == {"roles": 5, "not_checked": 2}
    with pytest.raises(RoundEnded):
        rounds.stop_round(found, by=alice)
    assert rounds.newest_progress().round.stopped_by == alice
    # What was not checked falls due as it would have.
    assert ExternalRole.objects.exclude(role_arn="").filter(next_check_at=None).count() == 0


def test_a_round_survives_a_restart(alice, roles, later):
    found = begun(alice)
    rounds.advance(found.pk, 0)
    later.clear()
    rounds.take_up()
    assert later == []
    with time_machine.travel(timezone.now() + timedelta(seconds=11)):
        rounds.take_up()
    assert later == [(found.pk, 1)]


def test_a_look_that_comes_twice_or_late_does_nothing(alice, roles, later):
    found = begun(alice)
    rounds.advance(found.pk, 0)
    asked = found.validations.count()
    later.clear()
    rounds.advance(found.pk, 0)
    rounds.advance(found.pk, 7)
    assert (found.validations.count(), later) == (asked, [])


def test_a_role_whose_check_is_under_way_is_not_asked_for_twice(alice, roles):
    validation.request_validation(roles[0], trigger=Trigger.PARTNER)
    found = begun(alice)
    rounds.advance(found.pk, 0)
    assert found.validations.count() == 4
    assert rounds.newest_progress().done == 1


def test_few_wait_at_a_time(alice, roles, monkeypatch):
    monkeypatch.setattr(rounds, "_CHUNK", 2)
    monkeypatch.setattr(rounds, "_WAITING", 2)
    found = begun(alice)
    for look in range(3):
        rounds.advance(found.pk, look)
    assert found.validations.count() == 2
    looks = 3
    while work(found) or found.is_under_way:
        rounds.advance(found.pk, looks)
        looks += 1
        found.refresh_from_db()
        assert looks < 20
    assert found.validations.count() == 5


def test_one_round_at_a_time(alice, roles):
    begun(alice)
    with pytest.raises(RoundUnderWay):
        begun(alice)


def test_without_a_returned_role_there_is_nothing_to_validate(alice):
    make_role()
    with pytest.raises(NothingToValidate):
        begun(alice)


def test_doors_that_shall_be_shut_are_tried_too_and_suspended_roles_are_not(alice, roles):
    offboarding.suspend_role(roles[0], by=alice)
    offboarding.retire_role(roles[1], by=alice)
    assert begun(alice).total == 4
