"""Returning the role: what is taken, what is refused and in which words."""

import threading
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from onboarding.core.handoff import Form
from onboarding.core.states import State
from onboarding.models import AuditEvent, ExternalRole, Validation
from onboarding.services import offboarding
from tests.factories import make_account, make_checked_role, make_returned_role, make_role
from tests.views.partner_pages import arn_of, form_of, of_role, open_link, page, paste

pytestmark = pytest.mark.django_db


def refused(answer) -> str:
    """What the page says at the field, in place of a redirect."""
    assert answer.status_code == 200
    return unescape(answer.text.split('class="oops"', 1)[1].split("</p>", 1)[0])


@pytest.fixture
def role(db) -> ExternalRole:
    return make_role(make_account(account_id="303040405050"), role_name="HoshinoTelemetry")


def test_a_good_arn_is_saved_and_the_reader_stands_before_the_verdict(client, role):
    invitation = open_link(client, role)
    answer = paste(client, invitation, role, f"  {arn_of(role)}\r\n")
    assert (answer.status_code, answer["Location"]) == (302, f"{page(invitation)}#return-{role.uuid}")
    role.refresh_from_db()
    assert (role.state, role.role_arn) == (State.RETURNED, arn_of(role))
    assert "Saved. The check waits for its turn." in client.get(page(invitation)).text


@pytest.mark.parametrize(
    ("pasted", "words"),
    [
        ("", "Paste the ARN of the role"),
        ("   ", "Paste the ARN of the role"),
        ("HoshinoTelemetry", "This is not an ARN."),
        ("arn:aws:sts::303040405050:assumed-role/HoshinoTelemetry/me", "a session that assumed a role"),
        ("arn:aws:iam::303040405050:user/mio", "the ARN of an IAM user"),
        ("arn:aws:iam::303040405050:group/admins", "the ARN of an IAM group"),
        ("arn:aws:iam::303040405050:root", "the ARN of a whole account"),
        ("arn:aws:iam::303040405050:instance-profile/web", "the ARN of an instance profile"),
        ("arn:aws:iam::303040405050:policy/Read", "the ARN of a policy"),
        ("arn:aws:s3:::willow-telemetry-exports", "something else than an IAM role"),
        ("arn:aws-moon:iam::303040405050:role/X", "an AWS partition that does not exist"),
        ("arn:aws:iam::30304040505:role/X", "has not twelve digits"),
        ("arn:aws:iam::303040405050:role/a b/X", "The path in this ARN"),
        ("arn:aws:iam::303040405050:role/" + "x" * 65, "The role name holds characters"),
        ("arn:aws:iam::303040405050:role/aws-service-role/X", "belongs to AWS itself"),
        ("arn:aws:iam::303040405050:role/aws-reserved/sso.amazonaws.com/X", "belongs to AWS itself"),
        ("arn:aws:iam::303040405050:role/X\x07", "a character that cannot be seen"),
        ("arn:aws:iam::303040405050:role/X\x00", "a character that cannot be seen"),
        ("arn:aws:iam::303040405050:role/\u202eX", "a character that cannot be seen"),
        ("x" * 3000, "This is not an ARN."),
        ("x" * 30_000, "longer than any answer of AWS about one role"),
        ("-----BEGIN TOBIISHI REPLY-----", "A part of this is missing"),
        ('{"Role": {}}', "There is no ARN of a role in this"),
        ("of arn:aws:iam::303040405050:role/A and arn:aws:iam::303040405050:role/B", "more than one role in this"),
        ("arn:aws:iam::111122223333:role/X", "the bastion account itself"),
        ("arn:aws-cn:iam::303040405050:role/X", "partition aws-cn, the account is of aws"),
        ("arn:aws:iam::999999999999:role/X", "account 9999 9999 9999. Wanted is a role in account 3030 4040 5050"),
    ],
)
def test_what_is_no_role_of_this_account_is_refused_in_its_own_words(client, role, pasted, words):
    answer = paste(client, open_link(client, role), role, pasted)
    assert words in refused(answer)
    assert not Validation.objects.exists()
    role.refresh_from_db()
    assert role.role_arn == ""


def test_what_was_pasted_is_shown_again_as_text_and_no_more_of_it_than_an_answer_needs(client, role):
    invitation = open_link(client, role)
    hostile = '"><script>alert(1)</script>'
    answer = paste(client, invitation, role, hostile)
    assert "<script>alert" not in answer.text
    assert hostile in unescape(answer.text)
    assert "autofocus" in answer.text
    assert "x" * 20_002 not in paste(client, invitation, role, "x" * 100_000).text


def test_the_arn_of_another_role_is_taken(client, role):
    other = make_returned_role(make_role(role.account))
    answer = paste(client, open_link(client, role), role, other.role_arn)
    assert "returned for another role already" in refused(answer)


def test_a_suspended_role_takes_nothing(client, alice):
    role = make_checked_role()
    invitation = open_link(client, role)
    offboarding.suspend_role(role, by=alice)
    assert "this role is not wanted at the moment" in paste(client, invitation, role, arn_of(role, "Other")).text
    role.refresh_from_db()
    assert (role.state, role.offered_arn) == (State.SUSPENDED, "")
    assert 'name="role_arn"' not in client.get(page(invitation)).text


def test_a_reload_of_a_refused_page_leads_back_to_the_page(client, role):
    invitation = open_link(client, role)
    for name in ("return", "check"):
        assert client.get(of_role(name, invitation, role))["Location"].startswith(page(invitation))


def test_the_arn_may_be_replaced_until_the_role_is_proven(client, role):
    invitation = open_link(client, role)
    paste(client, invitation, role, arn_of(role))
    paste(client, invitation, role, arn_of(role, "Better"))
    role.refresh_from_db()
    assert role.role_arn == arn_of(role, "Better")
    assert "You may replace the ARN" in client.get(page(invitation)).text


def test_another_arn_for_a_proven_role_is_an_offer_and_the_page_says_so(client):
    role = make_checked_role()
    invitation = open_link(client, role)
    shown = client.get(page(invitation)).text
    assert "has to agree to another one" in shown
    paste(client, invitation, role, arn_of(role, "Other"))
    role.refresh_from_db()
    assert (role.state, role.offered_arn) == (State.PROVEN, arn_of(role, "Other"))
    assert f"You offered <code>{arn_of(role, 'Other')}</code>" in client.get(page(invitation)).text


def test_the_same_twice_is_one_submission(client, role):
    invitation = open_link(client, role)
    for _ in range(2):
        assert paste(client, invitation, role, arn_of(role)).status_code == 302
    assert Validation.objects.count() == 1
    assert AuditEvent.objects.filter(action="role_returned").count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_at_once_are_one_submission():
    role = make_role()
    clients = [Client(), Client()]
    invitation = open_link(clients[0], role)
    clients[1].cookies = clients[0].cookies
    start, answered = threading.Barrier(2), []

    def submit(client: Client) -> None:
        start.wait()
        answered.append(paste(client, invitation, role, arn_of(role)).status_code)
        connection.close()

    threads = [threading.Thread(target=submit, args=[client]) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answered == [302, 302]
    assert Validation.objects.count() == 1
    assert AuditEvent.objects.filter(action="role_returned").count() == 1


def test_a_link_reaches_no_other_partners_role(client, role):
    own, other = open_link(client, role), make_returned_role()
    addresses = [of_role(name, own, other) for name in ("return", "check", "verdict", "trust_policy", "create_stack")]
    for address in [*addresses, *(form_of(form, own, other) for form in Form)]:
        assert client.get(address).status_code == 404
        assert client.post(address, {"role_arn": arn_of(other, "Stolen")}).status_code in {404, 405}
    other.refresh_from_db()
    assert other.role_arn == arn_of(other)
    assert other.external_id not in client.get(page(own)).text


def test_without_the_link_nothing_is_taken(client, role):
    invitation = open_link(Client(), role)
    for name in ("return", "check"):
        assert client.post(of_role(name, invitation, role), {"role_arn": arn_of(role)}).status_code == 404
    role.refresh_from_db()
    assert role.state == State.INVITED


def test_after_the_link_has_expired_nothing_is_taken(client, role):
    invitation = open_link(client, role)
    type(invitation).objects.update(expires_at=timezone.now())
    assert paste(client, invitation, role, arn_of(role)).status_code == 410
    role.refresh_from_db()
    assert role.state == State.INVITED


def test_the_form_is_guarded_against_other_sites(role):
    guarded = Client(enforce_csrf_checks=True)
    invitation = open_link(guarded, role)
    assert paste(guarded, invitation, role, arn_of(role)).status_code == 403
    role.refresh_from_db()
    assert role.role_arn == ""
