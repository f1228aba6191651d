"""Partners, their accounts and the roles that we ask for."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from onboarding.core import identifiers
from onboarding.core.arns import Partition, PolicyArn
from onboarding.core.errors import BastionsOwnAccount, InvalidPolicyArn, OnboardingError, PolicyTooLong
from onboarding.core.handoff import Permissions
from onboarding.core.permissions_policy import PermissionsChoice
from onboarding.core.trust import SsoRoleUnknown, TrustStyle
from onboarding.forms.admins.base import ServiceForm, mono
from onboarding.forms.fields import (
    AccountIdField,
    PermissionsPolicyField,
    PlainLineField,
    PlainTextField,
    ProfileNameField,
    RegionField,
    RoleNameField,
    RolePathField,
    TagsField,
)
from onboarding.messages import sentence
from onboarding.models import ExternalAccount, ExternalRole, Partner, PermissionSet
from onboarding.services import registration
from onboarding.services.registration import AccountDetails, NoLongerCorrectable, PartnerDetails, RoleDetails


class PartnerForm(ServiceForm):
    field_of: ClassVar[dict[type[OnboardingError] | str, str]] = {"partner": "name"}

    name = PlainLineField(label=_("Company name"), max_length=100)
    language = forms.ChoiceField(
        label=_("Language of their page"),
        choices=[*settings.LANGUAGES, ("", _("As their browser says"))],
        required=False,
        help_text=_("And of the mails to them, which follow the portal's own language where none is chosen."),
    )
    contact_name = PlainLineField(label=_("Contact"), max_length=100)
    contact_email = forms.EmailField(
        label=_("Contact's e-mail"), help_text=_("A new link is only ever mailed to this address.")
    )

    @property
    def partner_details(self) -> PartnerDetails:
        names = ("name", "language", "contact_name", "contact_email")
        return PartnerDetails(**{name: self.cleaned_data[name] for name in names})

    @staticmethod
    def of_partner(partner: Partner) -> dict[str, Any]:
        return {name: getattr(partner, name) for name in PartnerForm.base_fields}


class AccountForm(ServiceForm):
    field_of: ClassVar[dict[type[OnboardingError] | str, str]] = {
        "account": "account_id",
        BastionsOwnAccount: "account_id",
        NoLongerCorrectable: "account_id",
    }

    account_id = AccountIdField(
        label=_("AWS account ID"),
        widget=mono(inputmode="numeric"),
        help_text=_("Twelve digits. The partner finds them at the top right of their console."),
    )
    label = PlainLineField(
        label=_("Our name for the account"), max_length=100, required=False, help_text=_("For example “production”.")
    )

    @property
    def account_details(self) -> AccountDetails:
        return AccountDetails(account_id=self.cleaned_data["account_id"], label=self.cleaned_data["label"])

    @staticmethod
    def of_account(account: ExternalAccount) -> dict[str, Any]:
        return {"account_id": account.account_id, "label": account.label}


class PermissionSetField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """Names the bastion too where there are several."""

    def label_from_instance(self, permission_set: PermissionSet) -> str:
        return f"{permission_set.name} ({permission_set.bastion.name})"


class RoleForm(ServiceForm):
    """Names that are left empty are suggested, from what the form does not ask for: `partner_name`, `account_id`."""

    field_of: ClassVar[dict[type[OnboardingError] | str, str]] = {
        "profile_name": "profile_name",
        PolicyTooLong: "permission_set",
        SsoRoleUnknown: "trust_style",
    }
    # As the page shows them, so that the list of errors follows it.
    field_order: Sequence[str] = (
        "purpose",
        "role_name",
        "profile_name",
        "permission_set",
        "region",
        "permissions_choice",
        "managed_policy",
        "permissions_policy",
        "permissions_wanted",
        "permissions_boundary",
        "role_path",
        "tags",
    )

    role_name = RoleNameField(
        label=_("Role name to create"), widget=mono(), required=False, help_text=_("Leave it empty for a suggestion.")
    )
    profile_name = ProfileNameField(
        label=_("Profile name"),
        widget=mono(),
        required=False,
        help_text=_("What our people type: aws --profile … Leave it empty for a suggestion."),
    )
    purpose = PlainTextField(
        label=_("What your people will do there"),
        max_length=500,
        widget=forms.Textarea({"rows": 2}),
        help_text=_("The partner reads this sentence word for word."),
    )
    permissions_choice = forms.ChoiceField(
        label=_("What the role may do"),
        choices=[
            (PermissionsChoice.PARTNER, _("The partner decides")),
            (PermissionsChoice.MANAGED, _("A managed policy")),
            (PermissionsChoice.DOCUMENT, _("A policy of our own")),
        ],
        initial=PermissionsChoice.PARTNER,
        required=False,
        widget=forms.RadioSelect,
        help_text=_("Every form that the partner may use contains it. They can always give less."),
    )
    managed_policy = PlainLineField(
        label=_("Managed policy"),
        max_length=800,
        required=False,
        widget=mono(),
        help_text=_("A policy of AWS by its name, such as ReadOnlyAccess, or one in the partner's account by its ARN."),
    )
    permissions_policy = PermissionsPolicyField(
        label=_("Policy of our own (JSON)"),
        required=False,
        widget=forms.Textarea({"rows": 6, "class": "mono", "spellcheck": "false", "autocapitalize": "off"}),
        help_text=_("It becomes a part of the role. A policy variable such as ${aws:username} is kept as it is."),
    )
    permissions_wanted = PlainTextField(
        label=_("Permissions asked for"),
        max_length=2000,
        required=False,
        widget=forms.Textarea({"rows": 3}),
        help_text=_(
            "In words or as IAM actions, for example “s3:GetObject on the bucket reports”. The partner decides."
        ),
    )
    permissions_boundary = PlainLineField(
        label=_("Permissions boundary"),
        max_length=800,
        required=False,
        widget=mono(),
        help_text=_("Where the partner demands one: a managed policy that the role can never exceed."),
    )
    role_path = RolePathField(
        label=_("Path of the role"),
        required=False,
        widget=mono(),
        help_text=_("For example /partners/. It becomes a part of the ARN; the AWS console can make no path."),
    )
    tags = TagsField(
        label=_("Tags"),
        required=False,
        widget=forms.Textarea({"rows": 2, "class": "mono", "spellcheck": "false", "autocapitalize": "off"}),
        help_text=_("One key=value on a line."),
    )
    permission_set = PermissionSetField(
        label=_("Who may enter"),
        queryset=PermissionSet.objects.select_related("bastion"),
        to_field_name="uuid",
        empty_label=None,
        help_text=_("A permission set of the bastion account. AWS admits everybody who is assigned to it."),
    )
    region = RegionField(
        label=_("Usual region"), widget=mono(), help_text=_("Where the employees' commands work, unless they say so.")
    )
    trust_style = forms.ChoiceField(
        label=_("Whom the trust policy names"),
        choices=[
            (TrustStyle.ACCOUNT_AND_CONDITION, _("Our account, narrowed to two roles")),
            (TrustStyle.EXACT_ROLE, _("The two roles themselves")),
        ],
        initial=TrustStyle.ACCOUNT_AND_CONDITION,
        widget=forms.RadioSelect,
        help_text=_("The first survives when IAM Identity Center re-creates its role; the second breaks then."),
    )
    console_access = forms.BooleanField(
        label=_("Employees may also switch to this role in the AWS console"),
        required=False,
        help_text=_("The console cannot send an external ID, so the employees' part of the trust policy drops it."),
    )

    def __init__(self, *args: Any, partner_name: str = "", account_id: str = "", **options: Any) -> None:
        super().__init__(*args, **options)
        self._partner_name = partner_name
        self._account_id = account_id
        first = PermissionSet.objects.select_related("bastion").first()
        if first and not self.is_bound:
            self.initial = {"region": first.bastion.region, "permission_set": first.uuid, **self.initial}

    def clean(self) -> dict[str, Any]:
        found = super().clean() or self.cleaned_data
        partner = self.cleaned_data.get("name") or self._partner_name
        if "role_name" in found and not found["role_name"]:
            found["role_name"] = identifiers.suggested_role_name(settings.ORGANIZATION_NAME, partner)
        named = found.get("role_name") and found.get("permission_set")
        if named and "profile_name" in found and not found["profile_name"]:
            found["profile_name"] = registration.suggested_profile_name(
                found["permission_set"].bastion,
                partner=partner,
                account_id=found.get("account_id") or self._account_id,
                role_name=found["role_name"],
            )
        self._clean_permissions(found)
        return found

    def _clean_permissions(self, found: dict[str, Any]) -> None:
        """A policy that is chosen is there, and one that is there is chosen: nothing typed is passed over."""
        chosen = found.get("permissions_choice")
        for name, choice in _POLICY_OF_CHOICE.items():
            if name in self.errors:
                continue
            if chosen == choice and not found.get(name):
                self.add_error(name, _("Fill this in, or choose another answer above."))
            elif chosen != choice and found.get(name):
                self.add_error(name, _("Choose this above, or empty the box."))
        for name in ("managed_policy", "permissions_boundary"):
            if found.get(name) and found.get("permission_set"):
                found[name] = self._parsed_policy(name, found[name], found["permission_set"])

    def _parsed_policy(self, name: str, text: str, permission_set: PermissionSet) -> PolicyArn | None:
        try:
            return PolicyArn.parse(text, partition=Partition(permission_set.bastion.partition))
        except InvalidPolicyArn as error:
            self.add_error(name, sentence(error))
            return None

    def permissions(self) -> Permissions:
        """As far as the form is filled in; what was refused counts as nothing."""
        found = self.cleaned_data
        return Permissions(
            managed_policy=found.get("managed_policy") or None,
            document=found.get("permissions_policy") or None,
            boundary=found.get("permissions_boundary") or None,
        )

    @property
    def role_details(self) -> RoleDetails:
        names = (
            "role_name",
            "profile_name",
            "purpose",
            "permissions_wanted",
            "permission_set",
            "region",
            "console_access",
        )
        return RoleDetails(
            role_path=self.cleaned_data["role_path"] or "/",
            permissions=self.permissions(),
            tags=self.cleaned_data["tags"] or {},
            trust_style=TrustStyle(self.cleaned_data["trust_style"]),
            **{name: self.cleaned_data[name] for name in names},
        )

    @staticmethod
    def of_role(role: ExternalRole) -> dict[str, Any]:
        values = {name: getattr(role, name, None) for name in RoleForm.base_fields}
        return {
            **values,
            "permission_set": role.permission_set.uuid,
            "permissions_choice": _choice_of(role),
            "role_path": role.role_path.removeprefix("/"),
            "tags": "\n".join(role.tag_lines),
        }


_POLICY_OF_CHOICE = {
    "managed_policy": PermissionsChoice.MANAGED,
    "permissions_policy": PermissionsChoice.DOCUMENT,
}


def _choice_of(role: ExternalRole) -> PermissionsChoice:
    filled = (choice for name, choice in _POLICY_OF_CHOICE.items() if getattr(role, name))
    return next(filled, PermissionsChoice.PARTNER)


class AccountAndRoleForm(AccountForm, RoleForm):
    """A further account of a partner, with its first role."""

    field_of: ClassVar[dict[type[OnboardingError] | str, str]] = {**RoleForm.field_of, **AccountForm.field_of}
    field_order = (*AccountForm.base_fields, *RoleForm.field_order)


class RegisterForm(PartnerForm, AccountAndRoleForm):
    """All of it in one go."""

    field_of: ClassVar[dict[type[OnboardingError] | str, str]] = {
        **AccountAndRoleForm.field_of,
        **PartnerForm.field_of,
    }
    field_order = (*PartnerForm.base_fields, *AccountAndRoleForm.field_order)
