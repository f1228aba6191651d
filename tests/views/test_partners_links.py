"""The link: what opens it, what does not, and where its token must never be."""

import logging
import re
from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from onboarding import tasks
from onboarding.models import Invitation
from onboarding.services import invitations
from tests.factories import make_account, make_invitation, make_partner, make_role
from tests.views.partner_pages import link, open_link, page

pytestmark = pytest.mark.django_db

LOST = reverse("onboarding:partners:lost")
ASKED = reverse("onboarding:partners:asked")


def expire(invitation: Invitation) -> None:
    Invitation.objects.filter(pk=invitation.pk).update(expires_at=timezone.now() - timedelta(hours=1))


def new_link(invitation: Invitation) -> str:
    return reverse("onboarding:partners:new_link", args=[invitation.uuid])


def test_a_good_link_leads_to_its_page_and_is_noted_as_opened(client):
    issued = make_invitation()
    answer = client.get(link(issued.link_token))
    assert (answer.status_code, answer["Location"]) == (302, page(issued.invitation))
    invitation = Invitation.objects.get()
    assert invitation.times_opened == 1
    assert invitation.opened_at
    assert client.get(answer["Location"]).status_code == 200


def test_a_head_request_changes_nothing_and_opens_nothing(client):
    issued = make_invitation()
    assert client.head(link(issued.link_token)).status_code == 302
    assert Invitation.objects.get().times_opened == 0
    assert not client.session.keys()
    assert client.get(page(issued.invitation)).status_code == 404


@pytest.mark.parametrize("path", ["/i/never-issued", "/i/", "/i/a/b", "/i/%00", "/i/" + "x" * 5000])
def test_a_link_that_was_never_issued_names_the_contact(client, path):
    answer = client.get(path, follow=True)
    assert answer.status_code == 404
    assert "This link is not valid" in answer.text
    assert "Mio Tanabe" in answer.text
    assert "cloud@hoshino.example" in answer.text


def test_an_unknown_and_a_revoked_link_answer_byte_for_byte_alike_and_cost_the_same(alice):
    issued = make_invitation()
    invitations.revoke_invitation(issued.invitation, by=alice)
    answers = []
    for token in (issued.link_token, "never-issued"):
        client = Client()
        with CaptureQueriesContext(
            connection,
        ) as queries:
            first = client.get(link(token))
            second = client.get(first["Location"])
        body = re.sub(rb'name="csrfmiddlewaretoken" value="\w+"', b"", second.content)
        headers = {name: value for name, value in first.headers.items() if name != "Expires"}
        answers.append((first.status_code, first.content, headers, second.status_code, body, len(queries)))
    assert answers[0] == answers[1]


def test_a_page_whose_link_was_never_opened_here_is_not_told_from_a_missing_one(client):
    issued = make_invitation()
    assert client.get(page(issued.invitation)).status_code == 404
    held = open_link(client)
    invitations.revoke_invitation(held, by=held.issued_by)
    assert client.get(page(held)).status_code == 404


def test_an_expired_link_says_who_asked_and_offers_a_new_one(client):
    issued = make_invitation()
    expire(issued.invitation)
    answer = client.get(link(issued.link_token), follow=True)
    assert answer.status_code == 410
    assert "Alice Admin of Hoshino Trading" in answer.text
    assert new_link(issued.invitation) in answer.text
    assert issued.invitation.reference in answer.text
    assert "tbi-" not in answer.text


def ask(client: Client, invitation: Invitation, callbacks) -> None:
    with callbacks(execute=False) as queued:
        answer = client.post(new_link(invitation))
    assert (answer.status_code, answer["Location"]) == (302, ASKED)
    for _callback in queued:
        tasks.send_mail(invitation.mails.get(acknowledged_at=None).pk)


def test_a_new_link_goes_to_the_registered_address_once_in_ten_minutes(client, django_capture_on_commit_callbacks):
    role = make_role(make_account(make_partner(contact_email="registered@willow.example")))
    issued = make_invitation(role)
    expire(issued.invitation)
    client.get(link(issued.link_token))
    start = timezone.now()
    for minutes, mails in ((1, 1), (9, 1)):
        with time_machine.travel(start + timedelta(minutes=minutes), tick=False):
            ask(client, issued.invitation, django_capture_on_commit_callbacks)
        assert [message.to for message in mail.outbox] == [["registered@willow.example"]] * mails
    fresh = re.search(r"/i/\S+", str(mail.outbox[0].body))
    assert fresh
    assert client.get(fresh[0], follow=True).status_code == 200


def test_only_the_holder_of_the_expired_link_can_ask_and_nobody_learns_so(client, django_capture_on_commit_callbacks):
    issued = make_invitation()
    expire(issued.invitation)
    ask(client, issued.invitation, django_capture_on_commit_callbacks)
    good = open_link(Client())
    holder = Client()
    holder.get(link(make_invitation(good.account.roles.get()).link_token))
    ask(holder, good, django_capture_on_commit_callbacks)
    assert mail.outbox == []
    assert "If your link had expired" in client.get(ASKED).text


def test_asking_needs_the_form_of_the_page(client):
    guarded = Client(enforce_csrf_checks=True)
    issued = make_invitation()
    expire(issued.invitation)
    guarded.get(link(issued.link_token))
    assert guarded.post(new_link(issued.invitation)).status_code == 403
    assert Invitation.objects.get().new_link_asked_at is None


def test_every_page_of_a_link_is_kept_by_nobody_and_found_by_nobody(client):
    issued = make_invitation()
    answers = [client.get(link(issued.link_token)), client.get(page(issued.invitation)), client.get(link("unknown"))]
    answers += [client.get(LOST), client.get(ASKED), client.post(new_link(issued.invitation))]
    expire(issued.invitation)
    answers.append(client.get(page(issued.invitation)))
    for answer in answers:
        assert "no-store" in answer["Cache-Control"]
        assert answer["X-Robots-Tag"] == "noindex, nofollow"


def test_the_answer_to_a_link_sends_no_referrer_on(client):
    for token in (make_invitation().link_token, "unknown"):
        assert client.get(link(token))["Referrer-Policy"] == "no-referrer"


def test_the_token_is_in_no_body_and_in_no_later_address(client):
    issued = make_invitation()
    answer = client.get(link(issued.link_token), follow=True)
    later = client.get(page(issued.invitation))
    for told in (answer, later):
        assert issued.link_token not in told.text
        assert issued.link_token not in str(told.headers)
    assert issued.link_token not in answer.redirect_chain[-1][0]


def test_the_token_is_in_no_log(client, caplog):
    """Not where it works, nor where Django itself says what it refused."""
    caplog.set_level(logging.DEBUG)
    issued = make_invitation()
    guarded = Client(enforce_csrf_checks=True)
    client.get(link(issued.link_token))
    client.post(link(issued.link_token))
    guarded.post(link(issued.link_token))
    client.get(f"/i/{issued.link_token}/more")
    client.get(f"/I/{issued.link_token}".lower())
    (console,) = [handler for handler in logging.getLogger().handlers if type(handler) is logging.StreamHandler]
    lines = [console.format(record) for record in caplog.records if not record.name.startswith("django.db")]
    assert any("Method Not Allowed" in line for line in lines)
    assert any("CSRF" in line for line in lines)
    assert not any(issued.link_token in line for line in lines)


def test_a_session_that_somebody_planted_does_not_come_to_hold_the_link(client):
    client.get(link("unknown"))
    session = client.session
    session["planted"] = True
    session.save()
    planted = Client()
    planted.cookies = client.cookies.copy()
    invitation = open_link(client)
    assert client.get(page(invitation)).status_code == 200
    assert planted.get(page(invitation)).status_code == 404


def test_a_session_of_a_replaced_token_no_longer_opens_the_page(client, alice):
    invitation = open_link(client)
    invitations.resend_link(invitation, by=alice)
    tasks.send_mail(invitation.mails.get().pk)
    assert client.get(page(invitation)).status_code == 404


def test_a_browser_forgets_the_oldest_of_too_many_links(client):
    first = open_link(client)
    for _ in range(20):
        last = open_link(client)
    assert client.get(page(first)).status_code == 404
    assert client.get(page(last)).status_code == 200
