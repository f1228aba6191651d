from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.core import mail
from django.utils import timezone

from onboarding.core.states import State
from onboarding.models import ExternalRole, Invitation, Mail
from onboarding.services import delivery, invitations, offboarding
from onboarding.services.invitations import NoLongerUsable, NothingToHandOff
from tests.factories import make_account, make_checked_role, make_invitation, make_partner, make_role

pytestmark = pytest.mark.django_db


def expire(invitation: Invitation) -> Invitation:
    Invitation.objects.filter(pk=invitation.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    return Invitation.objects.get(pk=invitation.pk)


def test_only_the_digest_of_a_link_is_stored():
    issued = make_invitation()
    stored = Invitation.objects.values().get()
    assert issued.link_token not in str(stored)
    assert invitations.find_by_token(issued.link_token) == issued.invitation


def test_a_new_link_ends_the_one_before(alice):
    first = make_invitation()
    second = invitations.issue_invitation(first.invitation.account, by=alice)
    assert invitations.find_by_token(first.link_token) is None
    assert invitations.find_by_token(second.link_token) == second.invitation


def test_an_unknown_and_a_revoked_link_cost_the_same(alice, django_assert_num_queries):
    issued = make_invitation()
    invitations.revoke_invitation(issued.invitation, by=alice)
    for token in (issued.link_token, "never-issued"):
        with django_assert_num_queries(1):
            assert invitations.find_by_token(token) is None


def test_there_is_nothing_to_hand_off_without_a_live_role(alice):
    with pytest.raises(NothingToHandOff):
        invitations.issue_invitation(make_account(), by=alice)


def test_a_new_link_for_a_proven_role_leaves_its_state_alone(alice):
    role = make_checked_role()
    invitations.issue_invitation(role.account, by=alice)
    assert ExternalRole.objects.get(pk=role.pk).state == State.PROVEN


def test_an_expired_link_can_be_extended_and_a_revoked_one_cannot(alice):
    invitation = expire(make_invitation().invitation)
    until = invitations.extend_invitation(invitation, by=alice)
    assert until > timezone.now() + settings.INVITATION_LIFETIME - timedelta(minutes=1)
    invitations.revoke_invitation(invitation, by=alice)
    with pytest.raises(NoLongerUsable):
        invitations.extend_invitation(invitation, by=alice)


def test_opening_is_counted_and_the_first_time_kept():
    invitation = make_invitation().invitation
    invitations.note_opened(invitation)
    first = Invitation.objects.get().opened_at
    invitations.note_opened(invitation)
    assert (Invitation.objects.get().times_opened, Invitation.objects.get().opened_at) == (2, first)


def asked_for_new_link(invitation: Invitation) -> Mail:
    invitations.ask_for_new_link(invitation)
    return invitation.mails.get()


def token_in(message: mail.EmailMessage) -> str:
    return str(message.body).split("/i/")[1].split()[0]


def test_an_expired_link_is_answered_to_the_registered_address_only():
    role = make_role(make_account(make_partner(contact_email="bob@willow.example")))
    issued = make_invitation(role)
    asked = asked_for_new_link(expire(issued.invitation))
    delivery.deliver(asked.pk)
    delivery.deliver(asked.pk)
    assert [message.to for message in mail.outbox] == [["bob@willow.example"]]
    found = invitations.find_by_token(token_in(mail.outbox[0]))
    assert found == issued.invitation
    assert found.is_usable(at=timezone.now() + timedelta(days=13))
    assert invitations.find_by_token(issued.link_token) is None


def test_asking_again_and_again_sends_one_mail_in_ten_minutes():
    invitation = expire(make_invitation().invitation)
    for minutes, mails in ((0, 1), (9, 1), (11, 1)):
        with time_machine.travel(timezone.now() + timedelta(minutes=minutes)):
            invitations.ask_for_new_link(invitation)
        assert invitation.mails.count() == mails
    Mail.objects.update(acknowledged_at=timezone.now())
    with time_machine.travel(timezone.now() + timedelta(minutes=22)):
        invitations.ask_for_new_link(invitation)
    assert invitation.mails.count() == 2


def test_a_usable_link_is_not_replaced_by_asking():
    invitations.ask_for_new_link(make_invitation().invitation)
    assert not Mail.objects.exists()


def test_a_link_that_an_admin_sent_meanwhile_is_not_ended(alice):
    invitation = expire(make_invitation().invitation)
    asked = asked_for_new_link(invitation)
    by_hand = invitations.issue_invitation(invitation.account, by=alice)
    delivery.deliver(asked.pk)
    assert not mail.outbox
    assert invitations.find_by_token(by_hand.link_token) == by_hand.invitation


def test_a_link_to_be_mailed_has_no_token_until_it_goes_out(alice):
    role = make_role()
    invitation = invitations.mail_invitation(role.account, by=alice)
    assert invitation.token_digest is None
    delivery.deliver(invitation.mails.get().pk)
    assert invitations.find_by_token(token_in(mail.outbox[0])) == invitation


def test_mailing_a_link_anew_replaces_its_token_and_keeps_its_number(alice):
    issued = make_invitation()
    for _ in range(2):
        invitations.resend_link(issued.invitation, by=alice)
        delivery.deliver(issued.invitation.mails.under_way().get().pk)
    first, second = map(token_in, mail.outbox)
    assert [invitations.find_by_token(token) for token in (issued.link_token, first)] == [None, None]
    found = invitations.find_by_token(second)
    assert found
    assert found.reference == issued.invitation.reference


def test_two_presses_before_the_mail_goes_out_are_one_mail(alice):
    invitation = make_invitation().invitation
    invitations.resend_link(invitation, by=alice)
    invitations.resend_link(invitation, by=alice)
    assert invitation.mails.count() == 1


def test_a_revoked_link_is_not_mailed_any_more(alice):
    invitation = make_invitation().invitation
    invitations.resend_link(invitation, by=alice)
    invitations.revoke_invitation(invitation, by=alice)
    waiting = Mail.objects.get()
    delivery.deliver(waiting.pk)
    waiting.refresh_from_db()
    assert (mail.outbox, waiting.acknowledged_at, waiting.is_given_up) == ([], None, True)
    with pytest.raises(NoLongerUsable):
        invitations.resend_link(invitation, by=alice)


def test_whoever_holds_a_link_no_longer_does_when_it_was_mailed_anew(alice):
    issued = make_invitation()
    invitation = Invitation.objects.get()
    assert invitations.find_held(str(invitation.uuid), invitation.token_digest or "") == invitation
    invitations.resend_link(invitation, by=alice)
    delivery.deliver(Mail.objects.get().pk)
    assert invitations.find_held(str(invitation.uuid), invitation.token_digest or "") is None
    assert invitations.find_by_token(issued.link_token) is None


def test_while_the_mail_server_refuses_the_link_before_holds_on(alice, no_mail_server):
    issued = make_invitation()
    invitations.resend_link(issued.invitation, by=alice)
    delivery.deliver(Mail.objects.get().pk)
    assert invitations.find_by_token(issued.link_token) == issued.invitation


def test_a_mail_server_that_is_down_loses_no_ask(settings, no_mail_server):
    asked = asked_for_new_link(expire(make_invitation().invitation))
    delivery.deliver(asked.pk)
    asked.refresh_from_db()
    assert (asked.trouble, asked.acknowledged_at) == ("ConnectionRefusedError", None)
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    delivery.deliver(asked.pk)
    assert mail.outbox == []
    with time_machine.travel(timezone.now() + timedelta(seconds=31)):
        delivery.deliver(asked.pk)
    assert len(mail.outbox) == 1


def test_a_link_that_is_given_more_time_is_told_of_again(alice):
    invitation = make_invitation().invitation
    Invitation.objects.update(reminded_at=timezone.now())
    invitations.extend_invitation(invitation, by=alice)
    assert Invitation.objects.get().reminded_at is None


def test_the_last_retired_role_leaves_nothing_to_return(alice):
    role = make_role()
    invitation = make_invitation(role).invitation
    offboarding.retire_role(ExternalRole.objects.get(pk=role.pk), by=alice)
    assert invitations.roles_of(invitation) == []
