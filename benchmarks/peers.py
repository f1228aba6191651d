"""A peer on the same work: Prowler, where it is installed in an environment of its own."""

from contextlib import ExitStack

from benchmarks import parts
from benchmarks.measure import REPETITIONS, Row, medians


def rows(prowler: str) -> list[Row]:
    """`prowler` is the path of a Python that has it."""
    return [connecting(prowler)]


def connecting(prowler: str, *, rounds: int = 20, repetitions: int = REPETITIONS) -> Row:
    with ExitStack() as stack:
        port = stack.enter_context(parts.sts())
        environment = parts.portal_environment(database_url="sqlite://:memory:", redis_url="", sts_port=port)
        arguments = ["Reader", str(rounds)]
        script = str(parts.CHECKOUT / "benchmarks" / "prowler_side.py")
        theirs = stack.enter_context(parts.running([prowler, script, *arguments], environment))
        ours = stack.enter_context(parts.running(parts.python("benchmarks.two_calls", *arguments), environment))
        us, them = parts.asking(ours), parts.asking(theirs)
        # Before the first of them counts, both sides have read their models.
        us(), them()
        figures = medians(us, them, repetitions=repetitions)
    return Row(
        name="AssumeRole and GetCallerIdentity as the role",
        other_is="Prowler's test_connection",
        goal=1 / 25,
        **figures,
    )
