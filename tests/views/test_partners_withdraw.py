"""A partner ends a role by themselves: all admins are told, and its retirement begins."""

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from onboarding.core.probes import Outcome
from onboarding.core.states import State
from onboarding.models import AuditEvent, ExternalRole, Mail, Validation
from onboarding.services import delivery, offboarding
from tests.factories import Door, check, make_checked_role, make_invitation, make_person, make_role
from tests.views.partner_pages import of_role, open_link, page

pytestmark = pytest.mark.django_db


def withdraw(client, invitation, role):
    return client.post(of_role("withdraw", invitation, role), follow=True)


def test_a_returned_role_begins_to_retire_and_its_door_is_tried_until_it_is_shut(client):
    role = make_checked_role()
    invitation = open_link(client, role)
    answer = withdraw(client, invitation, role)
    assert "You have withdrawn" in answer.text
    assert "The work with this role has ended, and AWS still lets us in." in answer.text
    assert "We withdraw this" not in answer.text
    role.refresh_from_db()
    assert role.state == State.RETIRING
    assert role.withdrawn_at
    assert Validation.objects.open().filter(external_role=role, trigger="partner").exists()
    check(role, Door(with_external_id=Outcome.DENIED))
    role.refresh_from_db()
    assert role.seen_shut_at
    assert role.retirement_begun_at == role.withdrawn_at


def test_every_admin_is_told_and_the_audit_log_names_the_partner(client, alice):
    make_person("ada@hoshino.example", admin=True)
    role = make_checked_role()
    invitation = open_link(client, role)
    withdraw(client, invitation, role)
    event = AuditEvent.objects.get(action="role_withdrawn")
    assert event.actor_label == f"{role.account.partner.name} ({invitation.reference})"
    assert event.facts == {"before": "proven", "after": "retiring"}
    for waiting in Mail.objects.all():
        delivery.deliver(waiting.pk)
    assert sorted(message.to[0] for message in mail.outbox) == ["ada@hoshino.example", "alice@hoshino.example"]
    client.force_login(alice)
    assert "The partner has ended it." in client.get(reverse("onboarding:admins:overview")).text
    assert "withdrawn by the partner" in client.get(reverse("onboarding:admins:role", args=[role.uuid])).text


def test_a_role_that_was_never_returned_is_gone_at_once(client):
    role = make_role()
    invitation = open_link(client, role)
    assert "there will be no such role" in client.get(page(invitation)).text
    answer = withdraw(client, invitation, role)
    assert f"You have withdrawn {role.role_name}" in answer.text
    assert "Nothing is asked for at the moment" in answer.text
    assert ExternalRole.objects.get().state == State.RETIRED


def test_a_second_press_changes_nothing_and_says_so(client):
    role = make_checked_role()
    invitation = open_link(client, role)
    withdraw(client, invitation, role)
    assert "Nothing changed" in withdraw(client, invitation, role).text
    assert AuditEvent.objects.filter(action="role_withdrawn").count() == 1


def test_a_suspended_role_can_be_withdrawn_too(client, alice):
    role = make_checked_role()
    offboarding.suspend_role(role, by=alice)
    withdraw(client, open_link(client, role), role)
    assert ExternalRole.objects.get().state == State.RETIRING


def test_nobody_withdraws_another_partners_role(client):
    mine, theirs = make_checked_role(), make_checked_role()
    invitation = open_link(client, mine)
    assert client.post(of_role("withdraw", invitation, theirs)).status_code == 404
    other = make_invitation(theirs).invitation
    assert client.post(of_role("withdraw", other, theirs)).status_code == 404
    assert not ExternalRole.objects.filter(state=State.RETIRING).exists()


def test_a_get_withdraws_nothing(client):
    role = make_checked_role()
    invitation = open_link(client, role)
    assert client.get(of_role("withdraw", invitation, role)).status_code == 405
    guarded = Client(enforce_csrf_checks=True)
    guarded.cookies = client.cookies
    assert guarded.post(of_role("withdraw", invitation, role)).status_code == 403
    assert ExternalRole.objects.get().state == State.PROVEN


def test_the_page_tells_later_when_the_role_last_worked_and_who_asked_for_it(client):
    role = make_checked_role()
    text = client.get(page(open_link(client, role))).text
    for told in ("Asked for by", "Alice Admin", "Last worked", "Next check"):
        assert told in text
