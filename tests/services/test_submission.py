from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from onboarding.core import trust
from onboarding.core.arns import RoleArn
from onboarding.core.errors import BastionsOwnAccount, WrongAccount, WrongPartition
from onboarding.core.handoff.returned import Returned
from onboarding.core.probes import Outcome, VerdictCode
from onboarding.core.states import State
from onboarding.models import AuditEvent, ExternalRole, ReadingSource, TrustReading, Validation
from onboarding.services import offboarding, submission
from onboarding.services.submission import ArnTaken, NothingOffered, NotReturnable
from tests.factories import Door, check, make_checked_role, make_invitation, make_returned_role, make_role

pytestmark = pytest.mark.django_db


def arn_in(role: ExternalRole, name: str = "Other") -> RoleArn:
    return RoleArn.parse(f"arn:aws:iam::{role.account.account_id}:role/{name}")


def test_a_returned_role_is_checked_at_once():
    role = make_returned_role()
    assert role.state == State.RETURNED
    assert Validation.objects.get().role_arn == role.role_arn
    event = AuditEvent.objects.get(action="role_returned")
    assert event.actor is None
    assert "TB-" in event.actor_label


def test_a_policy_that_came_with_the_reply_is_kept_for_the_doctor():
    role = make_role()
    invitation = make_invitation(role).invitation
    text = trust.policy_text(role.trust_policy)
    submission.take_reply(invitation, role, Returned(arn_in(role), text))
    reading = TrustReading.objects.get()
    assert (reading.external_role, reading.source, reading.text) == (role, ReadingSource.PASTED, text)


def test_a_reply_that_is_refused_leaves_no_policy_behind():
    role = make_role()
    invitation = make_invitation(role).invitation
    elsewhere = RoleArn.parse("arn:aws:iam::999999999999:role/X")
    with pytest.raises(WrongAccount):
        submission.take_reply(invitation, role, Returned(elsewhere, "{}"))
    assert not TrustReading.objects.exists()


def test_the_policy_of_an_offered_role_says_nothing_about_the_one_in_use():
    role = make_checked_role()
    invitation = make_invitation(role).invitation
    submission.take_reply(invitation, role, Returned(arn_in(role), trust.policy_text(role.trust_policy)))
    role.refresh_from_db()
    assert role.offered_arn == str(arn_in(role))
    assert not TrustReading.objects.filter(source=ReadingSource.PASTED).exists()


def test_the_same_arn_twice_is_one_submission():
    role = make_role()
    invitation = make_invitation(role).invitation
    for _ in range(3):
        submission.return_role(invitation, role, arn_in(role))
    assert AuditEvent.objects.filter(action="role_returned").count() == 1
    assert Validation.objects.count() == 1


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("arn:aws:iam::999988887777:role/X", WrongAccount),
        ("arn:aws:iam::111122223333:role/X", BastionsOwnAccount),
        ("arn:aws-cn:iam::{account}:role/X", WrongPartition),
    ],
)
def test_a_foreign_arn_is_refused_and_nothing_changes(text, error):
    role = make_role()
    invitation = make_invitation(role).invitation
    with pytest.raises(error):
        submission.return_role(invitation, role, RoleArn.parse(text.format(account=role.account.account_id)))
    assert ExternalRole.objects.get().role_arn == ""


def test_one_arn_cannot_stand_for_two_roles():
    first = make_returned_role()
    second = make_role(first.account)
    invitation = make_invitation(second).invitation
    with pytest.raises(ArnTaken):
        submission.return_role(invitation, second, RoleArn.parse(first.role_arn))


def test_until_it_is_proven_the_arn_is_freely_replaced():
    role = make_checked_role(door=Door(with_external_id=Outcome.DENIED))
    invitation = make_invitation(role).invitation
    replaced = submission.return_role(invitation, role, arn_in(role))
    assert (replaced.role_arn, replaced.state) == (str(arn_in(role)), State.RETURNED)


def test_the_answer_to_the_arn_before_is_not_taken_for_the_new_ones():
    role = make_returned_role()
    asked = Validation.objects.get()
    submission.return_role(make_invitation(role).invitation, role, arn_in(role))
    asked.refresh_from_db()
    assert asked.verdict == VerdictCode.SUPERSEDED
    assert Validation.objects.open().get().role_arn == str(arn_in(role))


def test_a_replacement_while_the_check_runs_makes_its_answer_void():
    role = make_returned_role()
    invitation = make_invitation(role).invitation
    replace = Door(first=lambda: submission.return_role(invitation, role, arn_in(role)))
    check(role, replace)
    now = ExternalRole.objects.get(pk=role.pk)
    assert (now.state, now.role_arn) == (State.RETURNED, str(arn_in(role)))
    assert now.first_proven_at is None


def test_after_it_was_proven_an_admin_must_agree(alice):
    role = make_checked_role()
    offered = submission.return_role(make_invitation(role).invitation, role, arn_in(role))
    assert (offered.state, offered.offered_arn) == (State.PROVEN, str(arn_in(role)))
    accepted = submission.accept_offer(offered, by=alice)
    assert (accepted.state, accepted.role_arn, accepted.offered_arn) == (State.RETURNED, str(arn_in(role)), "")
    assert Validation.objects.open().get().role_arn == str(arn_in(role))


def test_a_declined_offer_leaves_the_proven_role_alone(alice):
    role = make_checked_role()
    offered = submission.return_role(make_invitation(role).invitation, role, arn_in(role))
    submission.decline_offer(offered, by=alice)
    assert ExternalRole.objects.get(pk=role.pk).role_arn == role.role_arn
    for answer in (submission.accept_offer, submission.decline_offer):
        with pytest.raises(NothingOffered):
            answer(offered, by=alice)


def test_nothing_is_returned_for_a_role_that_is_suspended(alice):
    role = make_checked_role(door=Door(with_external_id=Outcome.DENIED))
    offboarding.suspend_role(role, by=alice)
    with pytest.raises(NotReturnable):
        submission.return_role(make_invitation(role).invitation, role, arn_in(role))


@pytest.mark.django_db(transaction=True)
def test_two_submissions_at_once_are_one():
    role = make_role()
    invitation = make_invitation(role).invitation
    start = Barrier(2)

    def submit(_: int) -> None:
        start.wait()
        try:
            submission.return_role(invitation, role, arn_in(role))
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(submit, range(2))) == [None, None]
    assert AuditEvent.objects.filter(action="role_returned").count() == 1
    assert Validation.objects.count() == 1
