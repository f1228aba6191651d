"""Celery's entrances: a primary key in, one service call out."""

from typing import Any

from celery import shared_task

from onboarding import queue
from onboarding.aws import AwsUnavailable
from onboarding.services import (
    alert_deliveries,
    alerts,
    bastions,
    delivery,
    history,
    outbox,
    reminders,
    rounds,
    validation,
)

_TRIES = 4


@shared_task(name=queue.VALIDATE_ROLE, bind=True, max_retries=_TRIES)
def validate_role(task: Any, pk: int) -> None:
    try:
        validation.run_validation(pk)
    except AwsUnavailable as trouble:
        if task.request.retries >= _TRIES:
            validation.give_up(pk, trouble)
            return
        raise task.retry(exc=trouble, countdown=2**task.request.retries) from trouble


@shared_task(name=queue.SEND_MAIL)
def send_mail(pk: int) -> None:
    delivery.deliver(pk)


@shared_task(name=queue.SWEEP)
def sweep() -> None:
    validation.sweep()
    reminders.remind_of_ending_links()
    outbox.requeue_due()
    alerts.tell_due()
    alert_deliveries.queue_due()
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
