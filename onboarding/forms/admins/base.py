"""What a service refuses becomes the error of the field that a person has to change."""

from collections.abc import Callable
from typing import ClassVar, TypeVar

from django import forms

from onboarding import messages
from onboarding.core.errors import AlreadyRegistered, OnboardingError

T = TypeVar("T")


class ServiceForm(forms.Form):
    """`field_of` names, for an error or for what was already registered, the field in which it shows."""

    field_of: ClassVar[dict[type[OnboardingError] | str, str]] = {}

    def attempt(self, service: Callable[[], T]) -> T | None:
        """What the service gives, or None where it refused; everything typed stays in the form."""
        try:
            return service()
        except OnboardingError as error:
            key = error.what if isinstance(error, AlreadyRegistered) else type(error)
            field = self.field_of.get(key, "")
            self.add_error(field if field in self.fields else None, messages.sentence(error))
            return None

    def succeeds(self, service: Callable[[], object]) -> bool:
        return self.attempt(service) is not None


def mono(**attributes: str) -> forms.TextInput:
    """A box for what machines read: never corrected, never completed."""
    return forms.TextInput({"class": "mono", "autocomplete": "off", "spellcheck": "false", **attributes})
