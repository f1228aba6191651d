"""The answer to a press of a button: it is done, or a flash says why not."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest

from onboarding.core.errors import OnboardingError
from onboarding.messages import sentence


def tell(request: HttpRequest, service: Callable[[], object], *, done: str) -> bool:
    """Call the service and say what happened."""
    try:
        service()
    except OnboardingError as error:
        messages.error(request, sentence(error))
        return False
    messages.success(request, done)
    return True
