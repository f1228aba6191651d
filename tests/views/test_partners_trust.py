"""The box for a trust policy: pasted at any time, told at once, kept only where it is a policy."""

import json
import re
from datetime import timedelta
from html import unescape

import pytest
import time_machine
from django.utils import timezone

from onboarding.core.probes import Outcome
from onboarding.core.trust import policy_text
from onboarding.models import ExternalRole, TrustReading
from onboarding.services.diagnosis import LONGEST_PASTE
from tests.factories import Door, check, make_checked_role, make_role
from tests.views.partner_pages import of_role, open_link, page
from tests.views.test_partners_verdict import HTMX, words

pytestmark = pytest.mark.django_db


@pytest.fixture
def role(db) -> ExternalRole:
    return make_role()


def paste_policy(client, invitation, role, text: str, **options):
    return client.post(of_role("check_trust", invitation, role), {"trust_policy": text}, **options)


def wrong_id(role) -> str:
    return policy_text(role.trust_policy).replace(role.external_id, "acme-1")


def figure(html: str, name: str) -> str:
    found = re.search(f'aria-label="{name}"><code>(.*?)</code>', html, re.DOTALL)
    assert found
    return found[1]


def test_before_anything_is_returned_a_wrong_line_is_named_marked_and_corrected(client, role):
    invitation = open_link(client, role)
    assert "Let us read the trust policy" in client.get(page(invitation)).text
    html = paste_policy(client, invitation, role, wrong_id(role)).text
    for told in (
        "This policy does not let us in.",
        "Our people not let in",
        "Whose turn Yours",
        "In the way , line 13 The external ID in the policy is not the one of this role: acme-1.",
        f"Set sts:ExternalId to {role.external_id}.",
    ):
        assert told in words(html)
    assert re.findall(r'class="l hot" data-n="13"', figure(html, "As we read it")) == ['class="l hot" data-n="13"']
    corrected = re.sub(r"<[^>]+>", "", figure(html, "Corrected trust policy"))
    assert json.loads(unescape(corrected)) == role.trust_policy


def test_what_we_gave_is_said_to_hold(client, role):
    html = paste_policy(client, open_link(client, role), role, policy_text(role.trust_policy)).text
    assert "This policy holds: it lets us in and keeps others out." in words(html)
    assert "In the way" not in words(html)


def test_the_output_of_get_role_is_read_and_its_own_lines_are_counted(client, role):
    document = json.loads(wrong_id(role))
    answer = {"Role": {"Path": "/", "RoleName": role.role_name, "AssumeRolePolicyDocument": document}}
    html = paste_policy(client, open_link(client, role), role, json.dumps(answer, indent=4)).text
    assert 'class="l hot" data-n="17"' in html
    assert "RoleName" not in figure(html, "As we read it")
    assert "RoleName" not in TrustReading.objects.get().text


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_lines_are_counted_as_the_reader_counts_them(client, role, line_end):
    text = line_end.join(wrong_id(role).splitlines())
    assert 'class="l hot" data-n="13"' in paste_policy(client, open_link(client, role), role, text).text


def test_what_is_not_json_is_shown_with_its_line_and_not_kept(client, role):
    html = paste_policy(client, open_link(client, role), role, "Dear all,\nthe role is made.").text
    assert "IAM would not save this as a trust policy." in words(html)
    assert "line 1, column 1" in words(html)
    assert "save the trust policy as we gave it" in words(html)
    assert not TrustReading.objects.exists()


def test_what_was_pasted_is_never_markup(client, role):
    attack = "<script>alert(1)</script>"
    document = json.loads(wrong_id(role))
    document["Statement"][0]["Sid"] = attack
    document["Statement"][0]["Condition"]["StringEquals"]["sts:ExternalId"] = f"</textarea>{attack}"
    invitation = open_link(client, role)
    for text in (json.dumps(document), f"{attack} is no policy", f"</textarea>{attack}"):
        assert attack not in paste_policy(client, invitation, role, text).text
        assert attack not in paste_policy(client, invitation, role, text, headers=HTMX).text
    assert attack not in client.get(page(invitation)).text


def test_with_htmx_only_the_findings_come_back_and_the_headline_is_announced(client, role):
    invitation = open_link(client, role)
    html = paste_policy(client, invitation, role, wrong_id(role), headers=HTMX).text
    assert "<html" not in html
    said = f'<p id="trust-said-{role.uuid}" hx-swap-oob="innerHTML">This policy does not let us in.</p>'
    assert said in html


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "Paste the trust policy first"),
        ("x" * (LONGEST_PASTE + 1), "more than 100,000 characters"),
        ("x" * (3 * LONGEST_PASTE), "more than 100,000 characters"),
        ("{}\x00", "a character that cannot be seen"),
    ],
)
@pytest.mark.parametrize("headers", [{}, HTMX])
def test_what_cannot_be_read_is_refused_with_a_reason(client, role, text, told, headers):
    answer = paste_policy(client, open_link(client, role), role, text, headers=headers)
    assert told in words(answer.text)
    assert not TrustReading.objects.exists()


def test_ten_megabytes_are_refused_before_they_are_read(client, role):
    answer = paste_policy(client, open_link(client, role), role, '"' * 10_000_000)
    assert answer.status_code == 400
    assert "far more text than we can read" in words(answer.text)


def test_a_failed_check_and_a_policy_are_told_together(client):
    role = make_checked_role(door=Door(with_external_id=Outcome.DENIED))
    invitation = open_link(client, role)
    with time_machine.travel(timezone.now() + timedelta(minutes=5)):
        check(role, Door(with_external_id=Outcome.DENIED))
        before = client.get(page(invitation)).text
        fragment = paste_policy(client, invitation, role, wrong_id(role), headers=HTMX).text
        after = client.get(page(invitation)).text
    assert "AWS does not say why" in words(before)
    assert '<details class="ask-doctor" id="trust-' in before
    assert f'id="verdict-{role.uuid}" hx-swap-oob="true"' in fragment
    for html in (fragment, after):
        assert "The external ID in the policy is not the one of this role: acme-1." in words(html)
        assert "says the trust policy that was pasted on" in words(html)
    assert "Pasted by the partner" in words(after)


def test_the_box_is_open_where_it_helps_and_closed_where_all_is_well(client):
    refused = make_checked_role(door=Door(without=Outcome.ENTERED))
    proven = make_checked_role()
    is_open = re.compile(r'class="ask-doctor" id="trust-[^"]*" open')
    assert is_open.search(client.get(page(open_link(client, refused))).text)
    assert not is_open.search(client.get(page(open_link(client, proven))).text)


def test_the_policy_that_the_role_let_us_read_is_shown_to_its_owner(client):
    saved = {"Version": "2012-10-17", "Statement": []}
    role = make_checked_role(door=Door(without=Outcome.ENTERED, trust_policy=json.dumps(saved)))
    assert "Read from IAM" in words(client.get(page(open_link(client, role))).text)


def test_without_a_form_the_address_leads_to_the_page(client, role):
    invitation = open_link(client, role)
    assert client.get(of_role("check_trust", invitation, role))["Location"].startswith(page(invitation))
