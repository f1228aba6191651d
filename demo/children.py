"""Starting, watching and ending the demo's processes, each on its leash."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from demo.state import CHECKOUT

_LEASH = Path(__file__).with_name("leash.py")
_TAIL_LINES = 15
_POLL_SECONDS = 0.05


class Failed(Exception):
    """A process ended, or did not answer in time; says so with the last lines of its log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A server `answers` when it is ready; a task `ends` by itself, without an error."""

    name: str
    arguments: list[str]
    environment: dict[str, str]
    answers: Callable[[], bool] = lambda: True
    ends: bool = False


@dataclass(slots=True)
class Children:
    """All processes of one demo. `lock` is the descriptor that each leash holds."""

    logs: Path
    lock: int
    _running: dict[str, tuple[Command, subprocess.Popen[bytes]]] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        return list(self._running)

    def start(self, command: Command) -> None:
        with self._log(command).open("wb") as log:
            leash = subprocess.Popen(
                [sys.executable, "-I", "-S", str(_LEASH), *command.arguments],
                cwd=CHECKOUT,
                env=command.environment,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=(self.lock,),
            )
        self._running[command.name] = (command, leash)

    def wait_for_end(self, name: str, *, within: float) -> None:
        """Raises `Failed`."""
        command, leash = self._running[name]
        deadline = time.monotonic() + within
        while leash.poll() is None:
            self.check()
            self._pause(command, deadline)
        self.check()
        del self._running[name]

    def wait_until_ready(self, name: str, *, within: float) -> None:
        """Raises `Failed`."""
        command, _ = self._running[name]
        deadline = time.monotonic() + within
        while not command.answers():
            self.check()
            self._pause(command, deadline)

    def check(self) -> None:
        """Raises `Failed` where a process has ended that should not have."""
        for command, leash in self._running.values():
            status = leash.poll()
            if status is not None and not (command.ends and status == 0):
                raise Failed(self._report(command, f"ended with status {status}"))

    def stop(self, names: Iterable[str], *, within: float) -> None:
        """Ask each to end; then let go of its leash, which kills what has not."""
        stopping = [self._running.pop(name)[1] for name in names if name in self._running]
        for leash in stopping:
            leash.terminate()
        deadline = time.monotonic() + within
        while any(leash.poll() is None for leash in stopping) and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
        for leash in stopping:
            if leash.stdin:
                leash.stdin.close()
            leash.wait()

    def stop_all(self, *, within: float) -> None:
        self.stop(self.names, within=within)

    def _pause(self, command: Command, deadline: float) -> None:
        if time.monotonic() > deadline:
            raise Failed(self._report(command, "did not get ready in time"))
        time.sleep(_POLL_SECONDS)

    def _log(self, command: Command) -> Path:
        return self.logs / f"{command.name}.log"

    def _report(self, command: Command, what: str) -> str:
        log = self._log(command)
        tail = log.read_text(errors="replace").splitlines()[-_TAIL_LINES:]
        return "\n".join([f"The {command.name} {what}. The end of {log}:", *(f"    {line}" for line in tail)])
