from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from onboarding.core.alerts import AlertKind
from onboarding.core.probes import Outcome, ProbeKind, VerdictCode
from onboarding.core.states import State
from onboarding.core.trust import policy_text
from onboarding.models import Alert, AuditEvent, Bastion, Delivery, ExternalRole, Invitation, ReadingSource
from onboarding.services import (
    access,
    alert_texts,
    alerts,
    diagnosis,
    invitations,
    offboarding,
    retirement,
)
from onboarding.services import config as configs
from tests.factories import Door, check, make_checked_role, make_grant

pytestmark = pytest.mark.django_db
SHUT, OPEN = Outcome.DENIED, Outcome.ENTERED
QUARTER = timedelta(minutes=15)


def shut() -> Door:
    return Door(with_external_id=SHUT, without=SHUT)


@pytest.fixture
def role(alice) -> ExternalRole:
    """Being retired; its door is still open."""
    made = make_checked_role()
    offboarding.retire_role(made, by=alice)
    return fresh(made)


def fresh(role: ExternalRole) -> ExternalRole:
    return ExternalRole.objects.with_owner().get(pk=role.pk)


def tried(role: ExternalRole, door: Door, *, after: timedelta = timedelta(0)) -> ExternalRole:
    with time_machine.travel(timezone.now() + after, tick=False):
        check(fresh(role), door)
    return fresh(role)


def test_one_denial_does_not_retire_a_role(role):
    once = tried(role, shut())
    assert once.state == State.RETIRING
    assert once.seen_shut_at
    assert once.next_check_at == once.seen_shut_at + QUARTER


def test_two_denials_a_quarter_of_an_hour_apart_do(role):
    tried(role, shut())
    assert tried(role, shut(), after=timedelta(minutes=14)).state == State.RETIRING
    retired = tried(role, shut(), after=timedelta(minutes=16))
    assert (retired.state, retired.next_check_at) == (State.RETIRED, None)
    assert AuditEvent.objects.get(action="role_state_changed", facts__after="retired").facts["before"] == "retiring"
    assert Alert.objects.filter(kind=AlertKind.RETIRED).count() == 1


def test_a_door_that_opens_in_between_begins_anew(role):
    tried(role, shut())
    assert tried(role, Door(), after=timedelta(minutes=10)).seen_shut_at is None
    assert tried(role, shut(), after=timedelta(minutes=16)).state == State.RETIRING
    assert tried(role, shut(), after=timedelta(minutes=32)).state == State.RETIRED


def test_a_door_that_is_shut_with_the_external_id_and_opens_without_it_is_open(role):
    wide = Door(with_external_id=SHUT, without=OPEN)
    assert tried(role, wide).seen_shut_at is None
    assert tried(role, wide, after=timedelta(minutes=20)).state == State.RETIRING
    assert role.validations.finished().latest("pk").verdict == VerdictCode.OPENS_WITHOUT_EXTERNAL_ID


def test_the_door_is_tried_with_and_without_the_external_id(role):
    door = shut()
    tried(role, door)
    assert door.orders[0].is_retiring
    kinds = [probe.kind for probe in role.validations.finished().latest("pk").recorded_probes]
    assert kinds == [
        ProbeKind.OWN_IDENTITY,
        ProbeKind.VALIDATOR_ROLE,
        ProbeKind.WITH_EXTERNAL_ID,
        ProbeKind.WITHOUT_EXTERNAL_ID,
    ]


def test_what_is_no_plain_denial_shows_nothing(role):
    odd = Door(with_external_id=SHUT, without=Outcome.REFUSED_OTHERWISE)
    assert tried(role, odd).seen_shut_at is None
    tried(role, shut())
    assert tried(role, odd, after=timedelta(minutes=20)).state == State.RETIRING
    assert tried(role, shut(), after=timedelta(minutes=21)).state == State.RETIRED


def test_a_denial_counts_only_while_our_control_role_opens(role):
    controls = {f"{name}_control_role_arn": f"arn:aws:iam::444455556666:role/{name}" for name in ("open", "asking")}
    Bastion.objects.update(controls_hold=False, **controls)
    assert tried(role, shut()).seen_shut_at is None
    assert tried(role, shut(), after=timedelta(minutes=20)).state == State.RETIRING


def test_a_setting_of_the_sandbox_shortens_the_wait(role, settings):
    settings.SHUT_AGAIN_AFTER = timedelta(seconds=20)
    tried(role, shut())
    assert tried(role, shut(), after=timedelta(seconds=21)).state == State.RETIRED


def test_the_partner_is_told_by_mail_what_to_remove(role):
    with time_machine.travel(timezone.now() + timedelta(minutes=2)):
        alerts.tell_due()
    delivery = Delivery.objects.get()
    letter = alert_texts.letter(delivery)
    assert delivery.partner == role.account.partner
    assert role.role_name in letter.subject
    assert role.role_arn in letter.text
    assert "delete the role" in letter.text
    assert role.account.invitations.get().reference in letter.text


def test_roles_of_one_account_that_are_retired_together_make_one_mail(role, alice):
    account = role.account
    second = make_checked_role(_another(account))
    offboarding.retire_role(second, by=alice)
    with time_machine.travel(timezone.now() + timedelta(minutes=2)):
        alerts.tell_due()
    letter = alert_texts.letter(Delivery.objects.get())
    assert role.role_arn in letter.text
    assert second.role_arn in letter.text


def _another(account):
    from tests.factories import make_role

    return make_role(account)


def test_the_link_that_the_partner_holds_is_good_again(alice):
    role = make_checked_role()
    Invitation.objects.update(expires_at=timezone.now() - timedelta(days=100))
    offboarding.retire_role(role, by=alice)
    assert Invitation.objects.get().is_usable(at=timezone.now())


def test_configs_drop_the_profile(alice, carol):
    role = make_checked_role()
    make_grant(role, carol)
    snippet = lambda: configs.config_snippet(carol, access.entitled_roles(carol, at=timezone.now())).text  # noqa: E731
    assert role.profile_name in snippet()
    offboarding.retire_role(role, by=alice)
    assert role.profile_name not in snippet()


def test_what_the_partner_says_shows_the_employees_path(role):
    assert retirement.door_of(role).employees == retirement.EmployeePath()
    invitation = role.account.invitations.get()
    offboarding.say_deleted(invitation, role)
    offboarding.say_deleted(invitation, role)
    said = fresh(role)
    assert retirement.door_of(said).employees.is_shut
    assert said.state == State.RETIRING
    assert said.validations.open().count() == 1
    event = AuditEvent.objects.get(action="role_said_deleted")
    assert event.actor_label == invitations.partner_label(invitation)


def test_what_the_partner_pastes_shows_the_employees_path(role):
    def pasted(text: str) -> retirement.EmployeePath:
        diagnosis.keep(role, text, source=ReadingSource.PASTED, at=timezone.now())
        return retirement.door_of(fresh(role)).employees

    still_open = pasted(policy_text(role.trust_policy))
    assert still_open.pasted_at
    assert not still_open.is_shut
    assert pasted('{"Version": "2012-10-17", "Statement": []}').is_shut


def test_a_policy_that_was_pasted_while_the_work_went_on_shows_nothing(alice):
    role = make_checked_role()
    diagnosis.keep(role, '{"Statement": []}', source=ReadingSource.PASTED, at=timezone.now())
    with time_machine.travel(timezone.now() + timedelta(minutes=1)):
        offboarding.retire_role(role, by=alice)
        assert retirement.door_of(fresh(role)).employees == retirement.EmployeePath()


def test_nobody_says_of_a_role_in_use_that_it_is_deleted(alice):
    role = make_checked_role()
    offboarding.say_deleted(role.account.invitations.get(), role)
    assert fresh(role).said_deleted_at is None
    assert retirement.door_of(fresh(role)) is None


def test_sessions_may_live_for_an_hour_after_the_door_was_seen_shut(role):
    once = tried(role, shut())
    assert retirement.door_of(once).sessions_end_at == once.seen_shut_at + timedelta(hours=1)
