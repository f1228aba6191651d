from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from onboarding.core import history
from onboarding.core.history import Check, Day, Span
from onboarding.core.probes import VerdictCode
from onboarding.core.states import State

NOW = datetime(2027, 12, 31, 12, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
STATES = [State.PROVEN, State.SUSPECT, State.BROKEN, State.UNSAFE, State.SUSPENDED]
VERDICTS = {
    State.PROVEN: VerdictCode.PROVEN,
    State.UNSAFE: VerdictCode.OPENS_WITHOUT_EXTERNAL_ID,
}


def check(key: int, at: datetime, before: State, after: State, verdict: str = "") -> Check:
    verdict = verdict or VERDICTS.get(after, VerdictCode.DENIED)
    return Check(key=key, at=at, until=at, times=1, verdict=verdict, role_arn="arn", before=before, after=after)


@st.composite
def histories(draw: st.DrawFn) -> list[Check]:
    """Checks of two years and more, with changes, troubles of ours, gaps, and changes by hand in between."""
    age = draw(st.integers(1, 900))
    at, state = NOW - age * DAY, State.RETURNED
    checks: list[Check] = []
    gaps = st.sampled_from([3 * HOUR, 3 * HOUR, 5 * HOUR, 20 * HOUR, DAY, 3 * DAY, 40 * DAY])
    for key in range(draw(st.integers(0, 60))):
        at += draw(gaps)
        if at > NOW:
            break
        if draw(st.integers(0, 9)) == 0:
            state = draw(st.sampled_from(STATES))
        if draw(st.integers(0, 7)) == 0:
            checks.append(check(key, at, state, state, VerdictCode.OUR_TROUBLE))
            continue
        after = draw(st.sampled_from(STATES)) if draw(st.integers(0, 3)) == 0 else state
        checks.append(check(key, at, state, after))
        state = after
    return checks


def after_thinning(checks: Sequence[Check], *, now: datetime) -> list[Check]:
    thinned = history.thin(checks, now=now)
    grown = {kept.key: kept for kept in thinned.kept}
    return [grown.get(row.key, row) for row in checks if row.key not in thinned.gone]


def age(row: Check) -> timedelta:
    """In whole days."""
    return NOW.date() - row.until.date()


def proven(checks: Sequence[Check], *, days: int = 2_000) -> history.Proof:
    last = checks[-1] if checks else None
    known = (last.after, last.at) if last else (State.RETURNED, NOW)
    return history.proof(checks, within=Span(NOW - days * DAY, NOW), known=known)


@settings(max_examples=60)
@given(histories(), st.integers(1, 1_000))
def test_a_report_over_thinned_history_says_the_same(checks, days):
    assert proven(after_thinning(checks, now=NOW), days=days) == proven(checks, days=days)


@settings(max_examples=60)
@given(histories())
def test_thinning_loses_no_check_no_change_and_no_time(checks):
    thin = after_thinning(checks, now=NOW)
    assert sum(row.times for row in thin) == len(checks)
    assert [row for row in checks if row.before != row.after] == [
        row for row in checks if row.before != row.after and row.key in {kept.key for kept in thin}
    ]
    by_verdict = lambda rows: {  # noqa: E731
        verdict: sum(row.times for row in rows if row.verdict == verdict) for verdict in VerdictCode
    }
    assert by_verdict(thin) == by_verdict(checks)
    if checks:
        assert (thin[0].at, max(row.until for row in thin)) == (checks[0].at, checks[-1].until)


@settings(max_examples=60)
@given(histories(), st.integers(0, 900 * 24))
# At the edge of the days that are kept whole, and of those of which one check stays.
@example(
    [check(key, NOW - 400 * DAY - hours * HOUR, State.PROVEN, State.PROVEN) for key, hours in enumerate([26, 2, -1])],
    24,
)
@example(
    [check(key, NOW - 90 * DAY - hours * HOUR, State.PROVEN, State.PROVEN) for key, hours in enumerate([26, 2, -1])], 1
)
def test_thinned_now_and_then_is_thinned_at_once(checks, earlier):
    once = after_thinning(checks, now=NOW)
    twice = after_thinning(after_thinning(checks, now=NOW - earlier * HOUR), now=NOW)
    assert twice == once
    assert after_thinning(once, now=NOW) == once


@settings(max_examples=60)
@given(histories())
def test_the_rule_holds_all_then_one_a_day_then_changes_alone(checks):
    thin = after_thinning(checks, now=NOW)
    young = [row for row in checks if age(row) <= history.KEEP_ALL]
    assert [row.key for row in thin if age(row) <= history.KEEP_ALL] == [row.key for row in young]
    for earlier, later in pairwise(thin):
        if age(later) > history.KEEP_DAILY:
            assert not history.says_the_same(earlier, later)
        elif age(later) > history.KEEP_ALL:
            assert not history.says_the_same(earlier, later) or earlier.at.date() != later.at.date()


@given(histories())
def test_nobody_was_proven_for_longer_than_somebody_looked(checks):
    found = proven(checks)
    assert timedelta(0) <= found.proven <= found.watched <= 2_000 * DAY


def rows(*told: tuple[int, State, State]) -> list[Check]:
    """Each: how many hours after the first day began, before, after."""
    return [check(key, NOW - 10 * DAY + hours * HOUR, before, after) for key, (hours, before, after) in enumerate(told)]


def within(checks: list[Check], known: tuple[str, datetime]) -> history.Proof:
    return history.proof(checks, within=Span(NOW - 10 * DAY, NOW), known=known)


def test_a_role_is_proven_from_the_check_that_passed_to_the_one_that_did_not():
    told = rows((0, State.RETURNED, State.PROVEN), (3, State.PROVEN, State.PROVEN), (6, State.PROVEN, State.SUSPECT))
    found = within(told, (State.SUSPECT, told[-1].at))
    assert found.proven == 6 * HOUR


def test_what_was_changed_by_hand_ends_the_proof_at_the_last_check_before():
    told = rows((0, State.RETURNED, State.PROVEN), (3, State.PROVEN, State.PROVEN), (9, State.RETURNED, State.PROVEN))
    found = within(told, (State.PROVEN, told[-1].at))
    assert found.proven == 3 * HOUR + history.VOUCHES_FOR


def test_after_the_last_check_a_role_stays_proven_until_it_changed_and_for_two_days_at_most():
    told = rows((0, State.RETURNED, State.PROVEN))
    assert within(told, (State.PROVEN, told[0].at)).proven == history.VOUCHES_FOR
    assert within(told, (State.SUSPENDED, told[0].at + 5 * HOUR)).proven == 5 * HOUR


def test_a_time_in_which_nobody_looked_is_neither_proven_nor_not():
    told = rows((0, State.RETURNED, State.PROVEN), (24 * 8, State.PROVEN, State.PROVEN))
    found = within(told, (State.PROVEN, told[0].at))
    assert found.watched == found.proven == 2 * history.VOUCHES_FOR


def test_a_share_is_rounded_down():
    assert history.Proof(watched=10_000 * DAY, proven=10_000 * DAY - HOUR).percent == 99.99
    assert history.Proof(watched=DAY, proven=DAY).percent == 100
    assert history.Proof(watched=timedelta(0), proven=timedelta(0)).percent is None


def test_a_calendar_has_every_day():
    found = history.calendar([Day(date(2026, 5, 4), 8, 8, 0)], last=date(2026, 5, 5), count=3)
    assert [(day.on.day, day.checks) for day in found] == [(3, 0), (4, 8), (5, 0)]


@pytest.mark.parametrize("changed", ["verdict", "role_arn"])
def test_another_verdict_or_another_arn_is_a_change(changed):
    told = rows((0, State.PROVEN, State.PROVEN), (1, State.PROVEN, State.PROVEN))
    assert history.says_the_same(*told)
    assert not history.says_the_same(told[0], history.replace(told[1], **{changed: "other"}))
