from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onboarding.core import alerts
from onboarding.core.alerts import AlertKind
from onboarding.core.states import State

NOW = datetime(2026, 5, 5, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("before", "after", "told", "kind"),
    [
        (State.SUSPECT, State.BROKEN, None, AlertKind.BROKEN),
        (State.PROVEN, State.UNSAFE, None, AlertKind.UNSAFE),
        (State.RETURNED, State.UNSAFE, None, AlertKind.UNSAFE),
        (State.BROKEN, State.PROVEN, AlertKind.BROKEN, AlertKind.RECOVERED),
        # It was unsafe, then shut, then mended: what was told last says that this is good news.
        (State.SUSPECT, State.PROVEN, AlertKind.UNSAFE, AlertKind.RECOVERED),
        (State.RETIRING, State.RETIRED, None, AlertKind.RETIRED),
        # Nobody was told of the one failure, so nobody is told that it has passed.
        (State.SUSPECT, State.PROVEN, None, None),
        (State.SUSPECT, State.PROVEN, AlertKind.RECOVERED, None),
        (State.RETURNED, State.PROVEN, None, None),
        (State.PROVEN, State.SUSPECT, None, None),
        (State.BROKEN, State.BROKEN, AlertKind.BROKEN, None),
        # It was never returned, so there was no door to shut.
        (State.INVITED, State.RETIRED, None, None),
    ],
)
def test_what_a_change_of_state_is_worth(before, after, told, kind):
    assert alerts.kind_of_change(before, after, told=told) is kind


@given(st.lists(st.timedeltas(timedelta(0), alerts.REMEMBERED), max_size=40))
def test_an_alert_collects_for_a_minute_and_waits_for_half_an_hour_at_most(ages):
    told = [NOW - age for age in ages]
    due = alerts.due_at(NOW, told=told)
    assert NOW + alerts.COLLECTING <= due <= NOW + timedelta(minutes=30)


def test_a_fault_that_comes_to_light_over_three_hours_is_a_handful_of_lists():
    told: list[datetime] = []
    at, end = NOW, NOW + timedelta(hours=3)
    while at < end:
        told.append(alerts.due_at(at, told=told))
        at = told[-1] + timedelta(seconds=20)
    assert len(told) <= 9
    assert all(timedelta(minutes=4) < later - earlier for earlier, later in pairwise(told))


def test_every_kind_goes_to_somebody():
    assert set(AlertKind) == alerts.FOR_ADMINS | alerts.FOR_PARTNERS | {AlertKind.RETIREMENT}
