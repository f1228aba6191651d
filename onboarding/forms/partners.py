"""What a partner pastes, and which form they choose."""

from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from onboarding import messages
from onboarding.core.arns import Partition, RoleArn, parse_role_name
from onboarding.core.errors import InvalidReply, InvalidRoleArn, OnboardingError, WrongAccount, WrongPartition
from onboarding.core.handoff import Way, returned
from onboarding.forms.fields import ParsedField, RecipientCodeField
from onboarding.models import ExternalAccount, ExternalRole
from onboarding.services.diagnosis import LONGEST_PASTE, PasteTooLong

# A line break is two characters on its way here.
_LONGEST_KEPT = 2 * LONGEST_PASTE


class ReturnedField(ParsedField[returned.Returned]):
    def __init__(self, **options: Any) -> None:
        super().__init__(returned.parse, max_length=returned.LONGEST, **options)


class ReturnForm(forms.Form):
    role_arn = ReturnedField(
        label=_("Role ARN, or the reply"),
        widget=forms.Textarea(
            {"rows": 2, "class": "mono", "spellcheck": "false", "autocomplete": "off", "autocapitalize": "off"}
        ),
    )

    def __init__(self, role: ExternalRole, pasted: QueryDict | None = None) -> None:
        # Shown again is what was pasted, but no more of it than an answer could ever need.
        kept = None if pasted is None else {"role_arn": pasted.get("role_arn", "")[: returned.LONGEST + 1]}
        super().__init__(kept, initial={"role_arn": role.role_arn}, auto_id=f"arn-{role.uuid}-%s")
        account = role.account
        field = self.fields["role_arn"]
        if kept is not None:
            # Shown again only where it was refused: the reader lands where the reason stands.
            field.widget.attrs["autofocus"] = True
        field.help_text = _(
            "Not a secret. It starts with arn:%(partition)s:iam::%(account)s:role/ (or paste CloudShell’s reply, the "
            "outputs of the stack, or what get-role prints)"
        ) % {"partition": account.partition, "account": account.account_id}
        field.error_messages |= {
            "required": messages.sentence(InvalidRoleArn("empty", "")),
            "max_length": messages.sentence(InvalidReply("too_long")),
            "null_characters_not_allowed": messages.sentence(InvalidRoleArn("control_character", "")),
        }


class FormsChoice(forms.Form):
    """Asked by GET: the forms for a new role, or for one that is there; nothing is stored."""

    of = forms.UUIDField(required=False)
    way = forms.ChoiceField(choices=[(way, way) for way in Way], required=False)
    existing = forms.CharField(
        label=_("Name or ARN of the role that is there"),
        max_length=600,
        required=False,
        widget=forms.TextInput(
            {"class": "mono", "spellcheck": "false", "autocomplete": "off", "autocapitalize": "off"}
        ),
    )

    def __init__(self, asked: QueryDict, account: ExternalAccount) -> None:
        super().__init__(asked, auto_id="existing-%s")
        self._account = account

    def clean_existing(self) -> RoleArn | None:
        text = self.cleaned_data["existing"]
        if not text:
            return None
        try:
            return self._arn(text)
        except OnboardingError as error:
            raise forms.ValidationError(messages.sentence(error)) from error

    def _arn(self, text: str) -> RoleArn:
        account = self._account
        if not text.startswith("arn:"):
            return RoleArn(Partition(account.partition), account.number, "/", parse_role_name(text))
        arn = RoleArn.parse(text)
        if arn.partition != account.partition:
            raise WrongPartition(expected=account.partition, found=arn.partition)
        if arn.account_id != account.account_id:
            raise WrongAccount(expected=account.account_id, found=arn.account_id)
        return arn


class TrustPolicyForm(forms.Form):
    trust_policy = forms.CharField(
        label=_("Trust policy"),
        help_text=_(
            "The policy itself, the whole output of aws iam get-role, or the JSON part of a CloudFormation or "
            "Terraform file. We keep the policy alone, so that both sides see the same."
        ),
        strip=False,
        widget=forms.Textarea(
            {"class": "mono", "rows": 7, "spellcheck": "false", "autocomplete": "off", "autocapitalize": "off"}
        ),
        error_messages={
            "required": _("Paste the trust policy first: in IAM, open the role, then “Trust relationships”."),
            "null_characters_not_allowed": _("The text holds a character that cannot be seen. Copy it again from IAM."),
        },
    )

    def __init__(self, role: ExternalRole, pasted: QueryDict | None = None) -> None:
        kept = None if pasted is None else {"trust_policy": pasted.get("trust_policy", "")[:_LONGEST_KEPT]}
        super().__init__(kept, auto_id=f"trust-{role.uuid}-%s")

    def clean_trust_policy(self) -> str:
        """Its size is looked at before anything else; cut short it would be another policy."""
        text: str = self.cleaned_data["trust_policy"].replace("\r\n", "\n")
        if len(text) > LONGEST_PASTE:
            raise forms.ValidationError(messages.sentence(PasteTooLong()), code="too_long")
        return text


class RecipientForm(forms.Form):
    code = RecipientCodeField(
        label=_("Code from the mail"),
        widget=forms.TextInput(
            {"class": "mono", "inputmode": "numeric", "autocomplete": "one-time-code", "spellcheck": "false"}
        ),
        help_text=_("Eight digits."),
        error_messages={"required": _("Type the eight digits of the newest mail.")},
    )
