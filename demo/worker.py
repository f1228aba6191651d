"""The demo's worker: the portal's own, with beat as one of its threads; a process would take as much memory again."""

from threading import Thread

from celery.beat import Scheduler, Service
from celery.signals import worker_ready

from portal.celery import app

__all__ = ["app"]


@worker_ready.connect
def start_beat(**_: object) -> None:
    """It keeps its clock in memory: a file of it can be torn by a kill."""
    Thread(
        target=Service(app, max_interval=1, scheduler_cls=Scheduler).start,
        name="beat",
        daemon=True,
    ).start()
