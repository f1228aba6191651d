from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from onboarding.core.probes import Outcome
from onboarding.core.trust import policy_text
from onboarding.models import ExternalRole
from onboarding.services import offboarding
from tests.factories import Door, check, make_checked_role
from tests.test_permissions import hold

pytestmark = pytest.mark.django_db
SHUT = Outcome.DENIED


@pytest.fixture
def leaving(client, alice):
    """A role whose work has ended, and the page of the partner who holds the link."""
    role = make_checked_role()
    offboarding.retire_role(role, by=alice)
    invitation = role.account.invitations.get()
    hold(client, invitation)
    return role, invitation, reverse("onboarding:partners:handoff", args=[invitation.uuid])


def test_the_page_says_what_to_remove_and_asks_for_nothing_else(client, leaving):
    role, _, page = leaving
    html = client.get(page).text
    assert f"Please remove {role.role_name}" in html
    assert "aws iam delete-role" in "".join(html.replace("</span>", "").split('<span class="l"'))
    assert role.role_arn in html
    assert "Paste the role ARN" not in html


def test_the_partner_says_that_the_role_is_deleted(client, leaving):
    role, invitation, page = leaving
    address = reverse("onboarding:partners:deleted", args=[invitation.uuid, role.uuid])
    assert client.get(address).status_code == 302
    assert ExternalRole.objects.get().said_deleted_at is None
    assert client.post(address)["Location"] == f"{page}#return-{role.uuid}"
    assert ExternalRole.objects.get().said_deleted_at
    html = client.get(page).text
    assert "The role is deleted" not in html
    assert "shut: the role is deleted, as the partner said" in html


def test_a_shut_door_is_shown_with_what_it_shows_and_what_may_still_live(client, leaving):
    role, _, page = leaving
    door = Door(with_external_id=SHUT, without=SHUT)
    check(ExternalRole.objects.get(), door)
    assert "tried once more" in client.get(page).text
    with time_machine.travel(timezone.now() + timedelta(minutes=16)):
        check(ExternalRole.objects.get(), door)
        html = client.get(page).text
    assert f"We have no way in by {role.role_name} any more." in html
    assert "AWS denied us with and without the external ID" in html
    assert "sessions issued before, until" in html
    assert "not known: our checks go by the validator role alone" in html


def test_a_partner_may_have_the_door_of_a_retiring_role_tried(client, leaving):
    role, invitation, _ = leaving
    check(ExternalRole.objects.get(), Door())
    with time_machine.travel(timezone.now() + timedelta(minutes=1)):
        client.post(reverse("onboarding:partners:check", args=[invitation.uuid, role.uuid]))
        assert role.validations.open().count() == 1


def test_a_policy_that_is_pasted_shows_the_employees_way_in(client, leaving):
    role, invitation, page = leaving
    address = reverse("onboarding:partners:check_trust", args=[invitation.uuid, role.uuid])
    check(ExternalRole.objects.get(), Door())
    still = client.post(address, {"trust_policy": policy_text(role.trust_policy)}).text
    assert "still open by the trust policy that the partner pasted" in still
    client.post(address, {"trust_policy": '{"Version": "2012-10-17", "Statement": []}'})
    assert "shut by the trust policy that the partner pasted" in client.get(page).text
