"""A sweep of the whole schedule: PostgreSQL, Redis, Celery, STS over HTTP; beside bare threads with the same calls."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from subprocess import Popen
from tempfile import TemporaryDirectory

from benchmarks import parts
from benchmarks.measure import REPETITIONS, Row, medians
from benchmarks.servers import Postgres, Valkey

# What a worker process does at once; `onboarding.services.probing` has the same.
_THREADS = 50
_PROCESSES = 2
# AssumeRole with the right external ID, without one and with four wrong ones; GetCallerIdentity with the role's keys.
_CALLS = 7


def rows() -> list[Row]:
    return [*sweeping(latency_ms=80), *sweeping(latency_ms=0), queueing(), growing()]


def sweeping(*, latency_ms: float, roles: int = 2_000, repetitions: int = REPETITIONS) -> list[Row]:
    """As fast as bare threads, or nearly; and what a call costs, everything of ours included."""
    with ExitStack() as stack:
        sts_port = stack.enter_context(parts.sts(latency_ms=latency_ms))
        environment = stack.enter_context(_portal(sts_port))
        portal = stack.enter_context(_with_workers(environment, roles))
        bare = _bare_threads(stack, environment, roles)
        sweep, cpu = parts.asking(portal, "sweep"), parts.asking(portal, "cpu")
        # Before the first of them counts, both sides have made their clients and connections.
        sweep(), bare()
        cpus: list[float] = []

        def sweep_and_keep_cpu() -> float:
            lasted = sweep()
            cpus.append(cpu() / _CALLS)
            return lasted

        speed = medians(sweep_and_keep_cpu, bare, repetitions=repetitions)
        found = [_speed_row(latency_ms, roles, speed)]
        if not latency_ms:
            call = parts.python("benchmarks.bare_calls", "--calls", "2000")
            client = parts.asking(stack.enter_context(parts.running(call, environment)))
            found.append(_cost_row(roles, medians(cpus.pop, client, repetitions=repetitions)))
    return found


def _speed_row(latency_ms: float, roles: int, figures: dict[str, float]) -> Row:
    return Row(
        name=f"sweep of {roles:,} roles, STS answering in {latency_ms:g} ms: time a validation",
        other_is="the same calls in bare threads, as many processes and threads",
        goal=1 / (0.8 if latency_ms else 0.6),
        **figures,
    )


def _cost_row(roles: int, figures: dict[str, float]) -> Row:
    return Row(
        name=f"sweep of {roles:,} roles: CPU an STS call, all of ours included",
        other_is="AssumeRole on a bare shared boto3 client",
        goal=1.25,
        **figures,
    )


def queueing(roles: int = 10_000, repetitions: int = REPETITIONS) -> Row:
    """Nothing works the queue, and the broker keeps what it is sent."""
    with ExitStack() as stack:
        environment = stack.enter_context(_portal(sts_port=1))
        asked = parts.python("benchmarks.scheduled", "--roles", str(roles))
        portal = stack.enter_context(parts.running(asked, {**environment, "LOG_LEVEL": "WARNING"}))
        figures = medians(parts.asking(portal, "queue"), lambda: 1_000.0, repetitions=repetitions)
    return Row(name=f"find and queue {roles:,} due roles: database time", other_is="a second", goal=1, **figures)


def growing(roles: int = 1_000, times: int = 10) -> Row:
    """In megabytes."""
    with ExitStack() as stack:
        environment = stack.enter_context(_portal(stack.enter_context(parts.sts())))
        portal = stack.enter_context(_with_workers(environment, roles, concurrency=1))
        sweep, memory = parts.asking(portal, "sweep"), parts.asking(portal, "memory")
        sizes = []
        for _ in range(times):
            sweep()
            sizes.append(memory())
    return Row(
        name=f"a worker's memory (MB) after {roles * times:,} validations",
        ours=sizes[-1],
        other=sizes[0],
        other_is=f"after {roles:,}",
        goal=1.1,
    )


@contextmanager
def _portal(sts_port: int) -> Iterator[dict[str, str]]:
    with Postgres() as database, Valkey() as broker:
        environment = parts.portal_environment(database_url=database.url, redis_url=broker.url, sts_port=sts_port)
        parts.migrate(environment)
        yield environment


@contextmanager
def _with_workers(environment: dict[str, str], roles: int, *, concurrency: int = _PROCESSES) -> Iterator[Popen[str]]:
    with TemporaryDirectory() as folder:
        celery = parts.worker(concurrency=concurrency)
        with parts.running(celery, environment, log=Path(folder, "worker.log")) as worker:
            asked = parts.python("benchmarks.scheduled", "--roles", str(roles), "--worker", str(worker.pid))
            with parts.running(asked, {**environment, "LOG_LEVEL": "WARNING"}) as portal:
                yield portal


def _bare_threads(stack: ExitStack, environment: dict[str, str], roles: int) -> Callable[[], float]:
    share = ["--roles", str(roles // _PROCESSES), "--threads", str(_THREADS)]
    command = parts.python("benchmarks.bare_threads", *share)
    processes = [stack.enter_context(parts.running(command, environment)) for _ in range(_PROCESSES)]

    def measure() -> float:
        started = time.monotonic()
        for process in processes:
            parts.tell(process, "")
        for process in processes:
            parts.read_line(process)
        return (time.monotonic() - started) * 1000 / roles

    return measure
