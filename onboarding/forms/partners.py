"""What a partner pastes, and which form they choose."""

from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from onboarding import messages
from onboarding.core.arns import Partition, RoleArn, parse_role_name
from onboarding.core.errors import InvalidReply, InvalidRoleArn, OnboardingError, WrongAccount, WrongPartition
from onboarding.core.handoff import Way, returned
from onboarding.forms.fields import ParsedField
from onboarding.models import ExternalAccount, ExternalRole


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
