"""The project: wiring only; no rule of onboarding."""

from portal.celery import app as celery_app

__all__ = ["celery_app"]
