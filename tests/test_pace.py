"""The share of STS's quota: kept by all workers together, and by each alone while Redis is away."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.conf import settings
from redis import Redis

from onboarding import pace
from tests import embedded


@pytest.fixture(autouse=True)
def since(empty_cache, settings):
    """No line began earlier."""
    settings.STS_CALLS_PER_SECOND = 100
    pace._line.cache_clear()
    yield time.monotonic()
    pace._line.cache_clear()


def stand(
    calls: int, line: pace._SharedLine | None = None, *, first: bool = False, patience: float = 60
) -> float | None:
    line = line or pace._line()
    return line.stand(calls, rate=settings.STS_CALLS_PER_SECOND, goes_first=first, patience=patience)


def assert_waits(found: float | None, expected: float, since: float) -> None:
    """However slow the machine is: the line moves on meanwhile."""
    assert found is not None
    assert expected - (time.monotonic() - since) - 0.01 <= found <= expected + 0.01


def test_each_waits_for_all_before_it(since):
    assert stand(500) == 0
    for before in (500, 550, 600):
        assert_waits(stand(50), before / 100, since)


def test_workers_share_one_line(since):
    stand(500)
    assert_waits(stand(50, pace._SharedLine()), 5.0, since)


def test_who_goes_first_waits_only_for_the_likes_of_it_and_makes_the_others_wait(since):
    for _ in range(4):
        stand(100)
    assert stand(500, first=True) == 0
    assert_waits(stand(50, first=True), 5.0, since)
    assert_waits(stand(1), 9.5, since)


def test_who_has_no_patience_takes_no_place(since):
    stand(500)
    assert stand(50, patience=0.1) is None
    assert_waits(stand(50), 5.0, since)
    assert stand(50, patience=-1) is None


def test_a_redis_that_lost_everything_begins_a_new_line():
    stand(500)
    with Redis.from_url(settings.REDIS_URL) as redis:
        for key in redis.scan_iter(f"{settings.REDIS_KEY_PREFIX}:pace:*"):
            redis.delete(key)
    assert stand(1) == 0


def test_a_line_that_nobody_stands_in_is_forgotten():
    stand(10)
    with Redis.from_url(settings.REDIS_URL) as redis:
        (key,) = redis.scan_iter(f"{settings.REDIS_KEY_PREFIX}:pace:*")
        assert 0 < redis.pttl(key) <= 1_200


def test_while_redis_is_away_each_worker_keeps_to_the_rate_alone(settings, since):
    settings.REDIS_URL = f"redis://127.0.0.1:{embedded.free_port()}/0"
    pace._line.cache_clear()
    assert stand(500) == 0
    assert_waits(stand(50), 5.0, since)
    assert stand(50, first=True) == 0
    assert stand(50, patience=0.1) is None


def test_the_rate_holds_however_many_stand_in_line(settings):
    settings.STS_CALLS_PER_SECOND = 200
    started = time.monotonic()
    with ThreadPoolExecutor(16) as pool:
        kept = list(pool.map(lambda _: pace.wait_for(8, goes_first=False, patience=60), range(26)))
    assert all(kept)
    # The first one waits for nobody.
    assert time.monotonic() - started >= 25 * 8 / 200 - 0.05


def test_a_limit_that_is_lifted_asks_nobody(settings):
    settings.STS_CALLS_PER_SECOND = 0
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    pace._line.cache_clear()
    assert pace.wait_for(1_000_000, goes_first=False, patience=0)
