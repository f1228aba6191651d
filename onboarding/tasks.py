"""Celery's entrances: a primary key in, one service call out."""

from typing import Any
from uuid import UUID

from celery import shared_task
from django.db import InterfaceError, OperationalError

from onboarding import queue
from onboarding.services import (
    alert_deliveries,
    alerts,
    bastions,
    controls,
    delivery,
    history,
    mails,
    reminders,
    rounds,
    validation,
)

_TRIES = 4


# The database is away for a moment: the task comes back, and takes up what it had claimed itself.
_BACK_SOON: dict[str, Any] = {"autoretry_for": (OperationalError, InterfaceError), "default_retry_delay": 2}


@shared_task(name=queue.VALIDATE_ROLE, bind=True, max_retries=_TRIES, **_BACK_SOON)
def validate_role(task: Any, pk: int) -> None:
    validation.run_validation(pk, claim_id=UUID(task.request.id))


@shared_task(name=queue.VALIDATE_CHUNK, bind=True, max_retries=_TRIES, **_BACK_SOON)
def validate_chunk(task: Any, pks: list[int]) -> None:
    validation.run_chunk(pks, claim_id=UUID(task.request.id))


@shared_task(name=queue.TRY_CONTROLS)
def try_controls(bastion: int) -> None:
    controls.try_controls(bastion)


@shared_task(name=queue.SEND_MAIL)
def send_mail(pk: int) -> None:
    delivery.deliver(pk)


@shared_task(name=queue.SWEEP)
def sweep() -> None:
    validation.sweep()
    controls.queue_due()
    reminders.remind_of_ending_links()
    mails.OUTBOX.queue_due()
    alerts.tell_due()
    alert_deliveries.OUTBOX.queue_due()
    rounds.take_up()


@shared_task(name=queue.FIND_SSO_ROLES)
def find_sso_roles() -> None:
    bastions.find_all_sso_roles()


@shared_task(name=queue.DELIVER_ALERT)
def deliver_alert(pk: int) -> None:
    alert_deliveries.deliver(pk)


@shared_task(name=queue.ADVANCE_ROUND)
def advance_round(pk: int, look: int) -> None:
    rounds.advance(pk, look)


@shared_task(name=queue.NOTE_OPEN_DOORS)
def note_open_doors() -> None:
    alerts.note_open_doors()


@shared_task(name=queue.THIN_HISTORY)
def thin_history() -> None:
    history.thin_history()
