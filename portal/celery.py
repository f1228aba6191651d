"""The Celery application: `celery -A portal worker`, `celery -A portal beat`."""

import os

from celery import Celery
from celery.signals import setup_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")  # noqa: TID251  which settings, not a setting

app = Celery("portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["onboarding"])


@setup_logging.connect
def keep_our_logging(**_: object) -> None:
    """Django has configured logging already; a receiver here keeps Celery from replacing it."""
