"""The Celery application: `celery -A portal worker`, `celery -A portal beat`."""

import os
import sys
from typing import Any

from celery import Celery
from celery.signals import setup_logging, task_postrun, task_prerun, worker_init
from kombu.transport.redis import Channel, Transport
from redis import exceptions

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")  # noqa: TID251  which settings, not a setting

app = Celery("portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["onboarding"])
# Celery would close the database connection before and after each task; `give_up_broken_connections` knows better.
app.conf["CELERY_DB_REUSE_MAX"] = sys.maxsize


class _Channel(Channel):
    """What is under way when the broker goes is acknowledged through a connection that is gone.

    Kombu 5.7 has no name for that, and Celery takes it for unrecoverable; as a lost connection it is logged, and what
    the broker did not hear of is a task that comes again and finds its work done.
    """

    def _connparams(self, *arguments: Any, **options: Any) -> Any:
        if self.connection is None or self.connection.client is None:
            raise exceptions.ConnectionError("the broker's connection is closed")
        return super()._connparams(*arguments, **options)  # type: ignore[misc]  # the stubs leave it out


Transport.Channel = _Channel


@setup_logging.connect
def keep_our_logging(**_: object) -> None:
    """Django has configured logging already; a receiver here keeps Celery from replacing it."""


@worker_init.connect
def keep_one_connection(**_: object) -> None:
    """A worker's process does one task at a time; the pool is for the threads of the web server."""
    from django.db import connections  # noqa: PLC0415  there are no settings yet when this module is read

    database = connections.settings["default"]
    database["OPTIONS"].pop("pool", None)
    database["CONN_MAX_AGE"] = None


@task_prerun.connect
@task_postrun.connect
def give_up_broken_connections(**_: object) -> None:
    from django.db import close_old_connections  # noqa: PLC0415  as above

    close_old_connections()
