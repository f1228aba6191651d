"""Sending what is to leave: at least once, with growing gaps, and never again once somebody took it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, TypeVar

import structlog
from django.utils import timezone

from onboarding import queue
from onboarding.core import outgoing
from onboarding.models.outgoing import Outgoing, OutgoingQuerySet
from onboarding.services.mailing import MailUnavailable
from onboarding.webhooks import CallFailed

log = structlog.get_logger(__name__)

# Longer than the slowest call and the task's hard time limit: only a worker that is gone loses its claim.
LEASE = timedelta(seconds=150)
# How long the broker may hold a task before the sweeper takes it for lost.
_LOST_AFTER = timedelta(seconds=30)
_CHUNK = 200

Row = TypeVar("Row", bound=Outgoing)


class NoLongerWanted(Exception):
    """What it was to say is no longer true, or whom it was for is not to be told any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outbox(Generic[Row]):
    """The rows of one table with what is needed to send one, the task that sends it, and how long it is tried."""

    rows: Callable[[], OutgoingQuerySet[Row]]
    task: str
    patience: Callable[[Row], timedelta]

    def deliver(self, pk: int, send: Callable[[Row], None]) -> None:
        """One attempt; nothing where another worker holds the claim, or where it has arrived already.

        `send` raises `MailUnavailable` or `CallFailed` where nobody took it, or `NoLongerWanted`.
        """
        row = self.claim(pk)
        if row is None:
            return
        try:
            send(row)
        except (MailUnavailable, CallFailed) as trouble:
            self._try_later(row, str(trouble))
        except NoLongerWanted:
            self._give_up(row, "")
        else:
            # Whoever else may hold a claim by now: it has arrived, and is never sent again.
            self.rows().filter(pk=pk).update(acknowledged_at=timezone.now(), claimed_until=None, trouble="")

    def claim(self, pk: int) -> Row | None:
        """Counts the attempt and plans the next one at once: what takes its worker along must not be tried for ever."""
        now = timezone.now()
        free = self.rows().claimable(now).filter(pk=pk)
        row = free.first()
        if row is None:
            return None
        if self._is_out_of_time(row):
            self._give_up(row, row.trouble or "WorkerLost")
            return None
        attempts = row.attempts + 1
        claim = {
            "attempts": attempts,
            "claimed_until": now + LEASE,
            "next_try_at": outgoing.next_try(attempts=attempts, at=now),
        }
        if not free.filter(attempts=row.attempts).update(**claim):
            return None
        for name, value in claim.items():
            setattr(row, name, value)
        return row

    def queue_due(self) -> None:
        """What is due for another try, and what the broker lost; for the sweeper."""
        now = timezone.now()
        due = self.rows().to_queue(now, lost_before=now - _LOST_AFTER).order_by("next_try_at")
        keys = list(due.values_list("pk", flat=True)[:_CHUNK])
        self.rows().filter(pk__in=keys).update(queued_at=now)
        for pk in keys:
            if not queue.send(self.task, pk):
                return

    def _try_later(self, row: Row, trouble: str) -> None:
        """In growing gaps; where the next try would come too late it is given up, which the admins' pages show."""
        given_up = self._is_out_of_time(row)
        log.warning("not_taken", task=self.task, row=row.pk, trouble=trouble, given_up=given_up)
        if given_up:
            self._give_up(row, trouble)
        else:
            self._ours(row).update(trouble=trouble[:100], claimed_until=None)

    def _give_up(self, row: Row, trouble: str) -> None:
        self._ours(row).update(given_up_at=timezone.now(), trouble=trouble[:100], claimed_until=None)

    def _is_out_of_time(self, row: Row) -> bool:
        return outgoing.is_out_of_time(
            attempts=row.attempts, asked_at=row.asked_at, next_try_at=row.next_try_at, patience=self.patience(row)
        )

    def _ours(self, row: Row) -> OutgoingQuerySet[Row]:
        """The row, while our claim holds: a lease that ran out leaves the word to whoever took it over."""
        return self.rows().under_way().filter(pk=row.pk, claimed_until=row.claimed_until)
