"""Hands work to Celery by name, after the commit; survives a broker that is down."""

from functools import partial
from typing import Final

import structlog
from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)

VALIDATE_ROLE: Final = "onboarding.validate_role"
VALIDATE_CHUNK: Final = "onboarding.validate_chunk"
TRY_CONTROLS: Final = "onboarding.try_controls"
SEND_MAIL: Final = "onboarding.send_mail"
SWEEP: Final = "onboarding.sweep"
FIND_SSO_ROLES: Final = "onboarding.find_sso_roles"
DELIVER_ALERT: Final = "onboarding.deliver_alert"
ADVANCE_ROUND: Final = "onboarding.advance_round"
NOTE_OPEN_DOORS: Final = "onboarding.note_open_doors"
THIN_HISTORY: Final = "onboarding.thin_history"


Argument = int | list[int]


def on_commit(task: str, *arguments: Argument) -> None:
    """Send when (and only when) the surrounding transaction is committed."""
    transaction.on_commit(partial(send, task, *arguments))


def send(task: str, *arguments: Argument, countdown: float = 0) -> bool:
    """False where the broker cannot be reached: the row still says what is to be done, and the sweeper finds it."""
    try:
        current_app.send_task(task, args=arguments, countdown=countdown or None)
    except (OperationalError, RedisError, OSError) as error:
        log.warning("broker_unreachable", task=task, error=type(error).__name__)
        return False
    return True
