"""What is to leave the portal: the row is the truth about it, whatever broker, worker and receiver do."""

from datetime import datetime
from typing import Self, TypeVar

from django.db import models
from django.db.models import F, Q

from onboarding.models.base import Addressed

UNDER_WAY = Q(acknowledged_at=None, given_up_at=None)


_Row = TypeVar("_Row", bound="Outgoing")


class OutgoingQuerySet(models.QuerySet[_Row]):
    def under_way(self) -> Self:
        return self.filter(UNDER_WAY)

    def claimable(self, now: datetime) -> Self:
        free = Q(claimed_until=None) | Q(claimed_until__lt=now)
        return self.under_way().filter(free, next_try_at__lte=now)

    def to_queue(self, now: datetime, *, lost_before: datetime) -> Self:
        """Due for another try, or lost by the broker."""
        return self.claimable(now).filter(Q(queued_at__lt=F("next_try_at")) | Q(queued_at__lt=lost_before))

    def put_off(self) -> Self:
        """Not taken, and not being tried at this moment."""
        return self.under_way().filter(claimed_until=None).exclude(trouble="")

    def troubled(self) -> Self:
        """Tried more than once, and still not taken."""
        return self.under_way().filter(attempts__gte=2).exclude(trouble="")


class Outgoing(Addressed):
    """Tried until somebody takes it, or until there is no use in it any more."""

    asked_at = models.DateTimeField()
    # When it was last handed to the broker; the sweeper hands it over again when nobody claimed it.
    queued_at = models.DateTimeField()
    next_try_at = models.DateTimeField()
    # A lease: a worker that died loses it, and another one may claim.
    claimed_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    # Why it was not taken the last time.
    trouble = models.CharField(max_length=100, blank=True)
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    given_up_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True

    @property
    def is_given_up(self) -> bool:
        return self.given_up_at is not None
