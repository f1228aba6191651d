from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.core import mail
from django.utils import timezone

from onboarding.core.states import State
from onboarding.models import ExternalRole, Invitation
from onboarding.services import invitations, notifications, offboarding
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


def test_an_expired_link_is_answered_to_the_registered_address_only(django_capture_on_commit_callbacks):
    role = make_role(make_account(make_partner(contact_email="bob@willow.example")))
    issued = make_invitation(role)
    invitation = expire(issued.invitation)
    with django_capture_on_commit_callbacks():
        invitations.ask_for_new_link(invitation)
    invitations.send_fresh_link(invitation.pk)
    invitations.send_fresh_link(invitation.pk)
    assert [message.to for message in mail.outbox] == [["bob@willow.example"]]
    token = mail.outbox[0].body.split("/i/")[1].split()[0]
    assert invitations.find_by_token(token) is not None
    assert invitations.find_by_token(issued.link_token) is None


def test_asking_again_and_again_sends_one_mail_in_ten_minutes(django_capture_on_commit_callbacks):
    invitation = expire(make_invitation().invitation)
    with django_capture_on_commit_callbacks() as queued:
        invitations.ask_for_new_link(invitation)
        invitations.ask_for_new_link(invitation)
    assert len(queued) == 1
    with time_machine.travel(timezone.now() + timedelta(minutes=11)), django_capture_on_commit_callbacks() as queued:
        invitations.ask_for_new_link(invitation)
    assert len(queued) == 1


def test_a_usable_link_is_not_replaced_by_asking(django_capture_on_commit_callbacks):
    invitation = make_invitation().invitation
    with django_capture_on_commit_callbacks() as queued:
        invitations.ask_for_new_link(invitation)
    assert not queued


def test_a_link_that_an_admin_sent_meanwhile_is_not_ended(alice):
    invitation = expire(make_invitation().invitation)
    invitations.ask_for_new_link(invitation)
    by_hand = invitations.issue_invitation(invitation.account, by=alice)
    invitations.send_fresh_link(invitation.pk)
    assert not mail.outbox
    assert invitations.find_by_token(by_hand.link_token) == by_hand.invitation


def test_a_mail_server_that_is_down_loses_no_ask(settings):
    invitation = expire(make_invitation().invitation)
    invitations.ask_for_new_link(invitation)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    with pytest.raises(notifications.MailUnavailable):
        invitations.send_fresh_link(invitation.pk)
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    invitations.send_fresh_link(invitation.pk)
    assert len(mail.outbox) == 1


def test_a_name_cannot_break_out_of_the_subject():
    partner = make_partner("Willow\u2028Bcc: x@evil.example")
    invitation = make_invitation(make_role(make_account(partner))).invitation
    notifications.mail_link(invitation, "token")
    assert "\n" not in mail.outbox[0].subject
    assert mail.outbox[0].bcc == []


def test_the_last_retired_role_leaves_nothing_to_return(alice):
    role = make_role()
    invitation = make_invitation(role).invitation
    offboarding.retire_role(ExternalRole.objects.get(pk=role.pk), by=alice)
    assert invitations.roles_of(invitation) == []
