"""The product's own settings, with less patience: a test cannot wait as long as a machine can."""

import os
from datetime import timedelta
from pathlib import Path

from celery import Celery
from django.utils import timezone

from onboarding.core import alerts
from portal.settings import *  # noqa: F403
from portal.settings import CELERY_BROKER_TRANSPORT_OPTIONS

CELERY_TASK_TIME_LIMIT = float(os.environ["FAULT_TIME_LIMIT"])
CELERY_TASK_SOFT_TIME_LIMIT = CELERY_TASK_TIME_LIMIT * 0.75
CELERY_BROKER_TRANSPORT_OPTIONS = {**CELERY_BROKER_TRANSPORT_OPTIONS, "visibility_timeout": 2 * CELERY_TASK_TIME_LIMIT}

alerts.COLLECTING = timedelta(seconds=15)

# A file with so many seconds puts the clock forward, in all processes of the portal at once: that of Django, and that
# by which Celery's beat and workers find what is due.
_clock, _now = Path(os.environ["FAULT_CLOCK"]), timezone.now
timezone.now = lambda: _now() + timedelta(seconds=float(_clock.read_text()))
Celery.now = lambda _app: timezone.now()
