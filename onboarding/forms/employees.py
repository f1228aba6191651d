"""What an employee chooses for the own config."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.forms import BoundField
from django.utils.translation import gettext_lazy as _

from onboarding.core.awsconfig import OutputFormat
from onboarding.forms.admins.base import mono
from onboarding.forms.fields import NamePrefixField, RegionField
from onboarding.models import ExternalRole
from onboarding.services.choices import Choices, Wish

# The rows of the list stand outside the form's own element, and belong to it by this name.
FORM_ID = "choices"
_FULL, _SHORT = "full", "short"


class ConfigChoicesForm(forms.Form):
    """`roles` are those whose tick and region stand on the page; of others it says nothing."""

    output = forms.ChoiceField(
        label=_("Output format"),
        choices=[("", _("As your AWS CLI does")), *((f.value, f.value) for f in OutputFormat)],
        required=False,
    )
    name_prefix = NamePrefixField(
        label=_("Prefix of profile names"),
        required=False,
        widget=mono(placeholder="hoshino-"),
        help_text=_("Tells the portal's profiles from your own."),
    )
    extent = forms.ChoiceField(
        label=_("Roles that come later"),
        choices=[(_FULL, _("Full set: they go in by themselves")), (_SHORT, _("Short set: only once you tick them"))],
        widget=forms.RadioSelect,
    )

    def __init__(self, *args: Any, roles: Iterable[ExternalRole], **options: Any) -> None:
        super().__init__(*args, **options)
        self._roles = list(roles)
        for role in self._roles:
            self.fields[f"take-{role.uuid}"] = _Tick(role)
            self.fields[f"region-{role.uuid}"] = _Region(role)

    @classmethod
    def of(cls, choices: Choices, *, roles: Iterable[ExternalRole]) -> "ConfigChoicesForm":
        shown = list(roles)
        initial: dict[str, Any] = {
            "output": choices.output or "",
            "name_prefix": choices.name_prefix,
            "extent": _SHORT if choices.is_short_set else _FULL,
        }
        for role in shown:
            initial[f"take-{role.uuid}"] = choices.takes(role)
            initial[f"region-{role.uuid}"] = choices.region(role)
        return cls(initial=initial, roles=shown)

    @property
    def choices(self) -> Choices:
        typed = self.cleaned_data
        return Choices(
            output=OutputFormat(typed["output"]) if typed["output"] else None,
            name_prefix=typed["name_prefix"] or "",
            is_short_set=typed["extent"] == _SHORT,
            wishes={
                role.pk: Wish(is_taken=typed[f"take-{role.uuid}"], region=typed[f"region-{role.uuid}"] or "")
                for role in self._roles
            },
        )

    def tick(self, role: ExternalRole) -> BoundField:
        return self[f"take-{role.uuid}"]

    def region(self, role: ExternalRole) -> BoundField:
        return self[f"region-{role.uuid}"]


class _Tick(forms.BooleanField):
    def __init__(self, role: ExternalRole) -> None:
        label = _("Put %(profile)s into the config") % {"profile": role.profile_name}
        super().__init__(
            label=label, required=False, widget=forms.CheckboxInput({"form": FORM_ID, "aria-label": label})
        )


class _Region(RegionField):
    def __init__(self, role: ExternalRole) -> None:
        label = _("Region of %(profile)s") % {"profile": role.profile_name}
        looks = {"form": FORM_ID, "size": "14", "autocomplete": "off", "spellcheck": "false", "aria-label": label}
        super().__init__(label=label, required=False, widget=forms.TextInput(looks | {"placeholder": role.region}))
