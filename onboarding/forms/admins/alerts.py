"""Where alerts go."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from onboarding.core.webhooks import WebhookUrl
from onboarding.forms.admins.base import mono
from onboarding.forms.fields import ParsedField


class AlertMailForm(forms.Form):
    mails_admins = forms.BooleanField(label=_("Mail alerts to every platform admin"), required=False)


class WebhookField(ParsedField[WebhookUrl]):
    def __init__(self, **options: Any) -> None:
        super().__init__(lambda text: WebhookUrl.parse(text, sandbox=settings.SANDBOX), max_length=1000, **options)


class WebhookForm(forms.Form):
    url = WebhookField(
        label=_("Webhook URL"),
        widget=mono(inputmode="url", placeholder="https://hooks.example.com/…"),
        help_text=_("https to a public address. Slack, Mattermost and receivers like them show its text as it is."),
    )
