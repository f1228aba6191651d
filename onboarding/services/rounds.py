"""Validating every role once more: asked for in chunks, stopped at will, and taken up again after a restart."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Count, F, Q
from django.utils import timezone

from onboarding import queue
from onboarding.core import progress
from onboarding.core.errors import OnboardingError
from onboarding.models import ExternalRole, Person, ValidationRound
from onboarding.services import audit, validation

# So many checks of a round wait at most: whoever stops it stops it now, and who asks for one role waits for few.
_WAITING = 250
_CHUNK = 250
_LOOK_AGAIN_SECONDS = 1
# Where the next look was lost with the broker, the sweeper takes over after this.
_LOST_AFTER = timedelta(seconds=10)
_SHOWN_FOR = timedelta(days=1)


class RoundUnderWay(OnboardingError):
    """All roles are being validated already."""


class NothingToValidate(OnboardingError):
    """No role has an ARN that could be tried."""


class RoundEnded(OnboardingError):
    """There is nothing to stop any more."""


@dataclass(frozen=True, slots=True)
class Progress:
    """`round` with how far it has come; `rate` is in roles a second, of the last minute."""

    round: ValidationRound
    done: int
    rate: float
    remaining: timedelta | None

    @property
    def total(self) -> int:
        return max(self.round.total, self.done)


@transaction.atomic
def begin_round(*, by: Person) -> ValidationRound:
    """Raises `RoundUnderWay`, `NothingToValidate`."""
    total = ExternalRole.objects.probed().count()
    if not total:
        raise NothingToValidate
    now = timezone.now()
    try:
        with transaction.atomic():
            begun = ValidationRound.objects.create(began_at=now, began_by=by, total=total)
    except IntegrityError:
        raise RoundUnderWay from None
    audit.append("round_begun", begun, at=now, by=by, facts={"roles": total})
    queue.on_commit(queue.ADVANCE_ROUND, begun.pk, begun.looks)
    return begun


@transaction.atomic
def stop_round(found: ValidationRound, *, by: Person) -> None:
    """What a worker has begun is finished; what only waits is not asked for any more. Raises `RoundEnded`."""
    now = timezone.now()
    running = ValidationRound.objects.under_way().filter(pk=found.pk)
    if not running.update(is_under_way=False, ended_at=now, stopped_by=by):
        raise RoundEnded
    dropped, _ = found.validations.open().filter(started_at=None).delete()
    audit.append("round_stopped", found, at=now, by=by, facts={"roles": found.total, "not_checked": dropped})


def advance(pk: int, look: int) -> None:
    """Ask for the next roles where few wait, and look again in a moment; end the round with its last check.

    `look` is the one that this is; another one in its place, or a late one, does nothing.
    """
    now = timezone.now()
    ours = ValidationRound.objects.under_way().filter(pk=pk, looks=look)
    if not ours.update(looks=look + 1, looked_at=now):
        return
    found = ValidationRound.objects.get(pk=pk)
    waiting = found.validations.open().count()
    if found.all_asked_at and not waiting:
        _end(found, at=now)
        return
    if not found.all_asked_at and waiting < _WAITING:
        _ask_for_next(found, at=now)
    queue.send(queue.ADVANCE_ROUND, pk, look + 1, countdown=_LOOK_AGAIN_SECONDS)


def take_up() -> None:
    """For the sweeper: a round whose next look was lost goes on."""
    lost = Q(looked_at=None) | Q(looked_at__lt=timezone.now() - _LOST_AFTER)
    for pk, looks in ValidationRound.objects.under_way().filter(lost).values_list("pk", "looks"):
        queue.send(queue.ADVANCE_ROUND, pk, looks)


def newest_progress() -> Progress | None:
    """How far the round has come that runs, or that ended lately; two queries."""
    now = timezone.now()
    shown = Q(is_under_way=True) | Q(ended_at__gt=now - _SHOWN_FOR)
    found = ValidationRound.objects.filter(shown).select_related("began_by", "stopped_by").first()
    return _progress(found, at=now) if found else None


def _progress(found: ValidationRound, *, at: datetime) -> Progress:
    now = found.ended_at or at
    lately = Q(finished_at__gt=now - progress.LATELY)
    counts = found.validations.finished().aggregate(done=Count("pk"), lately=Count("pk", filter=lately))
    done = counts["done"] + found.under_way_anyhow
    rate = progress.rate(counts["lately"], since_begin=now - found.began_at)
    return Progress(found, done, rate, progress.remaining(found.total - done, rate=rate))


@transaction.atomic
def _ask_for_next(found: ValidationRound, *, at: datetime) -> None:
    roles = list(ExternalRole.objects.probed().filter(pk__gt=found.asked_up_to).order_by("pk")[:_CHUNK])
    if not roles:
        ValidationRound.objects.filter(pk=found.pk).update(all_asked_at=at)
        return
    made = validation.request_for_round(found, roles, at=at)
    # Not where it was stopped meanwhile, or where somebody else has asked for these.
    ours = ValidationRound.objects.under_way().filter(pk=found.pk, asked_up_to=found.asked_up_to)
    counted = F("under_way_anyhow") + len(roles) - made
    if not ours.update(asked_up_to=roles[-1].pk, under_way_anyhow=counted):
        transaction.set_rollback(True)


@transaction.atomic
def _end(found: ValidationRound, *, at: datetime) -> None:
    if ValidationRound.objects.under_way().filter(pk=found.pk).update(is_under_way=False, ended_at=at):
        audit.append("round_ended", found, at=at, facts={"roles": found.total})
