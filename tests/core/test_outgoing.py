"""When what was not taken is tried again, and for how long."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from onboarding.core import outgoing

NOW = datetime(2026, 5, 5, 9, tzinfo=UTC)
GAPS = st.timedeltas(timedelta(0), timedelta(days=9))


@given(st.integers(1, 500))
def test_gaps_between_tries_grow_up_to_an_hour(attempts):
    found = outgoing.next_try(attempts=attempts, at=NOW)
    assert timedelta(seconds=30) <= found - NOW <= timedelta(hours=1)
    assert found <= outgoing.next_try(attempts=attempts + 1, at=NOW)


@given(st.integers(0, 500), GAPS, GAPS)
def test_what_would_be_tried_too_late_is_given_up_and_what_never_was_tried_is_not(attempts, gap, patience):
    given_up = outgoing.is_out_of_time(attempts=attempts, asked_at=NOW, next_try_at=NOW + gap, patience=patience)
    assert given_up == (attempts > 0 and gap >= patience)
