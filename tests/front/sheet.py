"""A page with every component, to be looked at and to be measured."""

from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

from django import forms
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.utils import timezone

from onboarding.core.probes import VerdictCode
from onboarding.core.states import State

HOSTILE = """</span><script>alert("1")</script>"""
POLICY = """{
  "Version": "2012-10-17",
  "Condition": {
    "StringEquals": {
      "sts:ExternalId": "tbi-7q2m-9xkd-41vn-hc8e"
    }
  }
}
"""
CONFIG = """# Willow Robotics: telemetry exports, 60 min
[profile willow-telemetry]
role_arn = arn:aws:iam::303040405050:role/HoshinoTelemetry
source_profile = hoshino-bastion
"""


class SheetForm(forms.Form):
    company = forms.CharField(label="Company name", help_text="A hint stands below")
    account = forms.CharField(label="AWS account ID", widget=forms.TextInput(attrs={"class": "mono"}))
    language = forms.ChoiceField(label="Language of their page", choices=[("en", "English"), ("ja", "日本語")])
    days = forms.ChoiceField(
        label="Link stays valid",
        choices=[("1", "1 day"), ("7", "7 days")],
        widget=forms.RadioSelect,
        help_text="It can be extended.",
    )
    remember = forms.BooleanField(label="Remember me", required=False)
    purpose = forms.CharField(label="Purpose", widget=forms.Textarea(attrs={"rows": 2}), required=False)

    def clean_account(self) -> str:
        raise forms.ValidationError(f"This has 11 digits; AWS account IDs have 12. {HOSTILE}")


def sheet(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    context = {
        "hostile": HOSTILE,
        "states": [(State.PROVEN, True), *((state, False) for state in State)],
        "verdicts": list(VerdictCode),
        "walk_facts": ["14 Apr, mio.tanabe", "14 Apr, opened 3 times", "16 Apr, d.varga (link)", HOSTILE],
        "counts": [58, 57, 54, 51, 46],
        "count_facts": ["2 this week", "1 link not sent"],
        "moments": [("Now", now), ("Soon", now - timedelta(minutes=12)), ("Long ago", now - timedelta(days=400))],
        "left": timedelta(hours=8, minutes=46),
        "policy": POLICY,
        "marks": {3: "hot", 4: "add", 5: "live", 6: "del", 7: "gap"},
        "config": CONFIG,
        "command": 'aws sts get-caller-identity --profile "<b>"\n',
        "form": SheetForm({"company": HOSTILE, "account": "30304040505", "language": "en"}),
        "filters": [
            SimpleNamespace(label="All", url="?", count=24, current=True),
            SimpleNamespace(label=HOSTILE, url="?state=unsafe&q=a", count=1, current=False),
            SimpleNamespace(label="Mine", url="?mine", count=None, current=False),
        ],
    }
    template = engines["django"].from_string((Path(__file__).parent / "templates" / "components.html").read_text())
    return HttpResponse(template.render(context, request))
