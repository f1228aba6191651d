from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from onboarding.core import retirement
from onboarding.core.probes import Verdict, VerdictCode
from onboarding.core.retirement import SHUT_AGAIN_AFTER, Sight

NOW = datetime(2026, 5, 5, 9, 0, tzinfo=UTC)


def tried(*tries: tuple[Sight, int]) -> bool:
    """Whether these tries, each so many minutes after the first, show the door to be shut."""
    first = None
    for seen, minutes in tries:
        at = NOW + timedelta(minutes=minutes)
        first = retirement.first_seen_shut(seen, first, at=at)
        if retirement.is_shown_shut(seen, first, at=at, apart=SHUT_AGAIN_AFTER):
            return True
    return False


def test_one_denial_shows_nothing():
    assert not tried((Sight.SHUT, 0))


def test_two_denials_a_quarter_of_an_hour_apart_show_a_shut_door():
    assert tried((Sight.SHUT, 0), (Sight.SHUT, 15))
    assert not tried((Sight.SHUT, 0), (Sight.SHUT, 14))
    assert tried((Sight.SHUT, 0), (Sight.SHUT, 5), (Sight.SHUT, 15))


def test_a_door_that_opened_in_between_begins_anew():
    assert not tried((Sight.SHUT, 0), (Sight.OPEN, 10), (Sight.SHUT, 15))
    assert tried((Sight.SHUT, 0), (Sight.OPEN, 10), (Sight.SHUT, 15), (Sight.SHUT, 30))


def test_what_is_unclear_counts_neither_way():
    assert tried((Sight.SHUT, 0), (Sight.UNCLEAR, 10), (Sight.SHUT, 15))
    assert not tried((Sight.SHUT, 0), (Sight.UNCLEAR, 20))
    assert not tried((Sight.UNCLEAR, 0), (Sight.SHUT, 20))


def test_a_denial_counts_only_while_our_control_role_opens():
    denied = Verdict(VerdictCode.DENIED)
    assert retirement.sight(denied, controls_hold=True) is Sight.SHUT
    assert retirement.sight(denied, controls_hold=False) is Sight.UNCLEAR


@given(st.sampled_from(VerdictCode), st.booleans())
def test_only_a_plain_denial_is_a_shut_door(code, controls_hold):
    seen = retirement.sight(Verdict(code), controls_hold=controls_hold)
    assert (seen is Sight.SHUT) == (code is VerdictCode.DENIED and controls_hold)


@given(st.lists(st.tuples(st.sampled_from(Sight), st.integers(0, 30)), max_size=12))
def test_a_door_is_shown_shut_only_by_two_denials_with_no_opening_between(tries):
    minutes, at = 0, []
    for seen, gap in tries:
        minutes += gap
        at.append((seen, minutes))
    since: list[int] = []
    wanted = False
    for seen, when in at:
        since = [] if seen is Sight.OPEN else [*since, when] if seen is Sight.SHUT else since
        wanted = wanted or (seen is Sight.SHUT and when - since[0] >= 15)
    assert tried(*at) == wanted


def test_a_session_outlives_the_shut_door_by_an_hour_at_most():
    assert retirement.sessions_end_at(NOW) == NOW + timedelta(hours=1)
