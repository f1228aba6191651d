"""One demo for all journeys: on the embedded parts, or on the PostgreSQL and Redis that the tests were given."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
import redis
from django.conf import settings
from playwright.sync_api import Browser, StorageState

from tests.browsers import chromium as real_chromium
from tests.browsers import needs_chromium
from tests.journeys.browsers import Browsers
from tests.journeys.people import Mailbox
from tests.running import RunningDemo

_OWN = f"tobiishi_journeys_{os.getpid()}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All journeys of a run share one demo, and so one of pytest's processes."""
    for item in items:
        if item.path.is_relative_to(os.path.dirname(__file__)):  # noqa: PTH120
            item.add_marker(needs_chromium)
            item.add_marker(pytest.mark.journey)
            item.add_marker(pytest.mark.xdist_group("journeys"))


@pytest.fixture(scope="session")
def running_demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDemo]:
    with _servers() as options, RunningDemo(tmp_path_factory.mktemp("demo"), *options) as running:
        running.start()
        yield running


@pytest.fixture(scope="session")
def demo(running_demo: RunningDemo) -> dict[str, Any]:
    """What `demo.json` tells: `base`, `users`, `invitation`, `sandbox`."""
    return running_demo.told()


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """Ends with the last journey: Django allows no database beside the browser's event loop."""
    with real_chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def sessions() -> dict[str, StorageState]:
    """Of those who have signed in already: the portal limits how often one address does."""
    return {}


@pytest.fixture
def browsers(demo: dict[str, Any], chromium: Browser, sessions: dict[str, StorageState]) -> Iterator[Browsers]:
    found = Browsers(chromium, demo, sessions)
    yield found
    found.close()
    assert found.complaints == [], found.complaints


@pytest.fixture
def mailbox(browsers: Browsers, demo: dict[str, Any]) -> Mailbox:
    return Mailbox(browsers.open(), f"{demo['sandbox']['endpoint']}/_sandbox/mail/")


@contextmanager
def _servers() -> Iterator[list[str]]:
    """A database and a key prefix of the journeys' own, where the tests run on servers."""
    if not settings.DATABASES["default"]["ENGINE"].endswith("postgresql"):
        yield []
        return
    server = urlsplit(os.environ["DATABASE_URL"])
    with psycopg.connect(urlunsplit(server._replace(path="/postgres")), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {_OWN}")
        own = urlunsplit(server._replace(path=f"/{_OWN}"))
        try:
            yield ["--database-url", own, "--redis-url", settings.REDIS_URL, "--redis-key-prefix", _OWN]
        finally:
            admin.execute(f"DROP DATABASE {_OWN} WITH (FORCE)")
            _forget_keys()


def _forget_keys() -> None:
    with redis.Redis.from_url(settings.REDIS_URL) as server:
        for key in server.scan_iter(f"*{_OWN}*"):
            server.delete(key)
