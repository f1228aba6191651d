"""The outbox: each mail goes out once, whatever broker, worker and mail server do."""

from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.utils import timezone
from kombu.exceptions import OperationalError

from onboarding import queue
from onboarding.models import Mail, MailKind
from onboarding.services import delivery, invitations, mails, recipients
from tests.factories import make_invitation

pytestmark = pytest.mark.django_db


@pytest.fixture
def waiting(alice) -> Mail:
    invitation = make_invitation().invitation
    invitations.resend_link(invitation, by=alice)
    return invitation.mails.get()


def later(**gap: float) -> time_machine.travel:
    return time_machine.travel(timezone.now() + timedelta(**gap))


def test_a_task_that_runs_twice_sends_once(waiting):
    delivery.deliver(waiting.pk)
    delivery.deliver(waiting.pk)
    assert len(mail.outbox) == 1


def test_of_two_workers_one_gets_the_mail(waiting):
    assert mails.OUTBOX.claim(waiting.pk)
    assert mails.OUTBOX.claim(waiting.pk) is None


def test_a_worker_that_died_loses_its_claim(waiting):
    assert mails.OUTBOX.claim(waiting.pk)
    with later(minutes=3):
        delivery.deliver(waiting.pk)
    assert len(mail.outbox) == 1


def test_what_the_broker_lost_is_sent_again(waiting, monkeypatch):
    sent: list[int] = []
    monkeypatch.setattr(queue, "send", lambda _task, pk: not sent.append(pk))
    mails.OUTBOX.queue_due()
    assert sent == []
    with later(seconds=31):
        mails.OUTBOX.queue_due()
        mails.OUTBOX.queue_due()
    assert sent == [waiting.pk]


def test_a_broker_that_is_down_ends_the_sweep_and_loses_nothing(waiting, monkeypatch):
    def is_down(*_: object, **__: object) -> None:
        raise OperationalError

    monkeypatch.setattr("celery.current_app.send_task", is_down)
    with later(seconds=31):
        mails.OUTBOX.queue_due()
    with later(seconds=62):
        delivery.deliver(waiting.pk)
    assert len(mail.outbox) == 1


def test_a_mail_is_tried_in_growing_gaps_for_a_day_and_then_given_up(waiting, no_mail_server):
    start, gaps = timezone.now(), []
    tried = start
    while True:
        with time_machine.travel(tried, tick=False):
            delivery.deliver(waiting.pk)
        waiting.refresh_from_db()
        if waiting.is_given_up:
            break
        gaps.append(waiting.next_try_at - tried)
        tried = waiting.next_try_at
    assert gaps == sorted(gaps)
    assert gaps[0] == timedelta(seconds=30)
    assert gaps[-1] == timedelta(hours=1)
    assert timedelta(hours=22) < tried - start < timedelta(hours=24)
    assert waiting.is_given_up


def test_a_code_is_not_sent_to_somebody_who_no_longer_waits(no_mail_server):
    invitation = make_invitation().invitation
    recipients.ask_for_code(invitation)
    asked = Mail.objects.get(kind=MailKind.CODE)
    with later(minutes=9.9):
        delivery.deliver(asked.pk)
    asked.refresh_from_db()
    assert asked.is_given_up


def test_asking_again_for_what_was_put_off_tries_it_at_once(waiting, alice, settings, no_mail_server):
    delivery.deliver(waiting.pk)
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    invitations.resend_link(waiting.invitation, by=alice)
    delivery.deliver(waiting.pk)
    assert len(mail.outbox) == 1


def test_asking_again_for_what_is_being_sent_sends_it_once(waiting, alice):
    assert mails.OUTBOX.claim(waiting.pk)
    invitations.resend_link(waiting.invitation, by=alice)
    assert mails.OUTBOX.claim(waiting.pk) is None
    assert Mail.objects.count() == 1


def test_the_sweep_leaves_alone_what_a_worker_holds(waiting, monkeypatch):
    monkeypatch.setattr(queue, "send", lambda *_: True)
    with later(seconds=31):
        assert mails.OUTBOX.claim(waiting.pk)
        mails.OUTBOX.queue_due()
        assert mails.OUTBOX.claim(waiting.pk) is None
