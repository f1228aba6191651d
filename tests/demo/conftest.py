"""A demo that was filled in once; each test that stops or kills one does so to a copy."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.running import RunningDemo


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Two demos at once would be slow, so all of these share one of pytest's processes."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.xdist_group("demo"))


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with RunningDemo(tmp_path_factory.mktemp("filled")) as first:
        first.start()
        assert first.end() == 0, first.output()
    assert first.survivors() == []
    return first.state


@pytest.fixture(scope="session")
def demo(filled: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDemo]:
    """For tests that only look."""
    with RunningDemo(_copy(filled, tmp_path_factory.mktemp("looked-at"))) as running:
        running.start()
        yield running


@pytest.fixture
def start_copy(filled: Path, tmp_path: Path) -> Iterator[Callable[[], RunningDemo]]:
    """Starts a demo that the test may end as it likes."""
    with ExitStack() as ending:

        def start() -> RunningDemo:
            running = ending.enter_context(RunningDemo(_copy(filled, tmp_path)))
            running.start()
            return running

        yield start


def _copy(filled: Path, to: Path) -> Path:
    return shutil.copytree(filled, to / "var with a space")
