"""The request on a few sheets: enough for a reviewer to agree to, and the same as the policy says."""

import json
import re
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from onboarding.core import trust
from onboarding.core.trust import TrustStyle
from onboarding.models import ExternalRole, Invitation, PermissionSet
from onboarding.services import offboarding
from tests.factories import make_account, make_invitation, make_partner, make_permission_set, make_role
from tests.views.partner_pages import open_link

pytestmark = pytest.mark.django_db
SSO_ROLE = (
    "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/ap-northeast-1/"
    "AWSReservedSSO_PartnerAccess_0123456789abcdef"
)


@pytest.fixture
def role(db) -> ExternalRole:
    account = make_account(make_partner("Willow Robotics"), account_id="303040405050")
    return make_role(
        account, role_name="HoshinoTelemetry", purpose="Read telemetry.", permissions_wanted="s3:GetObject on exports"
    )


def summary(invitation: Invitation) -> str:
    return reverse("onboarding:partners:summary", args=[invitation.uuid])


def sheet(invitation: Invitation, name: str) -> str:
    return reverse("onboarding:partners:sheet", args=[invitation.uuid, name])


def read(client, invitation: Invitation) -> str:
    answer = client.get(summary(invitation))
    assert answer.status_code == 200
    return " ".join(unescape(re.sub(r"<[^>]+>", "", answer.text)).split())


def test_a_reviewer_reads_all_that_there_is_to_agree_to(client, role):
    invitation = open_link(client, role)
    text = read(client, invitation)
    for told in (
        "Hoshino Trading asks Willow Robotics for access to the AWS account 3030 4040 5050",
        f"Alice Admin made this request on {invitation.issued_at:%-d %B %Y}",
        f"its number is {invitation.reference}",
        "Your contact is Mio Tanabe: cloud@hoshino.example",
        "“Read telemetry.”",
        "AWSReservedSSO_PartnerAccess_????????????????",
        "arn:aws:iam::111122223333:role/tobiishi-validator",
        "which each ? stands for",
        "No IAM user, access key or password",
        "At most 60 minutes",
        "s3:GetObject on exports",
        "each for a session of 15 minutes that they drop at once",
        "give up every permission but reading this role’s own definition (iam:GetRole)",
        "whoever took over our validator role itself could enter with the permissions of the role",
        "Delete the role, or edit its trust policy",
        "The session has the person’s e-mail address as its name",
        "first.last@hoshino.example",
        "so they could change it",
        "who entered, not who was refused",
        "compare the request number, the account that enters and the purpose",
    ):
        assert told in text, told
    assert trust.policy_text(role.trust_policy).split("\n")[0] in text


def test_the_page_itself_names_the_arns_and_leads_to_the_summary(client, role):
    invitation = open_link(client, role)
    text = client.get(reverse("onboarding:partners:handoff", args=[invitation.uuid])).text
    assert summary(invitation) in text
    assert "<code>arn:aws:iam::111122223333:role/tobiishi-validator</code>" in text


def test_a_policy_that_names_the_role_itself_is_told_by_its_arn(client):
    make_permission_set()
    PermissionSet.objects.update(sso_role_arn=SSO_ROLE)
    role = make_role(trust_style=TrustStyle.EXACT_ROLE)
    text = read(client, open_link(client, role))
    assert f"{SSO_ROLE} and one validator role" in text
    assert "????" not in text
    assert "each ? stands for" not in text


def test_the_sheets_are_downloaded_as_they_are_shown(client, role):
    invitation = open_link(client, role)
    event = client.get(sheet(invitation, "cloudtrail-event.json"))
    assert event["Content-Disposition"] == 'attachment; filename="cloudtrail-event.json"'
    assert json.loads(event.text)["requestParameters"]["externalId"] == role.external_id
    for name in ("cloudtrail-lake.sql", "athena.sql"):
        answer = client.get(sheet(invitation, name))
        assert answer["Content-Type"] == "application/sql; charset=utf-8"
        assert "'arn:aws:iam::303040405050:role/HoshinoTelemetry'" in answer.text
        assert "'111122223333'" in answer.text
    assert client.get(sheet(invitation, "passwd")).status_code == 404


def test_a_query_finds_all_roles_of_the_account_and_no_other_partners(client, role):
    make_role(role.account, role_name="HoshinoReports")
    foreign = make_role()
    text = client.get(sheet(open_link(client, role), "athena.sql")).text
    assert "HoshinoTelemetry', 'arn:aws:iam::303040405050:role/HoshinoReports'" in text
    assert foreign.role_name not in text


def test_the_summary_holds_nothing_of_another_partner(client, role):
    other = make_invitation(make_role(role_name="SomebodyElses")).invitation
    assert client.get(summary(other)).status_code == 404
    assert "SomebodyElses" not in read(client, open_link(client, role))


def test_without_a_live_role_there_is_nothing_to_find(client, role, alice):
    invitation = open_link(client, role)
    offboarding.retire_role(ExternalRole.objects.get(), by=alice)
    assert "CloudTrail Lake" not in read(client, invitation)
    assert client.get(sheet(invitation, "athena.sql")).status_code == 404


def test_the_pages_cost_the_same_whatever_the_number_of_roles(client, role):
    invitation = open_link(client, role)
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            client.get(summary(invitation))
        counts.append(len(queries))
        for _ in range(3):
            make_role(role.account)
    assert counts[0] == counts[1]
