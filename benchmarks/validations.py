"""One interactive validation, as the product does it: a Celery task, a real broker, a real database, STS over HTTP."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from redis import Redis

from benchmarks import parts
from benchmarks.measure import REPETITIONS, Row, medians
from benchmarks.servers import Valkey


def rows() -> list[Row]:
    return [validating()]


def validating(validations: int = 200, repetitions: int = REPETITIONS) -> Row:
    """Everything of the worker counts: Celery, the ORM, the audit log and the probes."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        ours, other = _both_sides(stack, folder, validations)
        # Before the first of them counts, both sides have made their clients and connections.
        ours(), other()
        figures = medians(ours, other, repetitions=repetitions)
    return Row(
        name="one interactive validation through Celery",
        other_is="the same STS calls in boto3: a shared client, and one for the role's keys",
        goal=2,
        **figures,
    )


def _both_sides(stack: ExitStack, folder: Path, validations: int) -> tuple[Callable[[], float], Callable[[], float]]:
    environment = parts.portal_environment(
        database_url=f"sqlite:///{folder / 'portal.sqlite3'}",
        redis_url=stack.enter_context(_broker()),
        sts_port=stack.enter_context(parts.sts()),
    )
    stack.callback(_empty, environment["REDIS_URL"], environment["REDIS_KEY_PREFIX"])
    parts.migrate(environment)
    celery = parts.running(parts.worker(concurrency=1), environment, log=folder / "worker.log")
    worker = stack.enter_context(celery)
    count = ["--validations", str(validations)]
    asking = parts.python("benchmarks.rounds", *count, "--worker", str(worker.pid))
    rounds = stack.enter_context(parts.running(asking, {**environment, "LOG_LEVEL": "WARNING"}))
    bare = stack.enter_context(parts.running(parts.python("benchmarks.bare", *count), environment))
    return parts.asking(rounds), parts.asking(bare)


@contextmanager
def _broker() -> Iterator[str]:
    """The one that `REDIS_URL` names; else a Valkey from the wheel."""
    if url := os.environ.get("REDIS_URL", ""):
        yield url
    else:
        with Valkey() as broker:
            yield broker.url


def _empty(redis_url: str, prefix: str) -> None:
    """What Celery leaves behind in a Redis that may be somebody's."""
    with Redis.from_url(redis_url) as redis:
        for key in redis.scan_iter(match=f"{prefix}:*"):
            redis.delete(key)
