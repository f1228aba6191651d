"""The page behind the link: what a stranger reads, takes away and copies."""

import json
import re
from html import unescape
from urllib.parse import urlencode
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from onboarding.core import permissions_policy, trust
from onboarding.core.arns import Partition, PolicyArn
from onboarding.core.handoff import Form, Permissions, Way
from onboarding.core.states import State
from onboarding.core.trust import TrustStyle
from onboarding.models import ExternalRole, Invitation
from onboarding.services import offboarding
from tests.factories import make_account, make_checked_role, make_partner, make_returned_role, make_role
from tests.views.partner_pages import arn_of, form_of, of_role, open_link, page

pytestmark = pytest.mark.django_db


@pytest.fixture
def role(db) -> ExternalRole:
    account = make_account(make_partner("Willow Robotics"), account_id="303040405050")
    purpose, wanted = "Read robot telemetry.", "s3:GetObject on willow-telemetry-exports"
    return make_role(account, role_name="HoshinoTelemetry", purpose=purpose, permissions_wanted=wanted)


def read(client, invitation: Invitation, query: str = "") -> str:
    """As a person reads it: words without markup, one space between them."""
    answer = client.get(f"{page(invitation)}{query}")
    assert answer.status_code == 200
    return " ".join(unescape(re.sub(r"<[^>]+>", "", answer.text)).split())


def figure(client, invitation: Invitation, name: str, query: str = "") -> str:
    """What is copied out of the figure with this caption."""
    text = client.get(f"{page(invitation)}{query}").text
    found = re.search(f'aria-label="{name}"><code>(.*?)</code>', text, re.DOTALL)
    assert found
    return unescape(re.sub(r"<[^>]+>", "", found[1]))


def test_the_page_says_who_asks_for_what_and_how_to_check_and_refuse(client, role):
    invitation = open_link(client, role)
    text = read(client, invitation)
    for told in (
        "Hoshino Trading asks for access to one of your AWS accounts",
        "For Willow Robotics, AWS account 3030 4040 5050",
        "“Read robot telemetry.”",
        "s3:GetObject on willow-telemetry-exports",
        "the PartnerAccess permission set in its account 1111 2222 3333",
        "an external ID made for this role only",
        "At most 60 minutes",
        "give up every permission but reading this role’s own definition",
        "Delete the role, or edit its trust policy",
        "in your CloudTrail as AssumeRole from 1111 2222 3333",
        invitation.reference,
        "Alice Admin",
        "Then do nothing. Without a role in your account, nobody can enter.",
        "cloud@hoshino.example",
    ):
        assert told in text


def test_the_trust_policy_is_shown_and_downloaded_as_it_is_registered(client, role):
    invitation = open_link(client, role)
    expected = trust.policy_text(role.trust_policy)
    assert figure(client, invitation, "trust-policy-HoshinoTelemetry.json") == expected
    answer = client.get(of_role("trust_policy", invitation, role))
    assert answer.text == expected
    assert answer["Content-Disposition"] == 'attachment; filename="trust-policy-HoshinoTelemetry.json"'
    assert answer["Content-Type"].startswith("application/json")
    assert json.loads(answer.text)["Statement"][0]["Condition"]["StringEquals"] == {"sts:ExternalId": role.external_id}


def test_the_line_with_the_external_id_is_marked(client, role):
    text = client.get(page(open_link(client, role))).text
    marked = re.findall(r'class="l live"[^>]*>(.*?)\n', text)
    assert len(marked) == 1
    assert role.external_id in marked[0]


@pytest.mark.parametrize("form", Form)
@pytest.mark.parametrize("way", Way)
def test_each_form_is_downloaded_as_it_is_shown(client, role, form, way):
    invitation = open_link(client, role)
    answer = client.get(form_of(form, invitation, role, way))
    name = re.fullmatch(r'attachment; filename="(.+)"', answer["Content-Disposition"])[1]
    assert name.startswith("make-HoshinoTelemetry" if way is Way.CREATE else "change-HoshinoTelemetry")
    assert role.external_id in answer.text
    assert figure(client, invitation, name, query=f"?of={role.uuid}&way={way}") == answer.text


def test_the_forms_carry_the_request_and_what_is_asked_for(client):
    permissions = Permissions(
        managed_policy=PolicyArn.parse("ReadOnlyAccess", partition=Partition.AWS),
        boundary=PolicyArn.parse("arn:aws:iam::303040405050:policy/Limits", partition=Partition.AWS),
    )
    account = make_account(account_id="303040405050")
    role = make_role(account, permissions=permissions, role_path="/partners/", tags={"items": "a", "team": "b c"})
    invitation = open_link(client, role)
    bash = client.get(form_of(Form.BASH, invitation, role)).text
    for told in (
        f"--description='Made for the request {invitation.reference}'",
        "--path=/partners/",
        "--policy-arn=arn:aws:iam::aws:policy/ReadOnlyAccess",
        "--permissions-boundary=arn:aws:iam::303040405050:policy/Limits",
        '"Value": "b c"',
    ):
        assert told in bash
    text = read(client, invitation)
    for told in (
        "choose the policy ReadOnlyAccess, or one that allows less",
        "Use a permissions boundary and Limits",
        "items=a, team=b c",
        "The console makes no role under a path, and we ask for /partners/",
    ):
        assert told in text
    assert "Then attach the permissions" not in text


def test_a_policy_of_our_own_is_shown_in_the_console_steps_and_downloaded(client):
    document = permissions_policy.parse(
        '{"Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::x/*"}}'
    )
    role = make_role(role_name="HoshinoTelemetry", permissions=Permissions(document=document))
    invitation = open_link(client, role)
    answer = client.get(of_role("permissions_policy", invitation, role))
    assert json.loads(answer.text) == document
    assert answer["Content-Disposition"] == 'attachment; filename="permissions-HoshinoTelemetry.json"'
    assert figure(client, invitation, "permissions-HoshinoTelemetry.json") == answer.text


def test_whoever_has_the_role_already_gets_forms_that_change_its_trust_policy(client, role):
    invitation = open_link(client, role)
    assert 'name="existing"' not in client.get(page(invitation)).text
    text = client.get(f"{page(invitation)}?of={role.uuid}&way=change").text
    assert 'name="existing"' in text
    assert "change-HoshinoTelemetry.sh" in text
    named = client.get(f"{page(invitation)}?of={role.uuid}&way=change&existing=Their.Own").text
    assert "change-Their.Own.sh" in named
    link = unescape(re.search(r'href="([^"]*forms/bash/change[^"]*)"', named)[1])
    assert "role=Their.Own\n" in client.get(link).text


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("a'b", "The role name holds characters"),
        ("$(id)", "The role name holds characters"),
        ("arn:aws:iam::303040405050:user/x", "the ARN of an IAM user"),
        ("arn:aws:iam::999999999999:role/X", "account 9999 9999 9999"),
        ("arn:aws-cn:iam::303040405050:role/X", "partition aws-cn"),
    ],
)
def test_a_name_that_is_none_is_refused_beside_the_box(client, role, typed, words):
    invitation = open_link(client, role)
    query = f"?{urlencode({'of': role.uuid, 'way': 'change', 'existing': typed})}"
    answer = client.get(f"{page(invitation)}{query}")
    assert words in unescape(answer.text)
    assert "change-HoshinoTelemetry.sh" in answer.text
    assert client.get(f"{form_of(Form.BASH, invitation, role, Way.CHANGE)}{query}").status_code == 404


@pytest.mark.parametrize(
    "query", ["?of=x&way=y", "?of=&way=change", f"?of={UUID(int=1)}&way=change&existing=X", "?way=%00"]
)
def test_an_address_that_asks_for_nothing_here_shows_the_page_as_it_is(client, role, query):
    invitation = open_link(client, role)
    answer = client.get(f"{page(invitation)}{query}")
    assert answer.status_code == 200
    assert "make-HoshinoTelemetry.sh" in answer.text


@pytest.mark.parametrize(("form", "way"), [("console", "create"), ("bash", "delete"), ("x", "y")])
def test_a_form_that_does_not_exist_is_not_found(client, role, form, way):
    assert client.get(form_of(form, open_link(client, role), role, way)).status_code == 404


def test_for_a_returned_role_the_steps_change_its_trust_policy(client):
    role = make_returned_role(arn="")
    ExternalRole.objects.update(role_arn=f"arn:aws:iam::{role.account.account_id}:role/team/OwnName")
    invitation = open_link(client, role)
    text = read(client, invitation)
    assert "OwnName, Trust relationships, Edit trust policy" in text
    assert "Copy the policy that stands there into a file of your own" in text
    assert "Custom trust policy" not in text
    assert "role=OwnName\n" in client.get(form_of(Form.BASH, invitation, role, Way.CHANGE)).text
    assert "Custom trust policy" in read(client, invitation, query=f"?of={role.uuid}&way=create")


def test_a_policy_that_cannot_be_made_yet_leaves_the_page_standing(client, role):
    """The style names the SSO role itself, and nobody has found its ARN yet."""
    ExternalRole.objects.update(trust_style=TrustStyle.EXACT_ROLE)
    invitation = open_link(client, role)
    text = read(client, invitation)
    assert "Please wait with this role" in text
    assert "cloud@hoshino.example" in text
    for address in (of_role("trust_policy", invitation, role), form_of(Form.BASH, invitation, role)):
        assert client.get(address).status_code == 404


def test_a_role_for_the_console_says_that_people_enter_without_the_external_id(client):
    text = read(client, open_link(client, make_role(console_access=True)))
    assert "staff are let in by their permission set alone" in text
    assert "an external ID made for this role only" not in text


def test_each_role_of_the_account_has_its_own_part(client, role):
    second = make_role(role.account, role_name="HoshinoReports")
    text = read(client, open_link(client, role))
    for found in (role, second):
        assert f"Create the role {found.role_name}, in the form you like" in text
        assert f"Paste the ARN of {found.role_name}" in text
        assert found.external_id in text
    assert "You create 2 IAM roles" in text


def test_when_every_role_is_retired_nothing_is_asked_for(client, alice, role):
    invitation = open_link(client, role)
    role.refresh_from_db()
    offboarding.retire_role(role, by=alice)
    assert "Nothing is asked for at the moment" in read(client, invitation)


def test_more_roles_cost_no_more_queries(client, role):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(page(invitation)).status_code == 200
        return len(captured)

    invitation = open_link(client, role)
    make_checked_role(make_role(role.account))
    invitation = open_link(client, role)
    with_two = queries()
    for _ in range(4):
        make_checked_role(make_role(role.account))
    invitation = open_link(client, role)
    assert queries() == with_two


def test_what_people_typed_is_text_on_the_page(client):
    hostile = "<script>alert(1)</script>{{ 7|add:7 }}"
    account = make_account(make_partner(hostile), label=hostile)
    text = client.get(page(open_link(client, make_role(account, purpose=hostile, permissions_wanted=hostile)))).text
    assert "<script>alert" not in text
    assert hostile in unescape(text)


def test_nothing_on_the_page_comes_from_elsewhere(client, role):
    text = client.get(page(open_link(client, role))).text
    addresses = re.findall(r'(?:src|href|action|hx-get|hx-post)="([^"]+)"', text)
    assert addresses
    assert [found for found in addresses if not found.startswith(("/", "#", "mailto:"))] == []
    assert " style=" not in text


def test_copying_is_told_once(client, role):
    invitation = open_link(client, role)
    copied = reverse("onboarding:partners:copied", args=[invitation.uuid])
    assert f'data-copied-url="{copied}"' in client.get(page(invitation)).text
    assert client.get(copied).status_code == 405
    assert client.post(copied).status_code == 204
    first = Invitation.objects.get().copied_at
    client.post(copied)
    assert first
    assert Invitation.objects.get().copied_at == first


def test_the_sandboxs_console_is_linked_only_in_the_sandbox(client, role, settings):
    invitation = open_link(client, role)
    settings.SANDBOX_CONSOLE_URL = "http://127.0.0.1:9000/console/"
    assert "127.0.0.1:9000" not in client.get(page(invitation)).text
    settings.SANDBOX = True
    address = "http://127.0.0.1:9000/console/create?account=303040405050&amp;role=HoshinoTelemetry"
    assert address in client.get(page(invitation)).text
    ExternalRole.objects.update(role_arn=arn_of(role), state=State.RETURNED, next_check_at=timezone.now())
    assert 'href="http://127.0.0.1:9000/console/303040405050/"' in client.get(page(invitation)).text


def test_the_page_speaks_the_partners_language_until_the_reader_chooses_another(client):
    invitation = open_link(client, make_role(make_account(make_partner(language="ja"))))
    assert '<html lang="ja"' in client.get(page(invitation), headers={"accept-language": "en"}).text
    client.cookies["django_language"] = "en"
    assert '<html lang="en"' in client.get(page(invitation)).text


def test_where_no_language_was_noted_the_page_speaks_as_the_browser_does(client):
    invitation = open_link(client, make_role(make_account(make_partner(language=""))))
    for accepted in ("ja", "en"):
        answer = client.get(page(invitation), headers={"accept-language": accepted})
        assert f'<html lang="{accepted}"' in answer.text
        assert answer["Content-Language"] == accepted
    client.cookies["django_language"] = "ja"
    assert '<html lang="ja"' in client.get(page(invitation), headers={"accept-language": "en"}).text


def test_the_language_that_is_said_in_the_header_is_that_of_the_page(client):
    invitation = open_link(client, make_role(make_account(make_partner(language="ja"))))
    assert client.get(page(invitation), headers={"accept-language": "en"})["Content-Language"] == "ja"
