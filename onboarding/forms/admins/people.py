"""People, and what they are granted."""

from collections.abc import Sequence
from datetime import datetime, time
from typing import Any, ClassVar

from django import forms
from django.contrib.auth.models import Group
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from onboarding.core.errors import OnboardingError
from onboarding.forms.admins.base import ServiceForm
from onboarding.forms.fields import PlainLineField
from onboarding.models import Person, PortalRole
from onboarding.services.access import AlreadyGranted, GrantTerms
from onboarding.services.people import LastPlatformAdmin, PersonDetails, PersonExists

_LONGEST_GROUP = 150


class GroupNamesField(PlainLineField):
    """Names of groups, separated by commas."""

    def clean(self, value: Any) -> tuple[str, ...]:  # type: ignore[override]
        names = tuple(sorted({name.strip() for name in super().clean(value).replace("、", ",").split(",")} - {""}))
        if any(len(name) > _LONGEST_GROUP for name in names):
            raise forms.ValidationError(_("A group's name has at most 150 characters."), code="too_long")
        return names


class PersonForm(ServiceForm):
    field_of: ClassVar[dict[type[OnboardingError] | str, str]] = {LastPlatformAdmin: "portal_role"}

    first_name = PlainLineField(label=_("First name"), max_length=150, required=False)
    last_name = PlainLineField(label=_("Last name"), max_length=150, required=False)
    portal_role = forms.ChoiceField(
        label=_("May"),
        choices=[
            (PortalRole.EMPLOYEE, _("use the roles granted to them")),
            (PortalRole.PLATFORM_ADMIN, _("administer the portal as well")),
        ],
        initial=PortalRole.EMPLOYEE,
        widget=forms.RadioSelect,
    )
    groups = GroupNamesField(
        label=_("Groups"),
        max_length=1000,
        required=False,
        help_text=_("Separated by commas; a new name makes a new group. Roles can be granted to groups."),
    )

    def details(self, *, is_active: bool) -> PersonDetails:
        names = ("first_name", "last_name", "groups")
        role = PortalRole(self.cleaned_data["portal_role"])
        return PersonDetails(portal_role=role, is_active=is_active, **{name: self.cleaned_data[name] for name in names})

    @staticmethod
    def initial_of(person: Person) -> dict[str, Any]:
        groups = ", ".join(person.groups.order_by("name").values_list("name", flat=True))
        names = ("first_name", "last_name", "portal_role")
        return {**{name: getattr(person, name) for name in names}, "groups": groups}


class NewPersonForm(PersonForm):
    field_of: ClassVar[dict[type[OnboardingError] | str, str]] = {PersonExists: "email"}

    email = forms.EmailField(
        label=_("E-mail"), help_text=_("They sign in with it, and it names them in the partner's logs.")
    )
    field_order: Sequence[str] = ("email",)


class GrantForm(ServiceForm):
    """To a person or to a group: exactly one of them."""

    field_of: ClassVar[dict[type[OnboardingError] | str, str]] = {AlreadyGranted: "person"}

    person = forms.EmailField(label=_("Person, by e-mail"), required=False)
    group = forms.ModelChoiceField(
        label=_("Or a group"), queryset=Group.objects.order_by("name"), required=False, empty_label=_("No group")
    )
    reason = PlainLineField(label=_("Reason"), max_length=300, help_text=_("Whoever reviews access reads it."))
    until = forms.DateField(
        label=_("Until the end of"),
        required=False,
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        help_text=_("Empty: until it is revoked."),
    )

    def clean_person(self) -> Person | None:
        email = self.cleaned_data["person"]
        if not email:
            return None
        found = Person.objects.filter(email__iexact=email, is_active=True).first()
        if found is None:
            raise forms.ValidationError(_("Nobody active has this address here. Add the person first."))
        return found

    def clean_until(self) -> datetime | None:
        day = self.cleaned_data["until"]
        if day is None:
            return None
        if day < timezone.localdate():
            raise forms.ValidationError(_("This day is over."))
        return timezone.make_aware(datetime.combine(day, time.max))

    def clean(self) -> dict[str, Any]:
        found = super().clean() or self.cleaned_data
        if "person" in found and "group" in found and (found["person"] is None) == (found["group"] is None):
            self.add_error("person", _("Name a person or choose a group: one of the two."))
        return found

    @property
    def grantee(self) -> Person | Group:
        found: Person | Group = self.cleaned_data["person"] or self.cleaned_data["group"]
        return found

    @property
    def terms(self) -> GrantTerms:
        return GrantTerms(reason=self.cleaned_data["reason"], expires_at=self.cleaned_data["until"])
