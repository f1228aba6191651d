"""What all tests share: no network but the loopback, and the cast."""

from collections.abc import Callable
from pathlib import Path

import hypothesis
import pytest
from django.conf import settings
from django.utils import translation
from pytest_socket import socket_allow_hosts
from redis import Redis

from onboarding.models import Person
from tests import factories

# How long an example takes says how busy the machine is, and nothing about the code. A change is tried with the same
# examples as the one before it; `make fuzz` looks for others.
hypothesis.settings.register_profile("same", deadline=None, derandomize=True)
hypothesis.settings.register_profile("others", deadline=None)
hypothesis.settings.load_profile("same")


@pytest.fixture(autouse=True)
def nothing_leaves_this_machine() -> None:
    socket_allow_hosts(["127.0.0.1", "::1", "localhost"], allow_unix_socket=True)


@pytest.fixture(autouse=True)
def starts_in_english() -> None:
    """A request that was answered in Japanese leaves its thread so, and the test client answers in the test's own."""
    translation.deactivate()


@pytest.fixture
def empty_cache() -> None:
    """Rate limits live in the cache. `cache.clear()` would empty the whole Redis, which others use beside us."""
    with Redis.from_url(settings.REDIS_URL) as server:
        for key in server.scan_iter(f"{settings.REDIS_KEY_PREFIX}:*"):
            server.delete(key)


@pytest.fixture
def alice(db: None) -> Person:
    """A platform admin."""
    return factories.an_admin()


@pytest.fixture
def carol(db: None) -> Person:
    """An employee."""
    return factories.make_person("carol@hoshino.example", name=("Carol", "Chen"))


@pytest.fixture
def dave(db: None) -> Person:
    """An employee whom nobody granted anything."""
    return factories.make_person("dave@hoshino.example", name=("Dave", "Doe"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--write-golden", action="store_true", help="write what is made now into tests/golden")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compares a text with the file of that name in `tests/golden`, byte for byte; or writes it, when asked to."""

    def compare(name: str, text: str) -> None:
        file = Path(__file__).parent / "golden" / name
        if request.config.getoption("write_golden"):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        assert text == file.read_text(), f"pytest --write-golden writes {file}"

    return compare
