"""Where the admin wants to know the recipient: a code from the registered address comes before the page."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from onboarding.core.handoff import Form
from onboarding.models import Invitation, Mail
from onboarding.services import delivery, invitations
from tests.factories import make_invitation, make_returned_role
from tests.views.partner_pages import form_of, link, of_role, page

pytestmark = pytest.mark.django_db


def recipient(invitation: Invitation) -> str:
    return reverse("onboarding:partners:recipient", args=[invitation.uuid])


def ask(client: Client, invitation: Invitation) -> None:
    answer = client.post(reverse("onboarding:partners:mail_code", args=[invitation.uuid]))
    assert (answer.status_code, answer["Location"]) == (302, recipient(invitation))


def mailed_code(client: Client, invitation: Invitation) -> str:
    ask(client, invitation)
    delivery.deliver(Mail.objects.under_way().get().pk)
    found = re.search(r"^[0-9]{4} [0-9]{4}$", str(mail.outbox[-1].body), re.MULTILINE)
    assert found
    return found[0]


@pytest.fixture
def opened(client: Client) -> Invitation:
    issued = make_invitation(make_returned_role())
    Invitation.objects.update(verify_recipient=True)
    client.get(link(issued.link_token))
    return Invitation.objects.get(pk=issued.invitation.pk)


def test_the_first_opening_asks_for_a_code_and_mails_none_by_itself(client, opened):
    answer = client.get(page(opened))
    assert (answer.status_code, answer["Location"]) == (302, recipient(opened))
    answer = client.get(recipient(opened))
    assert "One step before you read" in answer.text
    assert "Code from the mail" not in answer.text
    assert not Mail.objects.exists()


def test_nothing_of_the_request_is_told_before_the_code(client, opened):
    role = opened.account.roles.get()
    for name in ("trust_policy", "permissions_policy", "verdict"):
        assert client.get(of_role(name, opened, role))["Location"] == recipient(opened)
    for form in Form:
        assert client.get(form_of(form, opened, role))["Location"] == recipient(opened)
    for name in ("return", "check", "withdraw", "create_stack"):
        assert client.post(of_role(name, opened, role))["Location"] == recipient(opened)
    for name in ("summary", "handoff"):
        assert client.get(reverse(f"onboarding:partners:{name}", args=[opened.uuid]))["Location"] == recipient(opened)
    text = client.get(recipient(opened)).text
    for secret in (role.external_id, role.role_name, opened.account.account_id, "bob@partner.example", role.purpose):
        assert secret not in text


def test_the_code_from_the_mail_opens_the_page_in_this_browser_and_is_remembered(client, opened):
    code = mailed_code(client, opened)
    assert "Code from the mail" in client.get(recipient(opened)).text
    answer = client.post(recipient(opened), {"code": f" {code} "})
    assert (answer.status_code, answer["Location"]) == (302, page(opened))
    assert client.get(page(opened)).status_code == 200
    assert client.get(recipient(opened))["Location"] == page(opened)


def test_another_browser_has_to_show_it_anew(client, opened):
    issued_again = Client()
    session = issued_again.session
    session["invitations"] = {str(opened.uuid): opened.token_digest}
    session.save()
    client.post(recipient(opened), {"code": mailed_code(client, opened)})
    assert issued_again.get(page(opened))["Location"] == recipient(opened)


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("", "Type the eight digits of the newest mail."),
        ("1234", "The code has eight digits."),
        ("１２３４５６７８", "The code has eight digits."),
        ("1" * 50, "at most 40 characters"),
        ("00000000", "This is not the code of the newest mail."),
        ("0000\0000", "Null characters are not allowed."),
    ],
)
def test_what_is_no_code_is_said_beside_the_field(client, opened, typed, told):
    mailed_code(client, opened)
    answer = client.post(recipient(opened), {"code": typed})
    assert answer.status_code == 200
    assert told in answer.text


def test_a_code_that_ran_out_says_so(client, opened):
    code = mailed_code(client, opened)
    with time_machine.travel(timezone.now() + timedelta(minutes=16)):
        answer = client.post(recipient(opened), {"code": code})
    assert "Mail me the code" in answer.text


def test_asking_again_at_once_says_that_one_was_sent(client, opened):
    ask(client, opened)
    answer = client.post(reverse("onboarding:partners:mail_code", args=[opened.uuid]))
    assert "A code was mailed a moment ago." in answer.text
    assert Mail.objects.count() == 1


def test_a_mail_server_that_is_down_is_no_error_of_the_page(client, opened, settings):
    ask(client, opened)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    delivery.deliver(Mail.objects.get().pk)
    assert "The code is on its way." in client.get(recipient(opened)).text


def test_a_link_that_was_mailed_anew_has_to_be_shown_anew(client, opened, alice):
    client.post(recipient(opened), {"code": mailed_code(client, opened)})
    invitations.resend_link(opened, by=alice)
    delivery.deliver(Mail.objects.under_way().get().pk)
    assert client.get(page(opened)).status_code == 404
    fresh = re.search(r"/i/\S+", str(mail.outbox[-1].body))
    assert fresh
    client.get(fresh[0])
    assert client.get(page(opened))["Location"] == recipient(opened)


def test_whoever_does_not_hold_the_link_cannot_have_a_code_mailed(opened):
    stranger = Client()
    assert stranger.post(reverse("onboarding:partners:mail_code", args=[opened.uuid])).status_code == 404
    assert stranger.get(recipient(opened)).status_code == 404
    assert not Mail.objects.exists()


def test_asking_and_answering_need_the_form_of_the_page(opened, client):
    guarded = Client(enforce_csrf_checks=True)
    guarded.cookies = client.cookies
    assert guarded.post(recipient(opened), {"code": "12345678"}).status_code == 403
    assert guarded.post(reverse("onboarding:partners:mail_code", args=[opened.uuid])).status_code == 403


def test_a_link_without_the_choice_needs_no_code(client):
    issued = make_invitation()
    client.get(link(issued.link_token))
    assert client.get(page(issued.invitation)).status_code == 200
    assert client.get(recipient(issued.invitation))["Location"] == page(issued.invitation)
