"""The code that shows whether mail to the registered address reaches whoever opened a link."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.utils import timezone

from onboarding.models import AuditEvent, Invitation, Mail, MailKind
from onboarding.services import delivery, recipients
from onboarding.services.recipients import CodeJustSent, NoCodeLeft, WrongCode
from tests.factories import make_account, make_invitation, make_partner, make_role

pytestmark = pytest.mark.django_db


@pytest.fixture
def invitation(db: None) -> Invitation:
    role = make_role(make_account(make_partner(contact_email="bob@willow.example")))
    return make_invitation(role).invitation


def mailed_code(invitation: Invitation) -> str:
    recipients.ask_for_code(invitation)
    delivery.deliver(Mail.objects.under_way().get(kind=MailKind.CODE).pk)
    found = re.search(r"^([0-9]{4}) ([0-9]{4})$", str(mail.outbox[-1].body), re.MULTILINE)
    assert found
    return found[1] + found[2]


def other_than(code: str) -> str:
    return f"{(int(code) + 1) % 10**8:08d}"


def test_the_code_goes_to_the_registered_address_and_opens_once(invitation):
    code = mailed_code(invitation)
    assert mail.outbox[0].to == ["bob@willow.example"]
    recipients.check_code(invitation, code)
    assert AuditEvent.objects.filter(action="recipient_verified", actor=None).count() == 1
    with pytest.raises(NoCodeLeft):
        recipients.check_code(invitation, code)


def test_only_a_keyed_digest_of_the_code_is_stored(invitation, settings):
    code = mailed_code(invitation)
    stored = Invitation.objects.values().get()
    assert code not in str(stored)
    settings.SECRET_KEY = "another key"
    with pytest.raises(WrongCode):
        recipients.check_code(invitation, code)


def test_five_wrong_tries_end_a_code(invitation):
    code = mailed_code(invitation)
    for _ in range(recipients.MOST_TRIES):
        with pytest.raises(WrongCode):
            recipients.check_code(invitation, other_than(code))
    with pytest.raises(NoCodeLeft):
        recipients.check_code(invitation, code)


def test_a_code_is_good_for_fifteen_minutes(invitation):
    code = mailed_code(invitation)
    with time_machine.travel(timezone.now() + timedelta(minutes=15)), pytest.raises(NoCodeLeft):
        recipients.check_code(invitation, code)


def test_the_code_of_another_link_opens_nothing_here(invitation):
    other = make_invitation().invitation
    code, foreign = mailed_code(invitation), mailed_code(other)
    with pytest.raises(WrongCode):
        recipients.check_code(invitation, foreign)
    recipients.check_code(invitation, code)


def test_a_newer_code_takes_the_place_of_the_one_before(invitation):
    first = mailed_code(invitation)
    with time_machine.travel(timezone.now() + timedelta(minutes=2)):
        second = mailed_code(invitation)
        with pytest.raises(WrongCode):
            recipients.check_code(invitation, first)
        recipients.check_code(invitation, second)


def test_codes_are_mailed_once_a_minute_and_six_times_an_hour(invitation):
    start = timezone.now()
    for minute in range(0, 12, 2):
        with time_machine.travel(start + timedelta(minutes=minute), tick=False):
            mailed_code(invitation)
            with pytest.raises(CodeJustSent):
                recipients.ask_for_code(invitation)
    with time_machine.travel(start + timedelta(minutes=30)), pytest.raises(CodeJustSent):
        recipients.ask_for_code(invitation)
    with time_machine.travel(start + timedelta(minutes=75)):
        mailed_code(invitation)


def test_nothing_is_mailed_for_a_link_that_has_ended_meanwhile(invitation):
    recipients.ask_for_code(invitation)
    Invitation.objects.update(revoked_at=timezone.now())
    delivery.deliver(Mail.objects.get().pk)
    assert mail.outbox == []


def test_without_a_code_there_is_nothing_to_check(invitation):
    with pytest.raises(NoCodeLeft):
        recipients.check_code(invitation, "00000000")
