from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onboarding.core import states
from onboarding.core.probes import Verdict, VerdictCode
from onboarding.core.states import Event, IllegalTransition, Intervals, State, Told

HOURS, MINUTES = Intervals().well, Intervals().troubled


def travel(*events: Event, start: State = State.REGISTERED) -> State:
    state = start
    for event in events:
        state = states.next_state(state, event)
    return state


def test_the_usual_way_lays_four_stones():
    assert travel(Event.INVITED, Event.RETURNED, Event.DENIED_WHILE_FRESH, Event.OPENED_AS_WANTED) is State.PROVEN


def test_a_role_that_worked_has_a_while_to_mend_itself_before_it_is_broken():
    assert travel(Event.DENIED, start=State.PROVEN) is State.SUSPECT
    assert travel(Event.DENIED, Event.DENIED_WHILE_FRESH, start=State.PROVEN) is State.SUSPECT
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


@given(st.sampled_from(State), st.sampled_from(VerdictCode), st.timedeltas())
def test_every_verdict_fits_every_state_that_is_checked(state, code, since):
    if state not in states.CHECKED | {State.RETIRING}:
        return
    event = states.event_of(Verdict(code), state=state, fresh=states.is_fresh(state, since=since))
    if event:
        assert states.next_state(state, event) in State


@pytest.mark.parametrize(
    "code",
    [VerdictCode.OUR_TROUBLE, VerdictCode.INCONCLUSIVE, VerdictCode.REFUSED_OTHERWISE, VerdictCode.SUPERSEDED],
)
def test_what_taught_us_nothing_moves_nothing(code):
    assert states.event_of(Verdict(code), state=State.PROVEN, fresh=False) is None


def test_each_pair_of_state_and_event_stands_in_the_table_once():
    pairs = [(state, line.event) for line in states.TRANSITIONS for state in line.states]
    assert len(pairs) == len(set(pairs))


def test_who_hears_of_what():
    def told(who: Told) -> set[tuple[State, State]]:
        return {(before, after) for before in State for after in State if states.who_is_told(before, after) is who}

    assert told(Told.ADMINS) == {
        (State.SUSPECT, State.BROKEN),
        (State.RETIRING, State.RETIRED),
        *((state, State.UNSAFE) for state in states.CHECKED - {State.UNSAFE}),
    }
    assert told(Told.IF_TOLD_BEFORE) == {(state, State.PROVEN) for state in states.CHECKED - {State.PROVEN}}


def test_an_unsafe_role_that_is_shut_stays_out_of_configs_until_it_is_proven():
    assert travel(Event.DENIED, start=State.UNSAFE) not in states.HANDED_OUT
    assert travel(Event.DENIED, Event.OPENED_AS_WANTED, start=State.UNSAFE) is State.PROVEN


def test_only_a_plain_denial_shuts_the_door_of_a_retiring_role():
    for code in (VerdictCode.WRONG_ROLE, VerdictCode.WRONG_ACCOUNT):
        assert states.event_of(Verdict(code), state=State.RETIRING, fresh=False) is None


@pytest.mark.parametrize("state", [State.RETURNED, State.NOT_YET, State.SUSPECT])
def test_iam_gets_two_minutes_to_propagate(state):
    assert states.is_fresh(state, since=timedelta(seconds=119))
    assert not states.is_fresh(state, since=timedelta(seconds=120))
    assert not states.is_fresh(state, since=timedelta(seconds=-120))
    assert not states.is_fresh(State.PROVEN, since=timedelta(0))


def gap(state: State, lasted: timedelta = timedelta(0), *, learnt: bool = True, luck: float = 0) -> timedelta | None:
    return states.next_check_after(state, lasted=lasted, learnt=learnt, intervals=Intervals(), luck=luck)


@pytest.mark.parametrize("state", [State.REFUSED, State.UNSAFE, State.BROKEN, State.RETIRING])
def test_gaps_of_an_open_problem_grow_up_to_the_interval_of_roles_that_are_well(state):
    lasted, gaps = timedelta(0), []
    for _ in range(8):
        gaps.append(gap(state, lasted))
        lasted += gaps[-1]
    assert gaps[:5] == [MINUTES, MINUTES, 2 * MINUTES, 4 * MINUTES, 8 * MINUTES]
    assert gaps[-1] == HOURS


def test_a_fresh_role_is_tried_again_within_seconds():
    gaps = [gap(State.NOT_YET, timedelta(seconds=seconds)) for seconds in (0, 5, 10, 20, 40, 80)]
    assert gaps == [timedelta(seconds=seconds) for seconds in (5, 5, 10, 20, 40, 60)]


def test_a_failure_is_looked_into_at_once_and_with_growing_gaps():
    gaps = [gap(State.SUSPECT, timedelta(seconds=seconds)) for seconds in (0, 30, 60, 120, 7_200)]
    assert gaps == [timedelta(seconds=seconds) for seconds in (30, 30, 60, 120, 900)]


@pytest.mark.parametrize("state", [State.PROVEN, State.SUSPECT, State.BROKEN])
def test_trouble_of_our_own_is_tried_again_soon(state):
    assert gap(state, timedelta(days=1), learnt=False) == MINUTES


@given(st.sampled_from(sorted(states.PROBED)), st.timedeltas(), st.booleans(), st.floats(0, 1))
def test_no_gap_is_longer_than_the_interval_whatever_the_clock_did(state, lasted, learnt, luck):
    found = gap(state, lasted, learnt=learnt, luck=luck)
    assert timedelta(0) < found <= Intervals().longest


def test_roles_that_are_well_are_spread():
    assert gap(State.PROVEN, luck=1) < gap(State.PROVEN, luck=0.5) < gap(State.PROVEN, luck=0) == HOURS


@pytest.mark.parametrize("state", [State.REGISTERED, State.INVITED, State.SUSPENDED, State.RETIRED])
def test_what_is_not_checked_has_no_next_time(state):
    assert gap(state) is None


@given(st.sampled_from(State), st.booleans())
def test_there_are_one_to_five_stones(state, used):
    assert 1 <= states.stones_laid(state, used=used) <= 5
