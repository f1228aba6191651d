"""The share of STS's quota: kept by all workers together, and by each alone while Redis is away."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.conf import settings
from redis import Redis

from onboarding import pace
from tests import embedded


@pytest.fixture(autouse=True)
def fresh_line(empty_cache, settings):
    settings.STS_CALLS_PER_SECOND = 100
    pace._line.cache_clear()
    yield
    pace._line.cache_clear()


def stand(
    calls: int, line: pace._SharedLine | None = None, *, first: bool = False, patience: float = 60
) -> float | None:
    line = line or pace._line()
    return line.stand(calls, rate=settings.STS_CALLS_PER_SECOND, goes_first=first, patience=patience)


def test_each_waits_for_all_before_it():
    waits = [stand(50) for _ in range(4)]
    assert waits[0] == 0
    assert waits[1:] == pytest.approx([0.5, 1.0, 1.5], abs=0.2)


def test_workers_share_one_line():
    stand(50)
    assert stand(50, pace._SharedLine()) == pytest.approx(0.5, abs=0.2)


def test_who_goes_first_waits_only_for_the_likes_of_it_and_makes_the_others_wait():
    for _ in range(4):
        stand(100)
    assert stand(50, first=True) == 0
    assert stand(50, first=True) == pytest.approx(0.5, abs=0.2)
    assert stand(1) == pytest.approx(5.0, abs=0.2)


def test_who_has_no_patience_takes_no_place():
    stand(200)
    assert stand(50, patience=0.1) is None
    assert stand(50) == pytest.approx(2.0, abs=0.2)
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


def test_while_redis_is_away_each_worker_keeps_to_the_rate_alone(settings):
    settings.REDIS_URL = f"redis://127.0.0.1:{embedded.free_port()}/0"
    pace._line.cache_clear()
    assert stand(50) == 0
    assert stand(50) == pytest.approx(0.5, abs=0.2)
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
