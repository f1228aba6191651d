"""The admins are told before a link ends unused: all of them, once for each of its terms."""

from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.utils import timezone

from onboarding.models import Invitation, Mail, MailKind
from onboarding.services import delivery, invitations, reminders
from tests.factories import make_invitation, make_person, make_returned_role

pytestmark = pytest.mark.django_db


def sweep(*, days: float) -> list[list[str]]:
    """What has been mailed to whom, that many days after now."""
    with time_machine.travel(timezone.now() + timedelta(days=days)):
        reminders.remind_of_ending_links()
        for pk in Mail.objects.under_way().filter(kind=MailKind.REMINDER).values_list("pk", flat=True):
            delivery.deliver(pk)
    return sorted(message.to for message in mail.outbox)


@pytest.fixture
def invitation(alice) -> Invitation:
    make_person("ada@hoshino.example", admin=True)
    make_person("erin@hoshino.example")
    return make_invitation().invitation


def test_every_admin_is_told_three_days_before_the_end_and_once(invitation):
    assert sweep(days=10.9) == []
    assert sweep(days=11.1) == [["ada@hoshino.example"], ["alice@hoshino.example"]]
    assert len(sweep(days=12)) == 2


def test_a_longer_term_is_told_of_again_at_its_own_end(invitation, alice):
    sweep(days=11.1)
    with time_machine.travel(timezone.now() + timedelta(days=13)):
        invitations.extend_invitation(invitation, by=alice)
    assert len(sweep(days=20)) == 2
    assert len(sweep(days=25)) == 4


def test_nobody_is_told_of_a_link_that_was_used_revoked_or_has_ended(alice):
    make_returned_role()
    revoked = make_invitation().invitation
    invitations.revoke_invitation(revoked, by=alice)
    make_invitation()
    Invitation.objects.filter(revoked_at=None).update(expires_at=timezone.now() + timedelta(days=2))
    make_invitation()
    assert sweep(days=3) == []


def test_who_is_no_longer_an_admin_hears_nothing(invitation, alice):
    with time_machine.travel(timezone.now() + timedelta(days=12)):
        reminders.remind_of_ending_links()
        alice.is_active = False
        alice.save()
        for waiting in Mail.objects.all():
            delivery.deliver(waiting.pk)
    assert [message.to for message in mail.outbox] == [["ada@hoshino.example"]]


def test_a_link_that_was_used_after_all_is_no_longer_told_of(invitation):
    with time_machine.travel(timezone.now() + timedelta(days=12)):
        reminders.remind_of_ending_links()
        Invitation.objects.update(revoked_at=timezone.now())
        delivery.deliver(Mail.objects.all()[0].pk)
    assert mail.outbox == []


def test_links_of_a_few_days_are_told_of_in_their_last_quarter(invitation, settings):
    settings.INVITATION_LIFETIME = timedelta(days=4)
    Invitation.objects.update(expires_at=timezone.now() + timedelta(days=4))
    assert sweep(days=2.9) == []
    assert len(sweep(days=3.1)) == 2
