"""A click that fills in CloudFormation's page; and the download, where that cannot be."""

from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest

from onboarding.aws import AwsUnavailable
from onboarding.models import Invitation
from onboarding.services import quick_create
from tests.factories import make_account, make_role
from tests.views.partner_pages import of_role, open_link, page

pytestmark = pytest.mark.django_db
ADDRESS = "https://hoshino-templates.s3.amazonaws.com/x.yaml?X-Amz-Signature=0%2F1"
OPEN, UPLOAD = "Open in CloudFormation", "Upload a template file"


@pytest.fixture
def put(settings, monkeypatch) -> list[str]:
    """A bucket is set up; what was put there."""
    settings.TEMPLATE_BUCKET = "hoshino-templates"
    settings.TEMPLATE_BUCKET_REGION = "ap-northeast-1"
    found: list[str] = []
    monkeypatch.setattr(quick_create, "put_template", lambda _bucket, text: found.append(text) or ADDRESS)
    return found


@pytest.fixture
def role(db):
    return make_role(make_account(account_id="303040405050"), role_name="HoshinoTelemetry")


def test_a_click_puts_the_template_and_leads_to_the_console(client, role, put):
    invitation = open_link(client, role)
    assert OPEN in client.get(page(invitation)).text
    answer = client.post(of_role("create_stack", invitation, role))
    assert answer.status_code == 302
    target = urlsplit(answer["Location"])
    assert target.netloc == "ap-northeast-1.console.aws.amazon.com"
    asked = parse_qs(target.fragment.partition("?")[2])
    assert asked == {"templateURL": [ADDRESS], "stackName": ["HoshinoTelemetry"]}
    assert role.external_id in put[0]
    assert Invitation.objects.get().copied_at


def test_a_get_puts_nothing(client, role, put):
    invitation = open_link(client, role)
    assert client.get(of_role("create_stack", invitation, role)).status_code == 302
    assert put == []


def test_in_the_sandbox_it_leads_to_the_sandboxs_own_console(client, role, put, settings):
    settings.SANDBOX = True
    settings.SANDBOX_CONSOLE_URL = "http://127.0.0.1:9000/console/"
    target = urlsplit(client.post(of_role("create_stack", open_link(client, role), role))["Location"])
    assert (target.netloc, target.path) == ("127.0.0.1:9000", "/console/stacks/create/review")
    assert parse_qs(target.query)["account"] == ["303040405050"]


def test_without_a_bucket_the_template_is_downloaded(client, role):
    invitation = open_link(client, role)
    text = client.get(page(invitation)).text
    assert OPEN not in text
    assert UPLOAD in text
    answer = client.post(of_role("create_stack", invitation, role))
    assert answer["Location"].startswith(page(invitation))


@pytest.mark.parametrize("region", ["cn-north-1", "us-gov-west-1"])
def test_a_bucket_of_another_partition_is_not_offered(client, role, put, settings, region):
    settings.TEMPLATE_BUCKET_REGION = region
    invitation = open_link(client, role)
    assert OPEN not in client.get(page(invitation)).text
    client.post(of_role("create_stack", invitation, role))
    assert put == []


def test_a_link_longer_than_the_console_takes_is_not_followed(client, role, put, settings):
    settings.TEMPLATE_URL_LIMIT = len(ADDRESS) - 1
    assert UPLOAD in _said_in_place_of_a_link(client, role)


def test_a_bucket_that_is_away_costs_the_click_and_no_more(client, role, put, monkeypatch):
    def away(*_: object) -> str:
        raise AwsUnavailable("SlowDown", where="put_template")

    monkeypatch.setattr(quick_create, "put_template", away)
    text = _said_in_place_of_a_link(client, role)
    assert "could not be filled in this time" in text
    assert "SlowDown" not in text


def _said_in_place_of_a_link(client, role) -> str:
    """On the page itself, with the panel open in which the template stands."""
    answer = client.post(of_role("create_stack", open_link(client, role), role))
    assert answer.status_code == 200
    assert not Invitation.objects.get().copied_at
    checked = answer.text.split("checked>", 1)[1]
    assert checked.startswith("CloudFormation")
    assert OPEN not in answer.text
    return unescape(answer.text)
