"""Celery's entrances: a primary key in, one service call out."""

from typing import Any
from uuid import UUID

from celery import shared_task
from django.db import InterfaceError, OperationalError

from onboarding import queue
from onboarding.services import bastions, controls, invitations, validation
from onboarding.services.notifications import MailUnavailable

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


@shared_task(name=queue.SEND_FRESH_LINK, bind=True, max_retries=_TRIES)
def send_fresh_link(task: Any, pk: int) -> None:
    try:
        invitations.send_fresh_link(pk)
    except MailUnavailable as trouble:
        raise task.retry(exc=trouble, countdown=10 * 2**task.request.retries) from trouble


@shared_task(name=queue.SWEEP)
def sweep() -> None:
    validation.sweep()
    controls.queue_due()
    invitations.requeue_lost_asks()


@shared_task(name=queue.FIND_SSO_ROLES)
def find_sso_roles() -> None:
    bastions.find_all_sso_roles()
