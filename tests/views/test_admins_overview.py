"""The first page: what needs somebody, and what comes first on an empty portal."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from onboarding.core.arns import RoleArn
from onboarding.core.probes import Outcome
from onboarding.models import Invitation
from onboarding.services import bastions, invitations, submission
from tests.factories import (
    Door,
    check,
    make_bastion,
    make_checked_role,
    make_invitation,
    make_permission_set,
    make_returned_role,
    make_role,
)

pytestmark = pytest.mark.django_db
OVERVIEW = reverse("onboarding:admins:overview")


@pytest.fixture
def page(client, alice):
    client.force_login(alice)
    return lambda: client.get(OVERVIEW).text


def put_policies(alice) -> None:
    for permission_set in bastions.outdated_permission_sets():
        digest = bastions.permission_set_policy(permission_set).digest
        bastions.note_policy_put(permission_set, digest, by=alice)


def test_an_empty_portal_names_the_first_steps(page):
    found = page()
    assert "First steps" in found
    assert reverse("onboarding:admins:bastions") in found
    make_permission_set()
    assert found.count('class="ok"') == 0
    assert page().count('class="ok"') == 2


def test_the_first_steps_go_with_the_first_link(page):
    make_invitation()
    assert "First steps" not in page()


def test_nothing_to_do_is_praised(page, alice):
    make_checked_role()
    put_policies(alice)
    assert "Nothing needs you" in page()


def test_an_unsafe_role_says_what_happened_and_whose_turn_it_is(page):
    role = make_checked_role(door=Door(without=Outcome.ENTERED))
    found = page()
    assert "opens without the external ID" in found
    assert f"<b>{role.account.partner.name}</b>" in found
    assert reverse("onboarding:admins:role", args=[role.uuid]) in found


def test_an_expired_link_is_extended_by_one_press(client, page):
    invitation = make_invitation().invitation
    Invitation.objects.update(expires_at=timezone.now() - timedelta(hours=1))
    address = reverse("onboarding:admins:extend_link", args=[invitation.uuid])
    assert address in page()
    client.post(address)
    assert address not in page()


def test_a_link_that_nobody_waits_for_is_no_matter(page):
    make_checked_role()
    Invitation.objects.update(expires_at=timezone.now() - timedelta(hours=1))
    assert "hand-off link" not in page()


def test_an_offered_arn_waits_for_us(page):
    role = make_checked_role()
    offered = RoleArn.parse(f"arn:aws:iam::{role.account.account_id}:role/Another")
    submission.return_role(role.account.invitations.get(), role, offered)
    assert "offers another ARN" in page()


def test_a_returned_role_makes_the_permission_sets_policy_old(page, alice):
    make_checked_role()
    assert "To update" in page()
    put_policies(alice)
    assert "To update" not in page()
    make_returned_role()
    assert "To update" in page()


def test_trouble_on_our_own_side_comes_first(page):
    check(make_checked_role(), Door(as_validator=False))
    assert "Our own side cannot check" in page()


def test_checks_that_no_worker_takes_are_told(page):
    role = make_returned_role()
    assert "No worker takes the checks" not in page()
    role.validations.update(requested_at=timezone.now() - timedelta(minutes=5))
    assert "No worker takes the checks" in page()


def test_a_registered_role_without_a_link_is_told(page):
    make_role()
    assert "nobody outside has been asked" in page()


def test_the_page_costs_the_same_with_many_roles(client, alice, django_assert_max_num_queries):
    client.force_login(alice)
    make_bastion()

    def more(count: int) -> None:
        for _number in range(count):
            make_checked_role(door=Door(without=Outcome.ENTERED))
            make_role()
            invitations.note_opened(make_invitation().invitation)
        Invitation.objects.update(expires_at=timezone.now() + timedelta(hours=5))

    more(2)
    with django_assert_max_num_queries(32) as few:
        client.get(OVERVIEW)
    more(8)
    with django_assert_max_num_queries(len(few)):
        client.get(OVERVIEW)
