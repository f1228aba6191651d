"""System checks: settings that would start, and that a person should know about."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core import checks


@checks.register(checks.Tags.security, deploy=True)
def strangers_can_tell_who_asks(**_: Any) -> list[checks.CheckMessage]:
    return list(_missing_contact())


def _missing_contact() -> Iterator[checks.CheckMessage]:
    if settings.ORGANIZATION_NAME == "Your organization":
        yield checks.Warning(
            "ORGANIZATION_NAME is not set, so partners cannot tell who asks them for access.", id="onboarding.W001"
        )
    if not settings.CONTACT_EMAIL:
        yield checks.Warning(
            "CONTACT_EMAIL is not set, so the holder of a dead link has nobody to ask.", id="onboarding.W002"
        )
    if settings.SANDBOX:
        yield checks.Warning("SANDBOX=1: this portal talks to a local stand-in and not to AWS.", id="onboarding.W003")
