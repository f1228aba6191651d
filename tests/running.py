"""Demos of the tests' own: a folder and a port for each, and an environment that must not reach into them."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Self

import psutil

from tests.embedded import free_port

CHECKOUT = Path(__file__).resolve().parent.parent
# Whatever a machine may be set up with, the demo is the same everywhere.
_HOSTILE = {
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "AWS_ENDPOINT_URL": "http://192.0.2.1",
    "AWS_PROFILE": "production",
    "DATABASE_URL": "postgres://192.0.2.1/production",
    "DJANGO_SETTINGS_MODULE": "nowhere.settings",
    "HTTP_PROXY": "http://192.0.2.1:3128",
    "OIDC_SERVER_URL": "http://192.0.2.1",
    "REDIS_URL": "redis://192.0.2.1/0",
    "SECRET_KEY": "",
    "http_proxy": "http://192.0.2.1:3128",
}


class RunningDemo:
    """`start` returns when `demo.json` is there; `end` when the supervisor is gone."""

    def __init__(self, state: Path, *options: str, port: int | None = None) -> None:
        self.state = state
        self.port = port or free_port()
        self._options = options
        self._children: list[psutil.Process] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end(signal.SIGKILL)

    @property
    def announcement(self) -> Path:
        return self.state / "demo.json"

    def told(self) -> dict[str, Any]:
        return json.loads(self.announcement.read_text())  # type: ignore[no-any-return]

    def output(self) -> str:
        return (self.state / "output").read_text()

    def launch(self) -> None:
        self.state.mkdir(parents=True, exist_ok=True)
        with (self.state / "output").open("wb") as output:
            self.supervisor = subprocess.Popen(
                [sys.executable, "-m", "demo", "--state", self.state, "--port", str(self.port), *self._options],
                cwd=CHECKOUT,
                env={**os.environ, **_HOSTILE},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def start(self, *, within: float = 90) -> float:
        """How many seconds it took."""
        began = time.monotonic()
        self.announcement.unlink(missing_ok=True)
        self.launch()
        while not self.announcement.exists():
            if self.supervisor.poll() is not None or time.monotonic() - began > within:
                self.end(signal.SIGKILL)
                raise AssertionError(self.output())
            time.sleep(0.02)
        return time.monotonic() - began

    def processes(self) -> list[psutil.Process]:
        supervisor = psutil.Process(self.supervisor.pid)
        return [supervisor, *supervisor.children(recursive=True)]

    def end(self, number: signal.Signals = signal.SIGINT, *, within: float = 60) -> int:
        """The exit status. `survivors` tells what is left afterwards."""
        if self.supervisor.poll() is None:
            self._children = self.processes()[1:]
            self.supervisor.send_signal(number)
        return self.supervisor.wait(within)

    def survivors(self, *, within: float = 30) -> list[psutil.Process]:
        """Those still there after a moment, which the kernel may need."""
        return psutil.wait_procs(self._children, timeout=within)[1]
