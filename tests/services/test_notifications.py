"""The mails, word for word, in each language that the portal speaks. `--write-golden` writes them anew."""

import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from django.conf import settings
from django.core import mail
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from onboarding.models import ExternalAccount, ExternalRole, Invitation, Mail, MailKind, Partner, Person
from onboarding.services import notifications, offboarding
from tests.factories import make_account, make_invitation, make_partner, make_role

TOKEN = "Q2hlY2tlZC1ieS1oYW5kLW5vLXNlY3JldC1hdC1hbGw"
NOW = datetime(2026, 5, 5, 9, 0, tzinfo=UTC)
CATALOGS = Path(settings.LOCALE_PATHS[0])
LANGUAGES = [
    pytest.param(
        language,
        marks=pytest.mark.skipif(
            language != "en" and not (CATALOGS / language / "LC_MESSAGES" / "django.mo").exists(),
            reason=f"not translated into {language} yet",
        ),
    )
    for language, _ in settings.LANGUAGES
]
pytestmark = pytest.mark.django_db


@pytest.fixture
def at_nine():
    with time_machine.travel(NOW, tick=False):
        yield


def ask(kind: MailKind, *, language: str = "en", name: str = "Willow Robotics", contact: str = "Bob Builder") -> Mail:
    partner = make_partner(name, language=language, contact_name=contact, contact_email="bob@willow.example")
    role = make_role(make_account(partner, account_id="303040405050"), role_name="HoshinoTelemetry")
    invitation = make_invitation(role).invitation
    ExternalAccount.objects.update(uuid=uuid.UUID(int=5))
    Invitation.objects.filter(pk=invitation.pk).update(id=147, verify_recipient=kind is MailKind.CODE)
    admin = Person.objects.get(email="alice@hoshino.example")
    Person.objects.filter(pk=admin.pk).update(language=language)
    asked = Mail.objects.create(
        uuid=uuid.UUID(int=7),
        kind=kind,
        invitation=Invitation.objects.get(),
        to=admin if kind in {MailKind.REMINDER, MailKind.WITHDRAWAL} else None,
        external_role=role if kind is MailKind.WITHDRAWAL else None,
        asked_at=NOW,
        queued_at=NOW,
        next_try_at=NOW,
        attempts=1,
    )
    return Mail.objects.select_related("invitation__account__partner", "external_role", "to").get(pk=asked.pk)


SEND: dict[MailKind, Callable[[Mail], object]] = {
    MailKind.LINK: lambda asked: notifications.mail_link(asked, TOKEN, expires_at=NOW + timedelta(days=14)),
    MailKind.CODE: lambda asked: notifications.mail_code(asked, "12345678"),
    MailKind.REMINDER: notifications.mail_reminder,
    MailKind.WITHDRAWAL: notifications.mail_withdrawal,
}


def sent(asked: Mail) -> mail.EmailMultiAlternatives:
    SEND[MailKind(asked.kind)](asked)
    message = mail.outbox[-1]
    assert isinstance(message, mail.EmailMultiAlternatives)
    return message


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", MailKind)
def test_each_mail_is_the_golden_one(kind: MailKind, language: str, at_nine: None, golden) -> None:
    message = sent(ask(kind, language=language))
    golden(f"mail/{language}/{kind}.txt", f"Subject: {message.subject}\n\n{message.body}")
    ((html, mime_type),) = message.alternatives
    assert mime_type == "text/html"
    golden(f"mail/{language}/{kind}.html", str(html))


@pytest.mark.parametrize("kind", MailKind)
def test_a_partners_mail_goes_to_the_registered_address_and_an_admins_to_the_admin(kind: MailKind, at_nine: None):
    to = {MailKind.LINK: "bob@willow.example", MailKind.CODE: "bob@willow.example"}.get(kind, "alice@hoshino.example")
    message = sent(ask(kind))
    assert (message.to, message.cc, message.bcc) == ([to], [], [])
    assert message.reply_to == ["cloud@hoshino.example"]
    assert message.message()["Auto-Submitted"] == "auto-generated"


def test_what_opens_has_a_number_for_each_try_and_a_notice_keeps_its_own(at_nine: None):
    asked = ask(MailKind.LINK)
    assert sent(asked).message()["Message-ID"] == "<00000000-0000-0000-0000-000000000007.1@testserver>"
    asked.attempts = 2
    assert sent(asked).message()["Message-ID"] == "<00000000-0000-0000-0000-000000000007.2@testserver>"
    Mail.objects.all().delete()
    asked.kind, asked.to = MailKind.REMINDER, Person.objects.get(email="alice@hoshino.example")
    assert sent(asked).message()["Message-ID"] == "<00000000-0000-0000-0000-000000000007@testserver>"


def test_where_no_language_was_chosen_a_mail_speaks_the_portals_own(at_nine: None, settings) -> None:
    asked = ask(MailKind.CODE)
    Partner.objects.update(language="")
    settings.LANGUAGE_CODE = "ja"
    asked = Mail.objects.select_related("invitation__account__partner").get()
    ((html, _),) = sent(asked).alternatives
    assert '<html lang="ja">' in str(html)


def test_names_in_a_mail_are_text_and_never_headers(at_nine: None):
    message = sent(ask(MailKind.LINK, name="Willow <b>\r\nBcc: everybody@evil.example", contact="Bob & <i>Sons</i>"))
    assert "\n" not in message.subject
    assert message.message()["Bcc"] is None
    assert "Hello Bob & <i>Sons</i>," in str(message.body)
    ((html, _),) = message.alternatives
    assert "Bob &amp; &lt;i&gt;Sons&lt;/i&gt;" in str(html)


@pytest.fixture
def asked(kind: MailKind, at_nine: None) -> Mail:
    return ask(kind)


@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.text(max_size=100), contact=st.text(max_size=100), role_name=st.text(max_size=64))
@pytest.mark.parametrize("kind", MailKind)
def test_whatever_a_name_holds_no_header_and_no_markup_comes_of_it(
    asked: Mail, name: str, contact: str, role_name: str
):
    """Names that no form lets in, as if somebody had put them into the database."""
    partner = asked.invitation.account.partner
    partner.name, partner.contact_name = name, contact
    if asked.external_role:
        asked.external_role.role_name = role_name
    message = sent(asked)
    headers = {"Subject", "From", "To", "Reply-To", "Date", "Message-ID", "Auto-Submitted"}
    assert set(message.message().keys()) == {*headers, "MIME-Version", "Content-Type"}
    assert message.subject.isprintable()
    ((html, _),) = message.alternatives
    assert set(re.findall(r"<[a-z]+", str(html))) <= _TAGS


_TAGS = {f"<{tag}" for tag in ("html", "head", "meta", "title", "style", "body", "main", "p", "a", "b", "br")}


def test_a_role_withdrawn_before_it_was_returned_is_told_so(at_nine: None, django_capture_on_commit_callbacks):
    role = make_role()
    invitation = make_invitation(role).invitation
    offboarding.withdraw_role(invitation, ExternalRole.objects.with_owner().get(pk=role.pk))
    asked = Mail.objects.select_related("invitation__account__partner", "external_role", "to").get()
    assert "It had not been returned, so it is retired at once." in str(sent(asked).body)
