from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.utils import timezone

from onboarding import queue, tasks
from onboarding.aws import AwsUnavailable
from onboarding.core.probes import Outcome, VerdictCode
from onboarding.core.states import State
from onboarding.models import AuditEvent, ExternalRole, Trigger, Validation
from onboarding.services import offboarding, validation
from onboarding.services.validation import NotChecked
from tests.factories import Door, check, make_checked_role, make_returned_role, make_role

pytestmark = pytest.mark.django_db
SHUT = Outcome.DENIED


def now_of(role: ExternalRole) -> ExternalRole:
    return ExternalRole.objects.get(pk=role.pk)


def away(_order):
    raise AwsUnavailable("Throttling", where="own_identity")


@pytest.fixture
def sent(monkeypatch):
    """What was handed to the broker."""
    tasks_sent = []
    monkeypatch.setattr(queue, "send", lambda task, *arguments: not tasks_sent.append((task, *arguments)))
    return tasks_sent


def test_asking_twice_is_one_validation():
    role = make_checked_role()
    first = validation.request_validation(role, trigger=Trigger.ADMIN)
    assert validation.request_validation(role, trigger=Trigger.PARTNER) == first


def test_a_role_without_an_arn_has_nothing_to_check():
    with pytest.raises(NotChecked):
        validation.request_validation(make_role(), trigger=Trigger.ADMIN)


def test_a_validation_is_done_once():
    role = make_returned_role()
    asked, door = role.validations.get(), Door()
    validation.run_validation(asked.pk, probe=door)
    validation.run_validation(asked.pk, probe=door)
    assert len(door.orders) == 1


def test_two_workers_cannot_hold_one_validation():
    role = make_returned_role()
    asked, inner = role.validations.get(), Door()
    validation.run_validation(asked.pk, probe=Door(first=lambda: validation.run_validation(asked.pk, probe=inner)))
    assert not inner.orders


def test_a_worker_that_lost_its_lease_changes_nothing():
    role = make_returned_role()
    asked = role.validations.get()

    def meanwhile() -> None:
        with time_machine.travel(timezone.now() + validation.LEASE + timedelta(seconds=1)):
            validation.run_validation(asked.pk, probe=Door())

    validation.run_validation(asked.pk, probe=Door(with_external_id=SHUT, first=meanwhile))
    asked.refresh_from_db()
    assert asked.verdict == VerdictCode.PROVEN
    assert now_of(role).state == State.PROVEN


def test_the_wrong_external_id_is_well_formed_and_nobodys():
    door = Door()
    role = make_checked_role(door=door)
    order = door.orders[0]
    assert order.external_id == role.external_id
    assert len(order.wrong_external_id) == len(role.external_id)
    assert not ExternalRole.objects.filter(external_id=order.wrong_external_id).exists()


def test_an_outage_gives_the_claim_back_and_leaves_the_role_alone():
    role = make_checked_role()
    asked = validation.request_validation(role, trigger=Trigger.ADMIN)
    with pytest.raises(AwsUnavailable):
        validation.run_validation(asked.pk, probe=away)
    assert Validation.objects.claimable(timezone.now()).get() == asked
    assert now_of(role).state == State.PROVEN


def test_an_outage_that_lasts_is_told_as_our_own_trouble():
    role = make_checked_role()
    asked = validation.request_validation(role, trigger=Trigger.ADMIN)
    validation.give_up(asked.pk, AwsUnavailable("Throttling", where="own_identity"))
    asked.refresh_from_db()
    assert (asked.verdict, asked.detail) == (VerdictCode.OUR_TROUBLE, "own_identity: Throttling")
    assert now_of(role).state == State.PROVEN
    assert now_of(role).next_check_at <= timezone.now() + settings.CHECK_INTERVAL_TROUBLED


def test_a_proven_role_that_fails_is_looked_at_again_soon_and_then_broken():
    role = make_checked_role()
    check(role, Door(with_external_id=SHUT))
    suspect = now_of(role)
    assert suspect.state == State.SUSPECT
    assert suspect.next_check_at <= timezone.now() + timedelta(minutes=1)
    check(suspect, Door(with_external_id=SHUT))
    assert now_of(role).state == State.BROKEN
    check(now_of(role), Door())
    recovered = now_of(role)
    assert (recovered.state, recovered.failures_in_a_row) == (State.PROVEN, 0)


def test_after_two_minutes_a_denied_role_is_refused():
    role = make_checked_role(door=Door(with_external_id=SHUT))
    assert role.state == State.NOT_YET
    with time_machine.travel(timezone.now() + timedelta(minutes=3)):
        check(role, Door(with_external_id=SHUT))
    assert now_of(role).state == State.REFUSED


def test_another_account_that_answers_ends_in_its_verdict():
    role = make_checked_role(door=Door(account="999988887777"))
    told = role.validations.get()
    assert (told.verdict, told.detail) == (VerdictCode.WRONG_ACCOUNT, "999988887777")
    assert role.state == State.REFUSED


def test_only_a_change_is_an_audit_event():
    role = make_checked_role()
    for _ in range(3):
        check(role, Door())
    assert AuditEvent.objects.filter(action="role_state_changed").count() == 1


def test_a_role_suspended_while_it_is_checked_stays_suspended(alice):
    role = make_returned_role()
    check(role, Door(first=lambda: offboarding.suspend_role(now_of(role), by=alice)))
    assert now_of(role).state == State.SUSPENDED


def test_the_sweep_asks_for_what_is_due_and_nothing_else(sent):
    due, later = make_checked_role(), make_checked_role()
    ExternalRole.objects.filter(pk=due.pk).update(next_check_at=timezone.now() - timedelta(seconds=1))
    validation.sweep()
    validation.sweep()
    asked = Validation.objects.open().get()
    assert (asked.external_role, asked.trigger) == (due, Trigger.SCHEDULE)
    assert sent == [(queue.VALIDATE_ROLE, asked.pk)]
    assert not later.validations.open().exists()


def test_the_sweep_sends_again_what_the_broker_lost(sent):
    asked = make_returned_role().validations.get()
    validation.sweep()
    assert not sent
    with time_machine.travel(timezone.now() + timedelta(minutes=1)):
        validation.sweep()
        validation.sweep()
    assert sent == [(queue.VALIDATE_ROLE, asked.pk)]


def test_the_sweep_leaves_what_a_worker_holds(sent):
    asked = make_returned_role().validations.get()
    Validation.objects.filter(pk=asked.pk).update(
        claimed_until=timezone.now() + validation.LEASE, queued_at=timezone.now() - timedelta(minutes=1)
    )
    validation.sweep()
    assert not sent


def test_the_sweep_needs_the_same_queries_for_one_role_and_for_thirty(sent, django_assert_max_num_queries):
    for _ in range(30):
        make_checked_role()
    ExternalRole.objects.update(next_check_at=timezone.now() - timedelta(seconds=1))
    with django_assert_max_num_queries(10):
        validation.sweep()
    assert len(sent) == 30


def test_one_validation_costs_few_queries(django_assert_max_num_queries):
    role = make_checked_role()
    asked = validation.request_validation(role, trigger=Trigger.ADMIN)
    with django_assert_max_num_queries(6):
        validation.run_validation(asked.pk, probe=Door())


def test_a_broker_that_is_down_loses_no_submission(settings, django_capture_on_commit_callbacks, monkeypatch):
    def unreachable(*_arguments, **_options):
        raise OSError

    monkeypatch.setattr("celery.current_app.send_task", unreachable)
    with django_capture_on_commit_callbacks(execute=True):
        role = make_returned_role()
    assert role.validations.open().exists()


def test_the_task_retries_an_outage_and_gives_up_at_last(monkeypatch):
    role = make_checked_role()
    asked = validation.request_validation(role, trigger=Trigger.ADMIN)
    monkeypatch.setattr(validation.run_validation, "__kwdefaults__", {"probe": away})
    tasks.validate_role.apply(args=[asked.pk])
    asked.refresh_from_db()
    assert asked.verdict == VerdictCode.OUR_TROUBLE
