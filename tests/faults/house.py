"""A portal of the test's own: database, broker, workers and beat as processes that may be killed and started again."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, Self

import psutil

from benchmarks import parts
from benchmarks.servers import Postgres, Valkey
from demo.ports import free_ports
from tests.faults.sts import FaultySts
from tests.receivers import mail_server


class House:
    """`time_limit` is that of a task; a claim lasts a quarter longer."""

    def __init__(self, folder: Path, *, time_limit: float = 20, **environment: str) -> None:
        self.folder = folder
        self._stack = ExitStack()
        self.sts = self._stack.enter_context(FaultySts())
        self.database = self._stack.enter_context(Postgres())
        self.broker = self._stack.enter_context(Valkey())
        self.mail = self._stack.enter_context(mail_server())
        self.clock = folder / "clock"
        self.clock.write_text("0")
        self.environment = {
            **parts.portal_environment(
                database_url=self.database.url, redis_url=self.broker.url, sts_port=self.sts.port
            ),
            "DJANGO_SETTINGS_MODULE": "tests.faults.settings",
            "FAULT_TIME_LIMIT": str(time_limit),
            "FAULT_CLOCK": str(self.clock),
            "EMAIL_URL": f"smtp://127.0.0.1:{self.mail.port}",
            "IAM_PROPAGATION_SECONDS": "0",
            "SWEEP_SECONDS": "1",
            "LOG_LEVEL": "WARNING",
            **environment,
        }
        self._processes: list[subprocess.Popen[bytes]] = []
        parts.migrate(self.environment)
        without_pool = {**self.environment, "DATABASE_POOL_SIZE": "0"}
        portal = parts.running(self._python("tests.faults.portal_side"), without_pool)
        self._portal = self._stack.enter_context(portal)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            self.kill(process)
        self._stack.close()

    def ask(self, verb: str, *arguments: object) -> Any:
        parts.tell(self._portal, json.dumps([verb, *arguments]))
        return json.loads(parts.read_line(self._portal))

    def states(self) -> Counter[str]:
        """How many roles are in each."""
        return Counter(self.ask("states").values())

    def start_worker(self, *, concurrency: int = 2) -> subprocess.Popen[bytes]:
        options = ["--concurrency", str(concurrency), "--without-gossip", "--without-mingle", "--without-heartbeat"]
        return self._start("worker", *options)

    def start_beat(self) -> subprocess.Popen[bytes]:
        return self._start("beat", "--scheduler", "celery.beat.Scheduler", "--pidfile=")

    def start_web(self) -> str:
        """Its address."""
        (port,) = free_ports([0])
        self.environment["PUBLIC_URL"] = base = f"http://127.0.0.1:{port}"
        bind = ["--config", "portal/gunicorn.py", "--bind", f"127.0.0.1:{port}"]
        self._launch("web", self._python("gunicorn", *bind, "portal.wsgi"))
        self.wait(partial(_answers, port))
        return base

    def _start(self, kind: str, *options: str) -> subprocess.Popen[bytes]:
        return self._launch(kind, self._python("celery", "--quiet", "--app", "tests.faults.worker", kind, *options))

    def _launch(self, kind: str, command: list[str]) -> subprocess.Popen[bytes]:
        with (self.folder / f"{kind}.log").open("ab") as log:
            process = subprocess.Popen(
                command, cwd=parts.CHECKOUT, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )
        self._processes.append(process)
        return process

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """The whole group at once, with no time for last words."""
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def pool_of(self, worker: subprocess.Popen[bytes]) -> list[psutil.Process]:
        try:
            return psutil.Process(worker.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []

    def wait_until_done(self, *, within: float = 90) -> None:
        """No validation is open."""
        self.wait(lambda: self.ask("open_ones") == 0, within=within)

    def wait(self, true: Any, *, within: float = 60) -> None:
        until = time.monotonic() + within
        while not true():
            assert time.monotonic() < until, (self.ask("open_ones"), self.logs())
            time.sleep(0.1)

    def logs(self) -> str:
        return "\n".join(log.read_text()[-3_000:] for log in sorted(self.folder.glob("*.log")))

    def set_clock_forward(self, seconds: float) -> None:
        self.clock.write_text(str(seconds))

    @staticmethod
    def _python(module: str, *arguments: str) -> list[str]:
        return [sys.executable, "-m", module, *arguments]


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
