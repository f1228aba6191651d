"""Claiming validations: a lease for a while, so that a worker that dies loses nothing and none works for two."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from uuid import UUID

from django.db.models import Case, F, Value, When
from django.utils import timezone

from onboarding.models import Validation
from onboarding.models.validation import LEASE

# A row that a worker was lost with as often as this is taken for the cause.
MOST_LOSSES = 4
MOST_OUTAGES = 7
_LONGEST_PAUSE = min(timedelta(minutes=1), LEASE)


def claim(pks: Iterable[int], *, claim_id: UUID) -> list[Validation]:
    """Those of `pks` that are free. A task that is delivered again takes up what it had claimed itself."""
    now = timezone.now()
    asked = Validation.objects.open().filter(pk__in=list(pks))
    free = asked.claimable(now) | asked.filter(claim=claim_id)
    # A claim that was not given back is that of a worker that was lost.
    lost = Case(When(claim=None, then=Value(0)), default=Value(1))
    free.update(claim=claim_id, claimed_until=now + LEASE, started_at=now, losses=F("losses") + lost)
    owners = ("external_role__account", "external_role__permission_set__bastion")
    return list(asked.filter(claim=claim_id).select_related(*owners).order_by("pk"))


def give_back(rows: Sequence[Validation]) -> None:
    """Nothing was tried, or somebody else shall try."""
    _release(rows, pause=timedelta(0))


def pause_after_outage(rows: Sequence[Validation]) -> timedelta:
    """Nothing was learnt: nobody shall try for a while, which grows from time to time. How long, at most."""
    longest = timedelta(0)
    for outages in {row.outages for row in rows}:
        pause = min(timedelta(seconds=2**outages), _LONGEST_PAUSE)
        _release([row for row in rows if row.outages == outages], pause=pause, outages=outages + 1)
        longest = max(longest, pause)
    return longest


def _release(rows: Sequence[Validation], *, pause: timedelta, **columns: int) -> None:
    if not rows:
        return
    now = timezone.now()
    by_claim = Validation.objects.open().filter(pk__in=[row.pk for row in rows], claim__in={row.claim for row in rows})
    by_claim.update(claim=None, claimed_until=now + pause if pause else None, queued_at=now + pause, **columns)
