import pytest

from onboarding.core.states import IllegalTransition, State
from onboarding.models import ExternalRole
from onboarding.services import invitations, offboarding
from onboarding.services.offboarding import ChangedMeanwhile, RolesStillLive
from tests.factories import make_checked_role, make_invitation, make_role

pytestmark = pytest.mark.django_db


def test_a_role_that_was_never_returned_is_retired_at_once(alice):
    role = make_role()
    offboarding.retire_role(role, by=alice)
    assert ExternalRole.objects.get().state == State.RETIRED


def test_a_suspended_role_is_left_alone_until_it_is_resumed(alice):
    role = make_checked_role()
    offboarding.suspend_role(role, by=alice)
    suspended = ExternalRole.objects.get()
    assert (suspended.state, suspended.next_check_at) == (State.SUSPENDED, None)
    offboarding.resume_role(suspended, by=alice)
    assert ExternalRole.objects.get().state == State.RETURNED
    assert suspended.validations.open().exists()


def test_who_decides_on_an_old_page_changes_nothing(alice):
    role = make_checked_role()
    stale = ExternalRole.objects.get()
    offboarding.suspend_role(role, by=alice)
    with pytest.raises(ChangedMeanwhile):
        offboarding.retire_role(stale, by=alice)
    assert ExternalRole.objects.get().state == State.SUSPENDED


def test_a_retired_role_stays_retired(alice):
    role = make_role()
    offboarding.retire_role(role, by=alice)
    with pytest.raises(IllegalTransition):
        offboarding.retire_role(role, by=alice)


def test_an_account_goes_after_its_last_role_and_its_link_with_it(alice):
    role = make_role()
    issued = make_invitation(role)
    with pytest.raises(RolesStillLive):
        offboarding.retire_account(role.account, by=alice)
    offboarding.retire_role(ExternalRole.objects.get(), by=alice)
    offboarding.retire_account(role.account, by=alice)
    assert invitations.find_by_token(issued.link_token) is None
