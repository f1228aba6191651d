from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from onboarding.core import progress


def test_the_rate_is_that_of_the_last_minute_or_of_all_the_time_that_there_was():
    assert progress.rate(600, since_begin=timedelta(hours=1)) == 10
    assert progress.rate(20, since_begin=timedelta(seconds=10)) == 2
    assert progress.rate(5, since_begin=timedelta(0)) == 5


def test_what_remains_is_told_where_it_can_be():
    assert progress.remaining(100, rate=10) == timedelta(seconds=10)
    assert progress.remaining(0, rate=0) == timedelta(0)
    assert progress.remaining(100, rate=0) is None


@given(st.integers(0, 10**6), st.timedeltas(timedelta(days=-1), timedelta(days=1)))
def test_a_clock_that_jumps_makes_no_rate_negative(done, since):
    assert progress.rate(done, since_begin=since) >= 0
