"""The processes that a benchmark needs: how they are started, asked and ended, and the environment that they see."""

import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from demo.ports import LOOPBACK

CHECKOUT = Path(__file__).parent.parent
_KEPT = ("PATH", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")


def asking(process: subprocess.Popen[str], question: str = "") -> Callable[[], float]:
    def measure() -> float:
        tell(process, question)
        return float(read_line(process))

    return measure


def tell(process: subprocess.Popen[str], question: str) -> None:
    assert process.stdin  # noqa: S101  a pipe, as `running` made it
    process.stdin.write(f"{question}\n")
    process.stdin.flush()


def read_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout  # noqa: S101  a pipe, as `running` made it
    line = process.stdout.readline()
    if not line:
        raise ChildProcessError(f"{process.args!r} ended with {process.wait()}")
    return line


@contextmanager
def running(
    arguments: list[str], environment: dict[str, str], *, log: Path | None = None
) -> Iterator[subprocess.Popen[str]]:
    with ExitStack() as stack:
        errors = stack.enter_context(log.open("w")) if log else None
        process = stack.enter_context(
            subprocess.Popen(
                arguments,
                cwd=CHECKOUT,
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
def sts(*, latency_ms: float = 0) -> Iterator[int]:
    """The port of an STS that answers."""
    command = python("benchmarks.sts_stand_in", "--latency-ms", str(latency_ms))
    with running(command, bare_environment()) as process:
        yield int(read_line(process))


def migrate(environment: dict[str, str]) -> None:
    command = python("manage", "migrate", "--verbosity", "0", "--skip-checks")
    subprocess.run(command, cwd=CHECKOUT, env=environment, check=True)


def bare_environment() -> dict[str, str]:
    """Nothing else of this machine's environment takes part: neither an AWS profile nor a database address."""
    return {name: os.environ[name] for name in _KEPT if name in os.environ}


def portal_environment(*, database_url: str, redis_url: str, sts_port: int) -> dict[str, str]:
    return {
        **bare_environment(),
        "ENV_FILE": os.devnull,
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "SECRET_KEY": secrets.token_hex(32),
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "REDIS_KEY_PREFIX": f"tobiishi-benchmark-{secrets.token_hex(4)}",
        "STS_CALLS_PER_SECOND": "0",
        "SANDBOX": "1",
        "AWS_ENDPOINT_URL": f"http://{LOOPBACK}:{sts_port}",
        "AWS_ACCESS_KEY_ID": "AKIAINVENTED",
        "AWS_SECRET_ACCESS_KEY": "invented",
        "AWS_DEFAULT_REGION": "ap-northeast-1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def worker(*, concurrency: int) -> list[str]:
    options = ["--concurrency", str(concurrency), "--without-gossip", "--without-mingle", "--without-heartbeat"]
    return python("celery", "--quiet", "--app", "portal", "worker", *options)


def python(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", module, *arguments]
