from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from onboarding import queue
from onboarding.core.probes import VerdictCode
from onboarding.core.states import State
from onboarding.models import ExternalRole, ThinnedHistory, Trigger, Validation
from onboarding.services import history
from tests.factories import make_checked_role

pytestmark = pytest.mark.django_db
NOW = datetime(2027, 6, 1, 12, 0, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@pytest.fixture(autouse=True)
def sent(monkeypatch):
    tasks_sent = []
    monkeypatch.setattr(queue, "send", lambda task, *arguments: not tasks_sent.append((task, *arguments)))
    return tasks_sent


@pytest.fixture(autouse=True)
def on_a_day():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def role(alice, on_a_day) -> ExternalRole:
    made = make_checked_role()
    made.validations.all().delete()
    return made


def checked(
    role: ExternalRole,
    *ages: timedelta,
    before: State = State.PROVEN,
    after: State = State.PROVEN,
    verdict: VerdictCode = VerdictCode.PROVEN,
) -> None:
    Validation.objects.bulk_create(
        Validation(
            external_role=role,
            trigger=Trigger.SCHEDULE,
            requested_at=NOW - age,
            finished_at=NOW - age + timedelta(seconds=2),
            role_arn=role.role_arn,
            verdict=verdict,
            state_before=before,
            state_after=after,
        )
        for age in ages
    )


def thin(sent: list) -> int:
    """As the tasks do, one after another; how many there were."""
    history.thin_history()
    tasks = 1
    while sent:
        sent.clear()
        history.thin_history()
        tasks += 1
    return tasks


def every_three_hours(role: ExternalRole, *, days: range) -> None:
    checked(role, *(day * DAY + hours * HOUR for day in days for hours in range(0, 24, 3)))


def ages(role: ExternalRole) -> list[float]:
    return [(NOW - row.requested_at) / DAY for row in role.validations.order_by("-requested_at")]


def report_of(role: ExternalRole, days: int | None = None) -> history.Line:
    (line,) = history.report([role], history.span_of(days))
    return line


def test_checks_of_ninety_days_stay_and_older_ones_are_one_a_day(role):
    every_three_hours(role, days=range(80, 100))
    history.thin_history()
    found = ages(role)
    assert len([age for age in found if age < 90]) == 80
    assert len([age for age in found if age >= 92]) <= 9
    assert sum(row.same_count + 1 for row in role.validations.all()) == 160


def test_after_four_hundred_days_changes_alone_stay(role, sent):
    every_three_hours(role, days=range(405, 425))
    checked(role, 410 * DAY + HOUR, after=State.SUSPECT, verdict=VerdictCode.DENIED)
    checked(role, 410 * DAY + HOUR / 2, before=State.SUSPECT)
    thin(sent)
    assert role.validations.count() == 3
    assert sum(row.same_count + 1 for row in role.validations.all()) == 20 * 8 + 2


def test_a_report_says_the_same_before_and_after(role, sent):
    for days in (range(8), range(85, 97), range(358, 368), range(395, 407)):
        every_three_hours(role, days=days)
    checked(role, 95 * DAY + HOUR, after=State.SUSPECT, verdict=VerdictCode.DENIED)
    checked(role, 95 * DAY + HOUR / 2, before=State.SUSPECT)
    times = (30, 90, 365, None)
    before = {days: report_of(role, days) for days in times}
    thin(sent)
    assert role.validations.count() < 150
    assert {days: report_of(role, days) for days in times} == before
    assert before[None].checks == 42 * 8 + 2


def test_thinning_again_changes_nothing_and_goes_on_from_day_to_day(role, sent):
    every_three_hours(role, days=range(85, 110))
    history.thin_history()
    first = list(role.validations.values())
    history.thin_history()
    assert list(role.validations.values()) == first
    marks = ThinnedHistory.objects.get()
    with time_machine.travel(NOW + 3 * DAY, tick=False):
        history.thin_history()
    assert ThinnedHistory.objects.get().daily_before == marks.daily_before + 3 * DAY
    assert role.validations.count() < len(first)
    assert not sent


def test_a_long_neglected_history_is_thinned_in_several_tasks(role, sent, monkeypatch):
    monkeypatch.setattr(history, "_CHUNKS", 10)
    every_three_hours(role, days=range(92, 130))
    history.thin_history()
    assert sent == [(queue.THIN_HISTORY,)]
    assert thin(sent) > 2
    assert len(ages(role)) <= 39


def test_open_validations_and_other_roles_are_left_alone(role):
    other = make_checked_role()
    every_three_hours(role, days=range(95, 97))
    Validation.objects.create(
        external_role=role, trigger=Trigger.ADMIN, requested_at=NOW - 95 * DAY, role_arn=role.role_arn
    )
    checked(other, 95 * DAY, 95 * DAY + HOUR, verdict=VerdictCode.DENIED, before=State.BROKEN, after=State.BROKEN)
    history.thin_history()
    assert role.validations.open().count() == 1
    assert other.validations.filter(verdict=VerdictCode.DENIED).count() == 1


def test_a_day_of_six_roles_costs_the_queries_of_a_day_of_one(role):
    def queries_for(roles) -> int:
        for one in roles:
            checked(one, *(95 * DAY + hours * HOUR for hours in range(0, 9, 3)))
        ThinnedHistory.objects.all().delete()
        with CaptureQueriesContext(connection) as queries:
            history.thin_history()
        return len(queries)

    others = [make_checked_role() for _ in range(5)]
    assert queries_for([role]) == queries_for([role, *others])


def test_a_report_asks_twice_however_many_roles(role, django_assert_num_queries):
    roles = [role, *(make_checked_role() for _ in range(4))]
    with django_assert_num_queries(2):
        assert len(history.report(roles, history.span_of(90))) == 5


def test_a_whole_report_holds_every_role_once(role, monkeypatch):
    monkeypatch.setattr(history, "_CHUNK", 2)
    roles = {role, *(make_checked_role() for _ in range(4))}
    found = list(history.whole_report(ExternalRole.objects.all(), history.span_of(30)))
    assert len(found) == 5
    assert {line.role for line in found} == roles


def test_a_check_that_was_overtaken_speaks_for_nothing(role):
    checked(role, 2 * HOUR)
    checked(role, HOUR, before=State.BROKEN, after=State.BROKEN, verdict=VerdictCode.SUPERSEDED)
    ExternalRole.objects.update(state_since=NOW - DAY)
    role.refresh_from_db()
    line = report_of(role, 30)
    assert (line.checks, line.passed) == (1, 1)
    assert line.proof.proven == line.proof.watched == 2 * HOUR - timedelta(seconds=2)


def test_days_are_the_readers(role):
    checked(role, 21 * HOUR)
    in_utc, in_tokyo = (
        [day.on.day for day in history.days_of(role, zone=zone) if day.checks] for zone in (UTC, ZoneInfo("Asia/Tokyo"))
    )
    assert (in_utc, in_tokyo) == ([31], [1])


def test_a_chart_counts_what_passed_what_failed_and_what_taught_nothing(role, django_assert_num_queries):
    checked(role, HOUR, 2 * HOUR)
    checked(role, 3 * HOUR, verdict=VerdictCode.DENIED, after=State.SUSPECT)
    checked(role, 4 * HOUR, verdict=VerdictCode.OUR_TROUBLE)
    with django_assert_num_queries(1):
        days = history.days_of(role, zone=UTC)
    assert len(days) == history.CHART_DAYS
    assert (days[-1].checks, days[-1].passed, days[-1].failed) == (4, 2, 1)
