"""What an employee, or a computer of theirs, sends."""

from django import forms
from django.utils.translation import gettext_lazy as _

from onboarding.core import client_access, proof
from onboarding.forms.fields import ParsedField
from onboarding.services.computers import LoopbackRequest

_CODES = {"spellcheck": "false", "autocomplete": "off"}


class LoopbackForm(forms.Form):
    """What `portal-config login` put into the address; it goes on from the page as hidden fields."""

    computer = ParsedField(client_access.parse_computer, max_length=63, widget=forms.HiddenInput)
    loopback = ParsedField(client_access.parse_loopback, max_length=60, widget=forms.HiddenInput)
    state = ParsedField(client_access.parse_state, max_length=64, widget=forms.HiddenInput)
    challenge = ParsedField(client_access.parse_challenge, max_length=43, widget=forms.HiddenInput)

    @property
    def asked(self) -> LoopbackRequest:
        return LoopbackRequest(**self.cleaned_data)


class UserCodeForm(forms.Form):
    user_code = ParsedField(
        client_access.parse_user_code,
        max_length=40,
        label=_("Code from your terminal"),
        widget=forms.TextInput({"class": "mono", "autocapitalize": "characters", "placeholder": "BCDF-GHJK", **_CODES}),
    )


class DeviceForm(forms.Form):
    computer = ParsedField(client_access.parse_computer, max_length=63)


class CodeForm(forms.Form):
    """An authorization code, as the browser brought it, with what stayed on the computer."""

    code = forms.CharField(max_length=64)
    verifier = forms.RegexField(r"\A[A-Za-z0-9._~-]{43,128}\Z")
    loopback = ParsedField(client_access.parse_loopback, max_length=60)


class DeviceCodeForm(forms.Form):
    device_code = forms.CharField(max_length=64)


class ProofForm(forms.Form):
    nonce = forms.CharField(max_length=300, widget=forms.HiddenInput)
    pasted = forms.CharField(
        max_length=proof.MAX_PASTED,
        label=_("What the command printed"),
        help_text=_("All of it, or the token alone. It is used once, now, and kept nowhere."),
        widget=forms.Textarea({"class": "mono", "rows": 5, "autocapitalize": "off", **_CODES}),
    )
