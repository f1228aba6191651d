"""Form fields that parse: what leaves them is a type of `onboarding.core`, never a raw string."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from django import forms
from django.utils.translation import gettext_lazy as _

from onboarding import messages
from onboarding.core import arns, awsconfig, identifiers, permissions_policy, trust
from onboarding.core.errors import OnboardingError

T = TypeVar("T")


class ParsedField(forms.CharField, Generic[T]):
    """A text box whose value goes through a parser of `core`; what the parser refuses becomes the field's error."""

    def __init__(self, parser: Callable[[str], T], **options: Any) -> None:
        self._parser = parser
        # What is pasted is judged whole: the parser trims what surely is no part of it.
        super().__init__(strip=False, **options)

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if text in self.empty_values:
            return None
        try:
            return self._parser(text)
        except OnboardingError as error:
            raise forms.ValidationError(messages.sentence(error), code="invalid") from error


class RoleArnField(ParsedField[arns.RoleArn]):
    def __init__(self, **options: Any) -> None:
        super().__init__(arns.RoleArn.parse, max_length=2000, **options)


class AccountIdField(ParsedField[arns.AccountId]):
    def __init__(self, **options: Any) -> None:
        super().__init__(arns.AccountId.parse, max_length=60, **options)


class RegionField(ParsedField[str]):
    def __init__(self, **options: Any) -> None:
        super().__init__(identifiers.parse_region, max_length=60, **options)


class RecipientCodeField(ParsedField[str]):
    def __init__(self, **options: Any) -> None:
        super().__init__(identifiers.parse_recipient_code, max_length=40, **options)


class RoleNameField(ParsedField[str]):
    def __init__(self, **options: Any) -> None:
        super().__init__(arns.parse_role_name, max_length=200, **options)


class RolePathField(ParsedField[str]):
    def __init__(self, **options: Any) -> None:
        super().__init__(arns.parse_role_path, max_length=600, **options)


class PermissionsPolicyField(ParsedField[trust.Document]):
    widget = forms.Textarea

    def __init__(self, **options: Any) -> None:
        super().__init__(permissions_policy.parse, max_length=40_000, **options)


class TagsField(ParsedField[dict[str, str]]):
    widget = forms.Textarea

    def __init__(self, **options: Any) -> None:
        super().__init__(identifiers.parse_tags, max_length=25_000, **options)


class ProfileNameField(ParsedField[str]):
    def __init__(self, **options: Any) -> None:
        super().__init__(identifiers.parse_profile_name, max_length=200, **options)


class ProfileTemplateField(ParsedField[str]):
    def __init__(self, **options: Any) -> None:
        super().__init__(awsconfig.parse_profile_template, max_length=64, **options)


class NamePrefixField(ParsedField[str]):
    def __init__(self, **options: Any) -> None:
        super().__init__(identifiers.parse_name_prefix, max_length=60, **options)


class PermissionSetNameField(ParsedField[str]):
    def __init__(self, **options: Any) -> None:
        super().__init__(identifiers.parse_permission_set_name, max_length=100, **options)


class PlainLineField(forms.CharField):
    """One line for people to read: no control characters, and nothing that turns the direction of text around."""

    default_error_messages = {"unprintable": _("This holds a character that cannot be seen. Type the line anew.")}

    def clean(self, value: Any) -> str:
        text: str = super().clean(value)
        if not _is_plain(text):
            raise forms.ValidationError(self.error_messages["unprintable"], code="unprintable")
        return text


class PlainTextField(PlainLineField):
    """Some lines for people to read."""

    widget = forms.Textarea

    def clean(self, value: Any) -> str:
        text: str = forms.CharField.clean(self, value)
        if not _is_plain(text.replace("\r\n", "").replace("\n", "")):
            raise forms.ValidationError(self.error_messages["unprintable"], code="unprintable")
        return text.replace("\r\n", "\n")


def _is_plain(text: str) -> bool:
    # Japanese names are typed with the ideographic space, which Python does not count as printable.
    return text.replace("\u3000", " ").isprintable()
