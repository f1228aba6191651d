"""Trying the doors of many roles at once, and saying what each try means. No database is touched in here."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial
from itertools import islice
from time import monotonic
from typing import Protocol

from django.conf import settings

from onboarding import pace
from onboarding.aws import AwsUnavailable
from onboarding.aws.clients import Identity
from onboarding.aws.sts import ProbeOrder, Tried
from onboarding.core.arns import RoleArn
from onboarding.core.probes import Expected, Outcome, Probe, ProbeKind, Verdict, VerdictCode, judge, judge_shut
from onboarding.core.states import State
from onboarding.models import Bastion, Validation
from onboarding.services import bastions

# As many as keep one process busy where STS answers in a tenth of a second; a chunk is ten rounds of them at most.
THREADS = 50
_CHUNK = 10 * THREADS
# No try begins later than this after the first one, so that a chunk ends long before its time limit.
BUDGET_SECONDS = 15.0
_CALLS = 8
# So many are written down at once.
_BATCH = 50


def chunk_size() -> int:
    """How many roles one task works on: no more than the rate lets through in its time, or it would give them back."""
    rate = settings.STS_CALLS_PER_SECOND
    return max(1, min(_CHUNK, int(rate * BUDGET_SECONDS / _CALLS))) if rate else _CHUNK


class Prober(Protocol):
    """`onboarding.aws.sts`, or what stands for it in a test. Each may raise `AwsUnavailable`."""

    def who_we_are(self, identity: Identity) -> list[Probe]: ...

    def probe_role(self, order: ProbeOrder) -> Tried: ...

    def opens_for_us(self, identity: Identity, control: RoleArn) -> Probe: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of one claimed validation: a verdict, trouble of ours, or neither where there was no time."""

    row: Validation
    tried: Tried | None = None
    verdict: Verdict | None = None
    trouble: AwsUnavailable | None = None

    @property
    def bastion(self) -> Bastion:
        return self.row.external_role.permission_set.bastion


def try_all(rows: Sequence[Validation], *, readable: set[int], urgent: bool, prober: Prober) -> Iterator[list[Result]]:
    """In batches, as they come, so that the caller can write one down while the others are tried.

    `readable` holds the keys of those roles whose trust policy is to be read as well.
    """
    for bastion, of_bastion in _by_bastion(rows):
        attempt = partial(_attempt, readable=readable, urgent=urgent, prober=prober)
        yield from _of_bastion(bastion, of_bastion, attempt, prober)


def _by_bastion(rows: Iterable[Validation]) -> list[tuple[Bastion, list[Validation]]]:
    grouped: dict[int, list[Validation]] = {}
    for row in rows:
        grouped.setdefault(_bastion(row).pk, []).append(row)
    return [(_bastion(group[0]), group) for group in grouped.values()]


def _bastion(row: Validation) -> Bastion:
    return row.external_role.permission_set.bastion


def _of_bastion(
    bastion: Bastion, rows: list[Validation], attempt: Callable[..., Result], prober: Prober
) -> Iterator[list[Result]]:
    """Who we are is asked once for all: without it nothing is tried, and nothing is learnt about any partner."""
    try:
        ourselves = prober.who_we_are(bastions.identity_of(bastion))
    except AwsUnavailable as trouble:
        yield [Result(row=row, trouble=trouble) for row in rows]
        return
    one = partial(attempt, ourselves=ourselves, ends=monotonic() + BUDGET_SECONDS)
    for batch in _side_by_side(one, rows):
        yield _judged(bastion, batch, prober)


def _side_by_side(attempt: Callable[[Validation], Result], rows: list[Validation]) -> Iterator[list[Result]]:
    if len(rows) == 1:
        yield [attempt(rows[0])]
        return
    pool = ThreadPoolExecutor(min(THREADS, len(rows)), thread_name_prefix="probe")
    try:
        tried = as_completed([pool.submit(attempt, row) for row in rows])
        while batch := [future.result() for future in islice(tried, _BATCH)]:
            yield batch
    finally:
        pool.shutdown(cancel_futures=True)


def _attempt(
    row: Validation,
    *,
    ourselves: list[Probe],
    ends: float,
    readable: set[int],
    urgent: bool,
    prober: Prober,
) -> Result:
    if not pace.wait_for(_CALLS, goes_first=urgent, patience=ends - monotonic()):
        return Result(row=row)
    try:
        tried = prober.probe_role(_order(row, reads_policy=row.external_role_id in readable))
    except AwsUnavailable as trouble:
        return Result(row=row, trouble=trouble)
    return Result(row=row, tried=Tried([*ourselves, *tried.probes], tried.trust_policy))


def _order(row: Validation, *, reads_policy: bool) -> ProbeOrder:
    role, bastion = row.external_role, _bastion(row)
    return ProbeOrder(
        identity=bastions.identity_of(bastion),
        role_arn=RoleArn.parse(row.role_arn),
        external_id=role.external_id,
        stranger=bastions.stranger_of(bastion),
        reads_policy=reads_policy,
        is_retiring=role.state == State.RETIRING,
    )


def _judged(bastion: Bastion, results: list[Result], prober: Prober) -> list[Result]:
    """A denial is told as the partner's only while our own control role lets us in."""
    we_can_enter: bool | None = None
    if bastion.has_controls and any(_is_denied(result) for result in results):
        try:
            control = prober.opens_for_us(bastions.identity_of(bastion), RoleArn.parse(bastion.open_control_role_arn))
        except AwsUnavailable as trouble:
            return [Result(row=result.row, trouble=trouble) if _is_denied(result) else result for result in results]
        we_can_enter = control.outcome is Outcome.ENTERED
    return [_judge(bastion, result, we_can_enter) for result in results]


def _is_denied(result: Result) -> bool:
    probes = result.tried.probes if result.tried else []
    return any(probe.kind is ProbeKind.WITH_EXTERNAL_ID and probe.outcome is not Outcome.ENTERED for probe in probes)


def _judge(bastion: Bastion, result: Result, we_can_enter: bool | None) -> Result:
    if result.tried is None:
        return result
    role = result.row.external_role
    expected = Expected(
        validator_role=bastion.validator_role,
        role=RoleArn.parse(result.row.role_arn),
        account_id=role.account.number,
        has_stranger=bool(bastion.stranger_role_arn),
        we_can_enter=we_can_enter,
        denials_count=bastion.denials_count,
    )
    judged = judge_shut if role.state == State.RETIRING else judge
    return Result(row=result.row, tried=result.tried, verdict=judged(result.tried.probes, expected))


def given_up(row: Validation, detail: str) -> Result:
    """Our own trouble outlasted every try: the row says so, and the role stays as it was."""
    return Result(row=row, tried=Tried([]), verdict=Verdict(VerdictCode.OUR_TROUBLE, detail))


def superseded(row: Validation) -> Result:
    return Result(row=row, tried=Tried([]), verdict=Verdict(VerdictCode.SUPERSEDED))
