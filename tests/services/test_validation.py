from datetime import timedelta
from uuid import uuid4

import pytest
import time_machine
from django.conf import settings
from django.db import IntegrityError, OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from onboarding import pace, queue, tasks
from onboarding.core.arns import RoleArn
from onboarding.core.probes import Outcome, VerdictCode
from onboarding.core.states import State
from onboarding.models import AuditEvent, Bastion, ExternalRole, Trigger, Validation
from onboarding.models.validation import LEASE
from onboarding.services import audit, claims, effects, offboarding, probing, validation
from onboarding.services.validation import NotChecked
from tests.factories import Door, check, give_up, make_bastion, make_checked_role, make_returned_role, make_role

pytestmark = pytest.mark.django_db
SHUT = Outcome.DENIED
SECOND = timedelta(seconds=1)


def now_of(role: ExternalRole) -> ExternalRole:
    return ExternalRole.objects.get(pk=role.pk)


def ask(role: ExternalRole, trigger: Trigger = Trigger.ADMIN) -> Validation:
    return validation.request_validation(role, trigger=trigger)


def due(*roles: ExternalRole) -> list[ExternalRole]:
    """As if the interval had passed."""
    ExternalRole.objects.filter(pk__in=[role.pk for role in roles]).update(next_check_at=timezone.now() - SECOND)
    return list(roles)


@pytest.fixture
def sent(monkeypatch):
    """What was handed to the broker."""
    tasks_sent = []

    def send(task, *arguments, countdown=0):
        return not tasks_sent.append((task, *arguments))

    monkeypatch.setattr(queue, "send", send)
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
        with time_machine.travel(timezone.now() + LEASE + SECOND):
            validation.run_validation(asked.pk, probe=Door())

    validation.run_validation(asked.pk, probe=Door(with_external_id=SHUT, first=meanwhile))
    asked.refresh_from_db()
    assert asked.verdict == VerdictCode.PROVEN
    assert now_of(role).state == State.PROVEN


def test_an_outage_gives_the_claim_back_for_later_and_leaves_the_role_alone(sent):
    role = make_checked_role()
    asked = ask(role)
    validation.run_validation(asked.pk, probe=Door(outage="Throttling"))
    asked.refresh_from_db()
    assert (asked.finished_at, asked.claim, asked.outages) == (None, None, 1)
    assert sent[-1] == (queue.VALIDATE_ROLE, asked.pk)
    with time_machine.travel(timezone.now() + timedelta(seconds=2)):
        assert Validation.objects.claimable(timezone.now()).get() == asked
    assert now_of(role).state == State.PROVEN


def test_pauses_after_outages_grow(sent):
    asked = ask(make_checked_role())
    pauses = []
    for outages in range(4):
        Validation.objects.filter(pk=asked.pk).update(claimed_until=None)
        validation.run_validation(asked.pk, probe=Door(outage="Throttling"))
        asked.refresh_from_db()
        assert asked.outages == outages + 1
        pauses.append(round((asked.claimed_until - timezone.now()).total_seconds()))
    assert pauses == [1, 2, 4, 8]


def test_an_outage_that_lasts_is_told_as_our_own_trouble():
    role = make_checked_role()
    told = give_up(role, "Throttling")
    assert (told.verdict, told.detail) == (VerdictCode.OUR_TROUBLE, "own_identity: Throttling")
    assert now_of(role).state == State.PROVEN
    assert now_of(role).next_check_at <= timezone.now() + settings.CHECK_INTERVAL_TROUBLED


def test_a_proven_role_that_fails_is_looked_at_again_soon_and_is_broken_when_that_lasts():
    role = make_checked_role()
    check(role, Door(with_external_id=SHUT))
    suspect = now_of(role)
    assert suspect.state == State.SUSPECT
    assert suspect.next_check_at <= timezone.now() + timedelta(seconds=30)
    check(suspect, Door(with_external_id=SHUT))
    assert now_of(role).state == State.SUSPECT
    with time_machine.travel(suspect.state_since + settings.IAM_PROPAGATION + SECOND):
        check(suspect, Door(with_external_id=SHUT))
    broken = now_of(role)
    assert broken.state == State.BROKEN
    assert broken.failing_since == suspect.failing_since == suspect.state_since
    check(broken, Door())
    recovered = now_of(role)
    assert (recovered.state, recovered.failing_since) == (State.PROVEN, None)


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


def test_a_role_that_opens_to_a_stranger_is_unsafe():
    bastion = make_bastion(stranger_role_arn=RoleArn.parse("arn:aws:iam::111122223333:role/tobiishi-stranger"))
    door = Door(as_stranger=Outcome.ENTERED)
    role = make_checked_role(door=door)
    assert door.orders[0].stranger.role_arn == bastion.stranger_role_arn
    assert (role.state, role.validations.get().verdict) == (State.UNSAFE, VerdictCode.OPENS_TO_STRANGER)


@pytest.mark.parametrize("code", ["RegionDisabledException"])
def test_a_request_that_aws_refuses_otherwise_turns_no_role_red(code):
    role = make_checked_role()
    told = check(role, Door(with_external_id=Outcome.REFUSED_OTHERWISE))
    assert (told.verdict, told.detail) == (VerdictCode.REFUSED_OTHERWISE, code)
    assert now_of(role).state == State.PROVEN


@pytest.fixture
def controlled() -> Bastion:
    """A bastion with control roles that hold."""
    arns = {f"{name}_control_role_arn": RoleArn.parse(f"arn:aws:iam::444455556666:role/{name}") for name in CONTROLS}
    return make_bastion(**arns)


CONTROLS = ("open", "asking")


def test_a_denial_is_our_own_trouble_while_our_control_role_is_shut_too(controlled):
    role = make_checked_role()
    told = check(role, Door(with_external_id=SHUT, control=SHUT))
    assert told.verdict == VerdictCode.OUR_TROUBLE
    assert now_of(role).state == State.PROVEN
    assert check(role, Door(with_external_id=SHUT)).verdict == VerdictCode.DENIED
    assert now_of(role).state == State.SUSPECT


def test_while_the_control_roles_do_not_hold_no_role_becomes_proven(controlled):
    Bastion.objects.update(controls_hold=False)
    role = make_checked_role()
    assert (role.state, role.validations.get().verdict) == (State.RETURNED, VerdictCode.INCONCLUSIVE)
    check(role, Door(without=Outcome.ENTERED))
    assert now_of(role).state == State.UNSAFE


# --- Chunks -------------------------------------------------------------------------------------------------------


def chunk_of(count: int) -> tuple[list[ExternalRole], list[int]]:
    """Proven roles, and the keys of their scheduled validations."""
    roles = [make_checked_role() for _ in range(count)]
    due(*roles)
    validation.sweep()
    keys = Validation.objects.open().order_by("pk").values_list("pk", flat=True)
    return [now_of(role) for role in roles], list(keys)


def test_a_chunk_is_tried_side_by_side_and_who_we_are_is_asked_once(sent):
    roles, pks = chunk_of(7)
    door = Door()
    validation.run_chunk(pks, probe=door)
    assert door.times_asked_who == 1
    assert {order.role_arn.name for order in door.orders} == {role.role_name for role in roles}
    assert all(len(row.probes) == 9 for row in Validation.objects.filter(pk__in=pks))
    assert not Validation.objects.open().exists()
    assert all(now_of(role).next_check_at > timezone.now() for role in roles)


def test_the_next_checks_of_a_chunk_are_spread(sent):
    roles, pks = chunk_of(7)
    validation.run_chunk(pks, probe=Door())
    planned = [now_of(role).next_check_at for role in roles]
    assert len(set(planned)) == 7
    assert max(planned) <= timezone.now() + settings.CHECK_INTERVAL
    assert min(planned) >= timezone.now() + 0.9 * settings.CHECK_INTERVAL - SECOND


def test_a_chunk_in_which_nothing_changes_is_no_audit_event_and_changes_are_one_append(sent):
    roles, pks = chunk_of(5)
    before = AuditEvent.objects.count()
    validation.run_chunk(pks, probe=Door())
    assert AuditEvent.objects.count() == before
    due(*roles)
    validation.sweep()
    again = list(Validation.objects.open().values_list("pk", flat=True))
    with CaptureQueriesContext(connection) as queries:
        validation.run_chunk(again, probe=Door(with_external_id=SHUT))
    assert AuditEvent.objects.count() == before + 5
    assert sum("onboarding_auditevent" in query["sql"] for query in queries) == 1
    assert audit.check_chain().holds


def test_what_the_first_have_found_is_written_while_the_others_are_tried(sent, monkeypatch):
    monkeypatch.setattr(probing, "_BATCH", 2)
    _, pks = chunk_of(5)
    written = []
    apply_all = effects.apply_all
    monkeypatch.setattr(effects, "apply_all", lambda results: written.append(len(results)) or apply_all(results))
    validation.run_chunk(pks, probe=Door())
    assert [count for count in written if count] == [2, 2, 1]
    assert not Validation.objects.open().exists()


@pytest.mark.parametrize(("rate", "size"), [(0, 500), (50, 93), (500, 500), (0.1, 1)])
def test_a_chunk_is_no_longer_than_the_rate_lets_through_in_its_time(rate, size, settings):
    settings.STS_CALLS_PER_SECOND = rate
    assert probing.chunk_size() == size


def test_a_chunk_needs_the_same_queries_for_two_roles_and_for_twenty(sent):
    def queries_of(count: int) -> int:
        _, pks = chunk_of(count)
        with CaptureQueriesContext(connection) as queries:
            validation.run_chunk(pks, probe=Door())
        return len(queries)

    assert queries_of(2) == queries_of(20) <= 12


def test_a_chunk_without_an_identity_tries_nothing_and_comes_back(sent):
    roles, pks = chunk_of(3)
    door = Door(outage="ExpiredToken")
    validation.run_chunk(pks, probe=door)
    assert not door.orders
    assert sent[-1] == (queue.VALIDATE_CHUNK, pks)
    assert {now_of(role).state for role in roles} == {State.PROVEN}


def test_what_there_was_no_time_for_comes_back_at_once(sent, monkeypatch):
    _, pks = chunk_of(3)
    monkeypatch.setattr(pace, "wait_for", lambda *_args, **_options: False)
    door = Door()
    validation.run_chunk(pks, probe=door)
    assert not door.orders
    assert sent[-1] == (queue.VALIDATE_CHUNK, pks)
    assert Validation.objects.claimable(timezone.now()).filter(outages=0).count() == 3


def test_two_chunks_with_the_same_roles_do_each_of_them_once(sent):
    _, pks = chunk_of(4)
    inner = Door()
    outer = Door(first=None)
    claimed = claims.claim(pks[:2], claim_id=uuid4())
    validation.run_chunk(pks, probe=inner)
    assert len(claimed) == len(inner.orders) == 2
    claims.give_back(claimed)
    validation.run_chunk(pks, probe=outer)
    assert len(outer.orders) == 2


# --- Workers that are lost ----------------------------------------------------------------------------------------


def test_a_task_that_comes_again_takes_up_what_it_had_claimed_itself(sent):
    _, (pk,) = chunk_of(1)
    claim_id = uuid4()
    claims.claim([pk], claim_id=claim_id)
    validation.run_chunk([pk], claim_id=uuid4(), probe=Door())
    assert Validation.objects.open().exists()
    validation.run_chunk([pk], claim_id=claim_id, probe=Door())
    assert not Validation.objects.open().exists()


def test_roles_with_which_a_worker_was_lost_are_tried_alone(sent):
    _, pks = chunk_of(3)
    claim_id = uuid4()
    claims.claim(pks, claim_id=claim_id)
    sent.clear()
    door = Door()
    validation.run_chunk(pks, claim_id=claim_id, probe=door)
    assert not door.orders
    assert sent == [(queue.VALIDATE_CHUNK, [pk]) for pk in pks]


def test_a_role_that_kills_every_worker_is_given_up(sent):
    (role,), pks = chunk_of(1)
    for _ in range(claims.MOST_LOSSES + 1):
        claims.claim(pks, claim_id=uuid4())
        Validation.objects.update(claimed_until=timezone.now() - SECOND)
    door = Door()
    validation.run_chunk(pks, probe=door)
    told = Validation.objects.get(pk=pks[0])
    assert not door.orders
    assert (told.verdict, told.detail) == (VerdictCode.OUR_TROUBLE, "worker_lost")
    assert (now_of(role).state, now_of(role).next_check_at > timezone.now()) == (State.PROVEN, True)


# --- The schedule -------------------------------------------------------------------------------------------------


def test_the_sweep_asks_for_what_is_due_and_nothing_else(sent):
    overdue, later = make_checked_role(), make_checked_role()
    due(overdue)
    sent.clear()
    validation.sweep()
    validation.sweep()
    asked = Validation.objects.open().get()
    assert (asked.external_role, asked.trigger) == (overdue, Trigger.SCHEDULE)
    assert sent == [(queue.VALIDATE_CHUNK, [asked.pk])]
    assert not later.validations.open().exists()


def test_what_is_due_is_sent_in_chunks(sent, monkeypatch):
    monkeypatch.setattr(probing, "_CHUNK", 3)
    chunk_of(7)
    assert [len(pks) for task, *(pks,) in sent if task == queue.VALIDATE_CHUNK] == [3, 3, 1]


def test_the_sweep_sends_again_what_the_broker_lost(sent):
    asked = make_returned_role().validations.get()
    sent.clear()
    validation.sweep()
    assert not sent
    with time_machine.travel(timezone.now() + timedelta(minutes=1)):
        validation.sweep()
        validation.sweep()
    assert sent == [(queue.VALIDATE_ROLE, asked.pk)]


def test_while_chunks_are_worked_on_the_others_wait_for_their_turn(sent):
    _, pks = chunk_of(3)
    sent.clear()
    with time_machine.travel(timezone.now() + timedelta(minutes=1)):
        claimed = claims.claim(pks[:1], claim_id=uuid4())
        validation.sweep()
        assert not sent
        claims.give_back(claimed)
        Validation.objects.update(queued_at=timezone.now() - timedelta(minutes=1))
        validation.sweep()
    assert sent == [(queue.VALIDATE_CHUNK, pks)]


def test_a_lease_that_ran_out_is_taken_up_though_other_chunks_are_worked_on(sent):
    _, pks = chunk_of(3)
    claims.claim(pks[:1], claim_id=uuid4())
    sent.clear()
    with time_machine.travel(timezone.now() + LEASE + SECOND):
        claims.claim(pks[1:2], claim_id=uuid4())
        validation.sweep()
    assert sent == [(queue.VALIDATE_CHUNK, pks[:1])]


def test_the_sweep_leaves_what_a_worker_holds(sent):
    asked = make_returned_role().validations.get()
    claims.claim([asked.pk], claim_id=uuid4())
    Validation.objects.update(queued_at=timezone.now() - timedelta(minutes=1))
    sent.clear()
    validation.sweep()
    assert not sent


def test_two_beats_ask_for_each_role_once(sent, monkeypatch):
    roles = due(*[make_checked_role() for _ in range(3)])
    for _ in range(2):
        validation.sweep()
        # What a second sweep had found before it saw the rows of the first.
        validation._make_rows([(role.pk, role.role_arn) for role in roles], at=timezone.now(), trigger=Trigger.SCHEDULE)
    assert Validation.objects.open().count() == 3


@pytest.mark.parametrize("ahead", [timedelta(days=400), timedelta(hours=4)])
def test_a_clock_that_was_ahead_for_a_while_stops_no_checks(sent, ahead):
    role = make_returned_role()
    with time_machine.travel(timezone.now() + ahead):
        check(role, Door())
    validation.sweep()
    validation.sweep()
    assert role.validations.open().count() == 1


def test_a_lease_given_by_a_clock_that_was_ahead_holds_nobody_up():
    asked = make_returned_role().validations.get()
    with time_machine.travel(timezone.now() + timedelta(days=1)):
        claims.claim([asked.pk], claim_id=uuid4())
    assert Validation.objects.claimable(timezone.now()).get() == asked


def test_somebody_who_asks_for_what_the_schedule_asked_for_goes_first(sent):
    (role,), (pk,) = chunk_of(1)
    sent.clear()
    assert ask(role).pk == pk
    assert (Validation.objects.get(pk=pk).trigger, role.validations.open().count()) == (Trigger.ADMIN, 1)


def test_the_sweep_needs_the_same_queries_for_one_role_and_for_thirty(sent, django_assert_max_num_queries):
    due(*[make_checked_role() for _ in range(30)])
    with django_assert_max_num_queries(10):
        validation.sweep()
    assert [len(pks) for task, *(pks,) in sent if task == queue.VALIDATE_CHUNK] == [30]


def test_one_validation_costs_few_queries(django_assert_max_num_queries):
    asked = ask(make_checked_role())
    with django_assert_max_num_queries(9):
        validation.run_validation(asked.pk, probe=Door())


def test_a_broker_that_is_down_loses_no_submission(settings, django_capture_on_commit_callbacks, monkeypatch):
    def unreachable(*_arguments, **_options):
        raise OSError

    monkeypatch.setattr("celery.current_app.send_task", unreachable)
    with django_capture_on_commit_callbacks(execute=True):
        role = make_returned_role()
    assert role.validations.open().exists()


def test_a_database_that_is_away_brings_the_task_back(monkeypatch):
    calls = []

    def run(pk, *, claim_id):
        calls.append(claim_id)
        if len(calls) == 1:
            raise OperationalError

    monkeypatch.setattr(validation, "run_validation", run)
    tasks.validate_role.apply(args=[1])
    assert len(calls) == 2
    assert calls[0] == calls[1]


def test_what_was_learnt_survives_a_database_that_restarts(monkeypatch):
    asked = ask(make_checked_role())
    door, apply, calls = Door(), effects._apply, []

    def apply_at_the_third_try(results):
        calls.append(results)
        if len(calls) < 3:
            raise OperationalError
        return apply(results)

    monkeypatch.setattr(effects, "_apply", apply_at_the_third_try)
    monkeypatch.setattr(effects, "sleep", lambda _seconds: None)
    monkeypatch.setattr(effects.connection, "close", lambda: None)
    validation.run_validation(asked.pk, probe=door)
    assert len(door.orders) == 1
    assert Validation.objects.get(pk=asked.pk).verdict == VerdictCode.PROVEN


def test_a_state_that_nobody_knows_cannot_be_written():
    role = make_role()
    with pytest.raises(IntegrityError), transaction.atomic():
        ExternalRole.objects.filter(pk=role.pk).update(state="fine")


def test_a_role_that_has_to_be_checked_cannot_be_without_a_next_time():
    role = make_checked_role()
    with pytest.raises(IntegrityError), transaction.atomic():
        ExternalRole.objects.filter(pk=role.pk).update(next_check_at=None)
