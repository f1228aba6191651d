"""How a hand-off link goes out."""

from django import forms
from django.utils.translation import gettext_lazy as _

MAIL, COPY = "mail", "copy"


class LinkForm(forms.Form):
    """`current` is the link that the admin saw, so that a double click does not end the one just made."""

    current = forms.CharField(required=False, max_length=36)
    verify_recipient = forms.BooleanField(required=False, label=_("Ask whoever opens it for a code from their mail"))
    by = forms.ChoiceField(choices=[(MAIL, MAIL), (COPY, COPY)])
