"""The mails, word for word."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
import time_machine
from django.core import mail

from onboarding.models import Invitation
from onboarding.services import notifications
from tests.factories import make_account, make_invitation, make_partner, make_role

GOLDEN = Path(__file__).parent.parent / "golden" / "mail"
TOKEN = "Q2hlY2tlZC1ieS1oYW5kLW5vLXNlY3JldC1hdC1hbGw"
pytestmark = pytest.mark.django_db


def mailed(name: str = "Willow Robotics", contact: str = "Bob Builder") -> mail.EmailMultiAlternatives:
    with time_machine.travel(datetime(2026, 5, 5, 9, 0, tzinfo=UTC), tick=False):
        partner = make_partner(name, contact_name=contact, contact_email="bob@willow.example")
        invitation = make_invitation(make_role(make_account(partner, account_id="303040405050"))).invitation
        Invitation.objects.update(id=147)
        notifications.mail_link(Invitation.objects.select_related("account__partner").get(uuid=invitation.uuid), TOKEN)
    (message,) = mail.outbox
    assert isinstance(message, mail.EmailMultiAlternatives)
    return message


def test_the_mail_with_a_link_is_the_golden_one():
    message = mailed()
    assert message.to == ["bob@willow.example"]
    assert f"Subject: {message.subject}\n\n{message.body}" == (GOLDEN / "invitation.txt").read_text()
    ((html, kind),) = message.alternatives
    assert kind == "text/html"
    assert html == (GOLDEN / "invitation.html").read_text()


def test_names_in_a_mail_are_text_and_never_headers():
    message = mailed("Willow <b>\r\nBcc: everybody@evil.example", "Bob & <i>Sons</i>")
    assert "\n" not in message.subject
    assert message.message()["Bcc"] is None
    assert "Hello Bob & <i>Sons</i>," in str(message.body)
    ((html, _kind),) = message.alternatives
    assert "Bob &amp; &lt;i&gt;Sons&lt;/i&gt;" in str(html)
