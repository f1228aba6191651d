"""Validating roles: asking for it, doing it once, and telling the truth about it whatever broker and worker do."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import structlog
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from onboarding import queue
from onboarding.aws import sts
from onboarding.core.errors import OnboardingError
from onboarding.core.probes import VerdictCode
from onboarding.models import ExternalRole, Person, Trigger, Validation, ValidationRound
from onboarding.models.validation import LEASE, URGENT
from onboarding.services import claims, diagnosis, effects, probing
from onboarding.services.probing import Prober, Result

log = structlog.get_logger(__name__)

# How long the broker may hold a task before the sweeper takes it for lost.
_LOST_AFTER = timedelta(seconds=30)
_MOST_AT_ONCE = 20_000
_ROWS_A_STATEMENT = 2_000
# A partner who watches presses the button again and again; AWS need not hear all of it.
_ASK_AGAIN_AFTER = timedelta(seconds=10)


class NotChecked(OnboardingError):
    """There is no ARN to check, or the role is suspended or retired."""


class CheckedJustNow(OnboardingError):
    """The last check of this role was asked for a moment ago."""


# --- Asking -------------------------------------------------------------------------------------------------------


def request_validation(role: ExternalRole, *, trigger: Trigger, by: Person | None = None) -> Validation:
    """One open validation for each role: asking again gives the one that is under way. Raises `NotChecked`.

    It goes first, as a task of its own: somebody waits for it.
    """
    if not role.is_probed:
        raise NotChecked
    now = timezone.now()
    with transaction.atomic():
        asked = {"trigger": trigger, "requested_at": now, "requested_by": by, "queued_at": now}
        validation, made = Validation.objects.get_or_create(
            external_role=role, finished_at=None, defaults={**asked, "role_arn": role.role_arn}
        )
        if made or validation.trigger not in URGENT:
            Validation.objects.filter(pk=validation.pk).update(**asked)
            queue.on_commit(queue.VALIDATE_ROLE, validation.pk)
    return validation


@transaction.atomic
def request_for_round(of: ValidationRound, roles: Sequence[ExternalRole], *, at: datetime) -> int:
    """Ask for one validation of each role that has none under way; how many were asked for.

    In chunks, behind all that somebody waits for.
    """
    busy = set(Validation.objects.open().filter(external_role__in=roles).values_list("external_role", flat=True))
    asked = {"trigger": Trigger.ROUND, "requested_by_id": of.began_by_id, "validation_round": of}
    _make_rows([(role.pk, role.role_arn) for role in roles if role.pk not in busy], at=at, **asked)
    made = list(of.validations.open().filter(requested_at=at).order_by("pk").values_list("pk", flat=True))
    transaction.on_commit(partial(_send_in_chunks, made))
    return len(made)


def _make_rows(roles: Iterable[tuple[int, str]], *, at: datetime, **asked: Any) -> None:
    """For roles by key and ARN; what is under way stays as it is."""
    rows = [
        Validation(external_role_id=key, role_arn=arn, requested_at=at, queued_at=at, **asked) for key, arn in roles
    ]
    Validation.objects.bulk_create(rows, batch_size=_ROWS_A_STATEMENT, ignore_conflicts=True)


@transaction.atomic
def check_again(role: ExternalRole) -> Validation:
    """The partner asks; once in a while for each role. Raises `CheckedJustNow`, `NotChecked`."""
    # Two at once must wait for each other, or both would find that nobody asked.
    role = ExternalRole.objects.select_for_update().get(pk=role.pk)
    since = timezone.now() - _ASK_AGAIN_AFTER
    if role.validations.finished().filter(role_arn=role.role_arn, requested_at__gt=since).exists():
        raise CheckedJustNow
    return request_validation(role, trigger=Trigger.PARTNER)


def supersede_open(role: ExternalRole, *, at: datetime) -> None:
    """What was asked of an ARN that is no longer the role's has no answer any more."""
    role.validations.open().update(finished_at=at, verdict=VerdictCode.SUPERSEDED)


# --- Doing it -----------------------------------------------------------------------------------------------------


def run_validation(pk: int, *, claim_id: UUID | None = None, probe: Prober = sts) -> None:
    """Claim, probe and record; nothing where another worker holds the claim or it is done already."""
    _run([pk], claim_id=claim_id or uuid4(), urgent=True, prober=probe)


def run_chunk(pks: Sequence[int], *, claim_id: UUID | None = None, probe: Prober = sts) -> None:
    """The same for many at once, behind all that somebody waits for."""
    _run(pks, claim_id=claim_id or uuid4(), urgent=False, prober=probe)


def _run(pks: Sequence[int], *, claim_id: UUID, urgent: bool, prober: Prober) -> None:
    rows = _without_suspects(claims.claim(pks, claim_id=claim_id))
    current = [row for row in rows if row.is_current]
    effects.apply_all([probing.superseded(row) for row in rows if not row.is_current])
    left: list[Result] = []
    for batch in probing.try_all(current, readable=_readable(current), urgent=urgent, prober=prober):
        results = [_given_up_where_hopeless(result) for result in batch]
        effects.apply_all([result for result in results if result.verdict])
        left += [result for result in results if not result.verdict]
    _put_off(left, urgent=urgent)


def _without_suspects(rows: list[Validation]) -> list[Validation]:
    """A role that makes the process die must not take others along again and again, and not for ever."""
    given_up = [row for row in rows if row.losses >= claims.MOST_LOSSES]
    effects.apply_all([probing.given_up(row, "worker_lost") for row in given_up])
    rest = [row for row in rows if row.losses < claims.MOST_LOSSES]
    if len(rest) == 1:
        return rest
    suspects = [row for row in rest if row.losses]
    claims.give_back(suspects)
    for row in suspects:
        queue.send(queue.VALIDATE_CHUNK, [row.pk])
    return [row for row in rest if not row.losses]


def _readable(rows: Sequence[Validation]) -> set[int]:
    """Whose trust policy is read as well: somebody waits for the reason, or it could be read before.

    Elsewhere each try would be a refusal in the partner's log.
    """
    scheduled = {row.external_role_id for row in rows if row.trigger not in URGENT}
    asked_for = {row.external_role_id for row in rows} - scheduled
    return asked_for | (diagnosis.readable_of(scheduled) if scheduled else set())


def _given_up_where_hopeless(result: Result) -> Result:
    trouble = result.trouble
    if trouble is None or result.row.outages + 1 < claims.MOST_OUTAGES:
        return result
    log.error("validation_given_up", validation=result.row.pk, where=trouble.where, code=trouble.code)
    return probing.given_up(result.row, f"{trouble.where}: {trouble.code}")


def _put_off(results: Sequence[Result], *, urgent: bool) -> None:
    """After an outage for a while; what there was no time for, behind everything else that waits."""
    troubled = [result.row for result in results if result.trouble]
    pause = claims.pause_after_outage(troubled)
    rest = [result.row for result in results if not result.trouble]
    claims.give_back(rest)
    for rows, countdown in ((troubled, pause), (rest, timedelta(0))):
        if rows and urgent:
            queue.send(queue.VALIDATE_ROLE, rows[0].pk, countdown=countdown.total_seconds())
        elif rows:
            queue.send(queue.VALIDATE_CHUNK, sorted(row.pk for row in rows), countdown=countdown.total_seconds())


# --- The schedule -------------------------------------------------------------------------------------------------


def sweep() -> None:
    """Everything due is asked for, and everything that the broker or a worker lost is sent again."""
    now = timezone.now()
    _mend_plans(now)
    _ask_for_what_is_due(now)
    made = Validation.objects.open().filter(requested_at=now, trigger=Trigger.SCHEDULE).order_by("pk")
    _send_in_chunks(list(made.values_list("pk", flat=True)))
    _send_lost(now)


@transaction.atomic
def _ask_for_what_is_due(now: datetime) -> None:
    """Roles are locked while they are asked for: a second sweep at the same time must not ask again for one that was
    checked since it looked."""
    under_way = Validation.objects.open().filter(external_role=OuterRef("pk"))
    free = ExternalRole.objects.due(now).select_for_update(skip_locked=True).filter(~Exists(under_way))
    _make_rows(free.values_list("pk", "role_arn")[:_MOST_AT_ONCE], at=now, trigger=Trigger.SCHEDULE)


def _mend_plans(now: datetime) -> None:
    """A check farther off than any that is planned was planned by a clock that was wrong."""
    ExternalRole.objects.filter(next_check_at__gt=now + effects.intervals().longest).update(next_check_at=now)


def _send_lost(now: datetime) -> None:
    sent_long_ago = Q(queued_at__lt=now - _LOST_AFTER) | Q(queued_at__gt=now + LEASE)
    waiting = Validation.objects.claimable(now).filter(sent_long_ago)
    for pk in _sent_anew(waiting.urgent(), now):
        queue.send(queue.VALIDATE_ROLE, pk)
    _send_in_chunks(_sent_anew(_lost_chunks(waiting, now), now))


def _lost_chunks(waiting: QuerySet[Validation], now: datetime) -> QuerySet[Validation]:
    """While chunks are being worked on, the others wait for their turn; only a lease that ran out tells of a loss."""
    others = waiting.exclude(trigger__in=URGENT)
    at_work = Validation.objects.open().exclude(trigger__in=URGENT).exclude(claim=None).filter(claimed_until__gt=now)
    return others.exclude(claim=None) if at_work.exists() else others


def _sent_anew(lost: QuerySet[Validation], now: datetime) -> list[int]:
    pks = list(lost.order_by("pk").values_list("pk", flat=True)[:_MOST_AT_ONCE])
    for chunk in _chunks(pks, _ROWS_A_STATEMENT):
        Validation.objects.filter(pk__in=chunk).update(queued_at=now)
    return pks


def _send_in_chunks(pks: Sequence[int]) -> None:
    for chunk in _chunks(pks, probing.chunk_size()):
        if not queue.send(queue.VALIDATE_CHUNK, list(chunk)):
            return


def _chunks(pks: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    return (pks[start : start + size] for start in range(0, len(pks), size))
