"""The outbox against a real mail server and a real HTTP receiver."""

import base64
import hashlib
import hmac
import json
import socket
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from functools import partial
from threading import Thread

import pytest
import time_machine
from django.utils import timezone
from django.utils.crypto import salted_hmac

from onboarding import queue, webhooks
from onboarding.core.alerts import AlertKind
from onboarding.core.webhooks import WebhookUrl
from onboarding.models import Alert, AlertRoute, AuditEvent, Channel, Delivery, Person
from onboarding.services import alert_deliveries, alert_routes, alerts, outbox
from onboarding.webhooks import CallFailed
from tests import receivers
from tests.factories import make_account, make_checked_role, make_partner, make_person, make_role
from tests.receivers import HttpReceiver, MailServer, answers
from tests.services.test_alerts import make_broken

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def sent(monkeypatch):
    """What was handed to the broker."""
    tasks_sent = []
    monkeypatch.setattr(queue, "send", lambda task, *arguments: not tasks_sent.append((task, *arguments)))
    return tasks_sent


@pytest.fixture
def mail_server(settings) -> Iterator[MailServer]:
    settings.EMAIL_TIMEOUT = 2
    with receivers.mail_server() as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        yield server


@pytest.fixture
def receiver(settings) -> Iterator[HttpReceiver]:
    settings.SANDBOX = True
    made = HttpReceiver()
    yield made
    made.close()


def by_mail(alice: Person) -> Delivery:
    alerts.send_test(by=alice)
    return Delivery.objects.get(channel=Channel.MAIL)


def by_webhook(alice: Person, receiver: HttpReceiver) -> Delivery:
    alert_routes.set_mail(mails_admins=False, by=alice)
    alert_routes.set_webhook(WebhookUrl.parse(receiver.url, sandbox=True), by=alice)
    alerts.send_test(by=alice)
    return Delivery.objects.get()


def now_of(delivery: Delivery) -> Delivery:
    return Delivery.objects.get(pk=delivery.pk)


def later(delivery: Delivery):
    """The time of its next try."""
    return time_machine.travel(now_of(delivery).next_try_at + timedelta(seconds=1), tick=False)


# --- Mail ---------------------------------------------------------------------------------------------------------


def test_a_mail_arrives_once(alice, mail_server):
    delivery = by_mail(alice)
    alert_deliveries.deliver(delivery.pk)
    alert_deliveries.deliver(delivery.pk)
    (mail,) = mail_server.taken
    assert (mail["To"], mail["Subject"]) == (alice.email, "[Tobiishi] A test alert")
    assert (mail["Message-ID"], mail["Auto-Submitted"]) == (f"<{delivery.uuid}@testserver>", "auto-generated")
    assert now_of(delivery).acknowledged_at


@pytest.mark.parametrize("answer", ["451 Try again later", "550 No such mailbox", "554 Go away"])
def test_a_mail_that_was_refused_is_tried_again_under_the_same_message_id(alice, mail_server, answer):
    delivery = by_mail(alice)
    mail_server.answers = [answer, answer]
    alert_deliveries.deliver(delivery.pk)
    assert (now_of(delivery).attempts, now_of(delivery).trouble) == (1, "SMTPDataError")
    # Not before its time, whoever asks.
    alert_deliveries.deliver(delivery.pk)
    assert mail_server.offered == 1
    for _ in range(2):
        with later(delivery):
            alert_deliveries.deliver(delivery.pk)
    assert mail_server.offered == 3
    assert [mail["Message-ID"] for mail in mail_server.taken] == [f"<{delivery.uuid}@testserver>"]


def test_a_mail_server_that_is_away_or_hangs_costs_a_try(alice, settings):
    delivery = by_mail(alice)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_TIMEOUT = "127.0.0.1", 0.2
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.EMAIL_PORT = silent.getsockname()[1]
        alert_deliveries.deliver(delivery.pk)
    assert now_of(delivery).trouble == "SMTPServerDisconnected"
    with later(delivery):
        alert_deliveries.deliver(delivery.pk)
    assert (now_of(delivery).attempts, now_of(delivery).trouble) == (2, "ConnectionRefusedError")


def test_a_server_that_takes_the_mail_and_then_hangs_up_has_taken_it(alice, settings):
    """Some end the connection with their answer; sending once more would be a second mail."""
    delivery = by_mail(alice)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_TIMEOUT = "127.0.0.1", 1
    with socket.create_server(("127.0.0.1", 0)) as rude:
        settings.EMAIL_PORT = rude.getsockname()[1]
        talk = Thread(target=_take_and_hang_up, args=[rude], daemon=True)
        talk.start()
        alert_deliveries.deliver(delivery.pk)
        talk.join(5)
    assert now_of(delivery).acknowledged_at


def _take_and_hang_up(rude: socket.socket) -> None:
    caller, _ = rude.accept()
    with caller, caller.makefile("rw", newline="") as wire:
        for says, until in [("220 hello", "ehlo"), ("250 hello", "mail"), ("250 ok", "rcpt"), ("250 ok", "data")]:
            wire.write(f"{says}\r\n")
            wire.flush()
            while not wire.readline().lower().startswith(until):
                pass
        wire.write("354 go on\r\n")
        wire.flush()
        while wire.readline() != ".\r\n":
            pass
        wire.write("250 taken\r\n")
        wire.flush()


def test_each_reads_in_their_own_language_and_zone(alice, mail_server):
    alice.language, alice.time_zone = "ja", "Asia/Tokyo"
    alice.save()
    make_broken(make_checked_role(make_role(make_account(make_partner("Kestrel & Söhne")))))
    with time_machine.travel(timezone.now() + timedelta(minutes=2)):
        alerts.tell_due()
        alert_deliveries.deliver(Delivery.objects.get().pk)
    (mail,) = mail_server.taken
    assert mail.get_body(("html",)).get_content().count('lang="ja"') == 1
    assert "Kestrel &amp; Söhne" in mail.get_body(("html",)).get_content()
    assert "Kestrel & Söhne" in mail.get_body(("plain",)).get_content()


def test_names_become_text_and_never_headers(alice, mail_server):
    partner = make_partner("Evil\r\nBcc: everybody@evil.example <b>")
    make_broken(make_checked_role(make_role(make_account(partner))))
    with time_machine.travel(timezone.now() + timedelta(minutes=2)):
        alerts.tell_due()
        alert_deliveries.deliver(Delivery.objects.get().pk)
    (mail,) = mail_server.taken
    assert mail["Bcc"] is None
    assert "<b>" not in mail.get_body(("html",)).get_content().replace("<p><b>", "")


def test_whoever_is_no_admin_any_more_gets_no_mail(alice, mail_server):
    gone = make_person("gone@hoshino.example", admin=True)
    alerts.send_test(by=alice)
    Person.objects.filter(pk=gone.pk).update(is_active=False)
    delivery = Delivery.objects.get(person=gone)
    alert_deliveries.deliver(delivery.pk)
    assert not mail_server.taken
    assert now_of(delivery).given_up_at


# --- Webhook ------------------------------------------------------------------------------------------------------


def test_a_call_is_signed_and_says_what_it_is_about(alice, receiver):
    role = make_checked_role(make_role(make_account(make_partner("<!channel> & Co"))))
    secret = alert_routes.set_webhook(WebhookUrl.parse(receiver.url, sandbox=True), by=alice)
    make_broken(role)
    with time_machine.travel(timezone.now() + timedelta(minutes=2)):
        alerts.tell_due()
        delivery = Delivery.objects.get(channel=Channel.WEBHOOK)
        alert_deliveries.deliver(delivery.pk)
    (call,) = receiver.calls
    body = json.loads(call.body)
    assert (body["kind"], body["count"], body["mrkdwn"]) == ("broken", 1, False)
    assert body["id"] == call.headers["webhook-id"] == str(delivery.uuid)
    assert body["roles"][0]["role_arn"] == role.role_arn
    assert "&lt;!channel&gt; &amp; Co" in body["text"]
    assert role.external_id not in call.body.decode()
    signed = f"{call.headers['webhook-id']}.{call.headers['webhook-timestamp']}.".encode() + call.body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert call.headers["webhook-signature"] == f"v1,{digest}"


@pytest.mark.parametrize(
    ("script", "trouble"),
    [
        (answers("500 Oops"), "HTTP 500"),
        (answers("302 Found", "Location: http://127.0.0.1:1/"), "HTTP 302"),
        (receivers.hangs, "timeout"),
        (receivers.hangs_up, "RemoteDisconnected"),
    ],
)
def test_a_call_that_was_not_taken_is_made_again_under_the_same_id(alice, receiver, script, trouble):
    delivery = by_webhook(alice, receiver)
    receiver.scripts = [script]
    alert_deliveries.deliver(delivery.pk, call=partial(webhooks.call, deadline=0.3))
    assert (now_of(delivery).attempts, now_of(delivery).trouble) == (1, trouble)
    with later(delivery):
        alert_deliveries.deliver(delivery.pk)
    assert now_of(delivery).acknowledged_at
    assert {call.headers["webhook-id"] for call in receiver.calls} == {str(delivery.uuid)}
    with later(delivery):
        alert_deliveries.deliver(delivery.pk)
    assert len(receiver.calls) == 2


def test_a_webhook_that_was_removed_is_called_no_more(alice, receiver):
    delivery = by_webhook(alice, receiver)
    alert_routes.remove_webhook(by=alice)
    alert_deliveries.deliver(delivery.pk)
    assert not receiver.calls
    assert (now_of(delivery).trouble, bool(now_of(delivery).given_up_at)) == ("", True)


def test_another_secret_signs_from_then_on(alice, receiver):
    first = alert_routes.set_webhook(WebhookUrl.parse(receiver.url, sandbox=True), by=alice)
    assert first != alert_routes.renew_webhook_secret(by=alice)
    alert_routes.remove_webhook(by=alice)
    with pytest.raises(alert_routes.NoWebhook):
        alert_routes.renew_webhook_secret(by=alice)


def test_neither_the_secret_nor_the_address_is_to_be_found_in_the_audit_log(alice, receiver):
    secret = alert_routes.set_webhook(WebhookUrl.parse(receiver.url, sandbox=True), by=alice)
    route = AlertRoute.objects.get()
    told = str(list(AuditEvent.objects.values()))
    assert "s3cret" not in told
    assert secret not in told + str(AlertRoute.objects.values()[0])
    # Who has the database and not SECRET_KEY cannot make it.
    other = salted_hmac("onboarding.webhook", route.webhook_salt, secret="another", algorithm="sha256").digest()
    assert base64.b64decode(secret.removeprefix("whsec_")) != other


# --- The rows -----------------------------------------------------------------------------------------------------


def test_two_workers_do_not_send_one_delivery(alice, receiver):
    delivery = by_webhook(alice, receiver)
    calls = []

    def call(*_args, **_options):
        calls.append(1)
        alert_deliveries.deliver(delivery.pk, call=call)

    alert_deliveries.deliver(delivery.pk, call=call)
    assert len(calls) == 1


def test_a_worker_that_died_loses_its_claim_and_another_one_delivers(alice, receiver):
    delivery = by_webhook(alice, receiver)

    def dies(*_args, **_options):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        alert_deliveries.deliver(delivery.pk, call=dies)
    alert_deliveries.deliver(delivery.pk)
    assert not receiver.calls
    with time_machine.travel(timezone.now() + outbox.LEASE + timedelta(seconds=1)):
        alert_deliveries.deliver(delivery.pk)
    assert len(receiver.calls) == 1


def test_a_worker_whose_lease_ran_out_does_not_undo_what_another_one_did(alice, receiver):
    delivery = by_webhook(alice, receiver)

    def slow(*_args, **_options):
        with time_machine.travel(timezone.now() + outbox.LEASE + timedelta(seconds=1)):
            alert_deliveries.deliver(delivery.pk)
        raise CallFailed("timeout")

    alert_deliveries.deliver(delivery.pk, call=slow)
    assert now_of(delivery).acknowledged_at
    assert now_of(delivery).trouble == ""


def test_the_sweeper_hands_over_what_is_due_and_what_was_lost_and_nothing_twice(alice, receiver, sent):
    delivery = by_webhook(alice, receiver)
    sent.clear()
    alert_deliveries.OUTBOX.queue_due()
    assert not sent
    with time_machine.travel(timezone.now() + timedelta(seconds=61)):
        alert_deliveries.OUTBOX.queue_due()
        alert_deliveries.OUTBOX.queue_due()
        assert sent == [(queue.DELIVER_ALERT, delivery.pk)]
        receiver.scripts = [answers("500 Oops")]
        alert_deliveries.deliver(delivery.pk)
    sent.clear()
    with later(delivery):
        alert_deliveries.OUTBOX.queue_due()
        alert_deliveries.OUTBOX.queue_due()
    assert sent == [(queue.DELIVER_ALERT, delivery.pk)]


def test_one_that_takes_its_worker_along_again_and_again_is_given_up_too(alice, receiver):
    delivery = by_webhook(alice, receiver)

    def dies(*_args, **_options):
        raise KeyboardInterrupt

    for hours in range(0, 200, 8):
        with (
            time_machine.travel(delivery.asked_at + timedelta(hours=hours, seconds=1), tick=False),
            suppress(KeyboardInterrupt),
        ):
            alert_deliveries.deliver(delivery.pk, call=dies)
    assert now_of(delivery).given_up_at
    assert now_of(delivery).attempts <= 22


def test_what_nobody_takes_for_a_week_is_given_up_and_the_overview_says_so(alice, receiver, client):
    delivery = by_webhook(alice, receiver)
    receiver.scripts = [answers("500 Oops")] * 3
    for _ in range(2):
        with later(delivery):
            alert_deliveries.deliver(delivery.pk)
    client.force_login(alice)
    assert "Alerts do not arrive" in client.get("/admin/").content.decode()
    with time_machine.travel(delivery.asked_at + timedelta(days=7)):
        alert_deliveries.deliver(delivery.pk)
        assert now_of(delivery).given_up_at
        assert not Delivery.objects.claimable(timezone.now()).exists()


def test_a_broker_that_is_down_loses_no_alert(alice, receiver, monkeypatch):
    delivery = by_webhook(alice, receiver)
    monkeypatch.setattr(queue, "send", lambda *_: False)
    with time_machine.travel(timezone.now() + timedelta(minutes=3)):
        alert_deliveries.OUTBOX.queue_due()
    handed = []
    monkeypatch.setattr(queue, "send", lambda _task, pk: not handed.append(pk))
    with time_machine.travel(timezone.now() + timedelta(minutes=5)):
        alert_deliveries.OUTBOX.queue_due()
    assert handed == [delivery.pk]


def test_an_alert_for_partners_goes_to_no_webhook(alice, receiver):
    alert_routes.set_webhook(WebhookUrl.parse(receiver.url, sandbox=True), by=alice)
    role = make_checked_role()
    alerts.note_retirement(role, at=timezone.now())
    with time_machine.travel(timezone.now() + timedelta(minutes=2)):
        alerts.tell_due()
    assert Alert.objects.get().kind == AlertKind.RETIREMENT
    assert [delivery.partner for delivery in Delivery.objects.all()] == [role.account.partner]
