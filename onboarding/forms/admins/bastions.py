"""The bastion account, its permission sets, and the validator role."""

from typing import Any, ClassVar

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from onboarding.core.arns import Partition
from onboarding.core.awsconfig import DEFAULT_TEMPLATE
from onboarding.core.bastion import PermissionSetPolicyStyle
from onboarding.core.errors import OnboardingError, WrongAccount, WrongPartition
from onboarding.forms.admins.base import ServiceForm, mono
from onboarding.forms.fields import (
    AccountIdField,
    PermissionSetNameField,
    PlainLineField,
    ProfileNameField,
    ProfileTemplateField,
    RegionField,
    RoleArnField,
)
from onboarding.models import Bastion
from onboarding.services.bastions import BastionDetails, BastionInUse, UnfitControls, UnfitStranger


class BastionForm(ServiceForm):
    field_of: ClassVar[dict[type[OnboardingError] | str, str]] = {
        "bastion": "account_id",
        WrongAccount: "validator_role_arn",
        WrongPartition: "validator_role_arn",
        BastionInUse: "account_id",
        UnfitControls: "open_control_role_arn",
        UnfitStranger: "stranger_role_arn",
    }

    name = PlainLineField(label=_("Name"), max_length=100, help_text=_("How admins call it, for example “Bastion”."))
    partition = forms.ChoiceField(
        label=_("AWS partition"),
        choices=[(partition, partition) for partition in Partition],
        help_text=_("“aws” unless you work in GovCloud, China or another separate AWS."),
    )
    account_id = AccountIdField(
        label=_("Account ID of the bastion"),
        widget=mono(inputmode="numeric"),
        help_text=_("Our own account, into which employees sign in. It should hold nothing else."),
    )
    validator_role_arn = RoleArnField(
        label=_("ARN of the validator role"),
        widget=mono(),
        help_text=_("As this role the worker tries the partners' doors. Its policies stand on the bastion's page."),
    )
    worker_is_validator = forms.BooleanField(
        label=_("The worker runs as the validator role already"),
        required=False,
        help_text=_("Then it does not assume the role a second time."),
    )
    region = RegionField(
        label=_("Region for STS"), widget=mono(), help_text=_("From where we ask AWS, for example ap-northeast-1.")
    )
    sso_start_url = forms.URLField(
        label=_("Start URL of IAM Identity Center"),
        max_length=300,
        assume_scheme="https",
        widget=mono(inputmode="url"),
        help_text=_("Identity Center, Settings, “AWS access portal URL”: https://d-….awsapps.com/start"),
    )
    sso_region = RegionField(
        label=_("Region of IAM Identity Center"), widget=mono(), help_text=_("Shown on the same Settings page.")
    )
    sso_session_name = ProfileNameField(
        label=_("Name of the SSO session"),
        widget=mono(),
        help_text=_("In ~/.aws/config, [sso-session …]. Short and lower case, for example hoshino."),
    )
    profile_template = ProfileTemplateField(
        label=_("Template for profile names"),
        initial=DEFAULT_TEMPLATE,
        required=False,
        widget=mono(),
        help_text=_("Of {partner}, {role} and {account}, with letters, digits, - and _ between. For new roles."),
    )
    organization_id = forms.CharField(
        label=_("ID of our AWS organization"),
        max_length=34,
        required=False,
        widget=mono(),
        validators=[RegexValidator(r"\Ao-[a-z0-9]{10,32}\Z", _("An organization's ID looks like o-a1b2c3d4e5."))],
        help_text=_("If known, the validator role is kept out of all our own accounts, not of the bastion alone."),
    )

    open_control_role_arn = RoleArnField(
        label=_("ARN of the control role that asks for no external ID"),
        required=False,
        widget=mono(),
        help_text=_(
            "In another account of yours. Where it does not open, a denial is our own trouble and no partner's."
        ),
    )
    asking_control_role_arn = RoleArnField(
        label=_("ARN of the control role that asks for one"),
        required=False,
        widget=mono(),
        help_text=_(
            "There too. Where it opens without one, no denial counts. Their policies stand on the bastion's page."
        ),
    )
    stranger_role_arn = RoleArnField(
        label=_("ARN of the stranger"),
        required=False,
        widget=mono(),
        help_text=_(
            "A role of the bastion account that no partner is told of. A partner's role that lets it in is unsafe."
        ),
    )

    @property
    def bastion_details(self) -> BastionDetails:
        partition = Partition(self.cleaned_data["partition"])
        template = self.cleaned_data["profile_template"] or DEFAULT_TEMPLATE
        return BastionDetails(**{**self.cleaned_data, "partition": partition, "profile_template": template})

    @staticmethod
    def initial_of(bastion: Bastion) -> dict[str, Any]:
        return {name: getattr(bastion, name) for name in BastionForm.base_fields}


_STYLES = [
    (PermissionSetPolicyStyle.EXACT, _("Exact: only the roles that partners returned")),
    (PermissionSetPolicyStyle.SIMPLE, _("Simple: never has to be changed, and opens more")),
]


class PermissionSetForm(ServiceForm):
    field_of: ClassVar[dict[type[OnboardingError] | str, str]] = {"permission_set": "name"}

    name = PermissionSetNameField(
        label=_("Name of the permission set"),
        widget=mono(),
        help_text=_("Exactly as in IAM Identity Center, for example PartnerAccess."),
    )
    style = forms.ChoiceField(
        label=_("Its policy"), choices=_STYLES, initial=PermissionSetPolicyStyle.EXACT, widget=forms.RadioSelect
    )


class PolicyStyleForm(ServiceForm):
    style = forms.ChoiceField(label=_("Its policy"), choices=_STYLES, widget=forms.RadioSelect)


class WorkerForm(ServiceForm):
    """Asked by GET: nothing is stored."""

    worker_arn = RoleArnField(
        label=_("ARN of the worker's role"),
        widget=mono(),
        help_text=_("The identity with which the worker runs, for example the role of its EC2 instance or ECS task."),
    )
