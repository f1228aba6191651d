from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onboarding.core import states
from onboarding.core.probes import Verdict, VerdictCode
from onboarding.core.states import Event, IllegalTransition, Intervals, State

HOURS, MINUTES = Intervals().well, Intervals().troubled


def travel(*events: Event, start: State = State.REGISTERED) -> State:
    state = start
    for event in events:
        state = states.next_state(state, event)
    return state


def test_the_usual_way_lays_four_stones():
    assert travel(Event.INVITED, Event.RETURNED, Event.DENIED_WHILE_FRESH, Event.OPENED_AS_WANTED) is State.PROVEN


def test_a_role_that_worked_fails_once_before_it_is_broken():
    assert travel(Event.DENIED, start=State.PROVEN) is State.SUSPECT
    assert travel(Event.DENIED, Event.DENIED, start=State.PROVEN) is State.BROKEN
    assert travel(Event.DENIED, Event.OPENED_AS_WANTED, start=State.PROVEN) is State.PROVEN


def test_a_role_that_never_worked_is_refused_and_not_broken():
    assert travel(Event.DENIED, start=State.RETURNED) is State.REFUSED


def test_a_retiring_role_is_retired_only_by_a_door_that_is_shown_to_be_shut():
    tries = (Event.OPENED_AS_WANTED, Event.OPENED_TOO_WIDE, Event.DENIED, Event.DENIED)
    assert travel(*tries, start=State.RETIRING) is State.RETIRING
    assert travel(Event.SHOWN_SHUT, start=State.RETIRING) is State.RETIRED


@given(st.sampled_from(Event))
def test_nothing_moves_a_retired_role(event):
    with pytest.raises(IllegalTransition):
        states.next_state(State.RETIRED, event)


@given(st.sampled_from(State), st.sampled_from(VerdictCode), st.booleans())
def test_every_verdict_fits_every_state_that_is_checked(state, code, fresh):
    if state not in states.CHECKED | {State.RETIRING}:
        return
    event = states.event_of(Verdict(code), state=state, fresh=fresh and state in {State.RETURNED, State.NOT_YET})
    if event:
        assert states.next_state(state, event) in State


@pytest.mark.parametrize("code", [VerdictCode.OUR_TROUBLE, VerdictCode.INCONCLUSIVE, VerdictCode.SUPERSEDED])
def test_what_taught_us_nothing_moves_nothing(code):
    assert states.event_of(Verdict(code), state=State.PROVEN, fresh=False) is None


def test_only_a_plain_denial_shuts_the_door_of_a_retiring_role():
    for code in (VerdictCode.REFUSED_OTHERWISE, VerdictCode.WRONG_ACCOUNT):
        assert states.event_of(Verdict(code), state=State.RETIRING, fresh=False) is None


def test_iam_gets_two_minutes_to_propagate():
    assert states.is_fresh(State.RETURNED, since_return=timedelta(seconds=119))
    assert not states.is_fresh(State.RETURNED, since_return=timedelta(seconds=120))
    assert not states.is_fresh(State.PROVEN, since_return=timedelta(0))


def test_gaps_grow_up_to_the_interval_of_roles_that_are_well():
    gaps = [states.next_check_after(State.BROKEN, failures=n, intervals=Intervals()) for n in range(12)]
    assert gaps == sorted(gaps)
    assert gaps[0] == gaps[1] == MINUTES
    assert gaps[-1] == HOURS


def test_a_fresh_role_is_tried_again_within_seconds():
    gaps = [states.next_check_after(State.NOT_YET, failures=n, intervals=Intervals()) for n in range(1, 8)]
    assert gaps[0] == timedelta(seconds=5)
    assert max(gaps) == timedelta(minutes=1)


@pytest.mark.parametrize("state", [State.REGISTERED, State.INVITED, State.SUSPENDED, State.RETIRED])
def test_what_is_not_checked_has_no_next_time(state):
    assert states.next_check_after(state, failures=0, intervals=Intervals()) is None


@given(st.sampled_from(State), st.booleans())
def test_there_are_one_to_five_stones(state, used):
    assert 1 <= states.stones_laid(state, used=used) <= 5
