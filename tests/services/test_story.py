"""The whole story through the services, with a door of our own in place of AWS."""

import pytest
from django.db import DatabaseError, transaction

from onboarding.core.probes import Outcome, VerdictCode
from onboarding.core.states import State
from onboarding.models import AuditEvent, ExternalRole
from onboarding.services import access, audit
from tests.factories import Door, check, make_checked_role, make_grant, make_invitation, make_person, make_role

pytestmark = pytest.mark.django_db


def test_a_role_that_opens_only_with_its_external_id_is_proven():
    role = make_checked_role()
    assert role.state == State.PROVEN
    assert role.first_proven_at == role.last_proven_at is not None
    assert role.next_check_at is not None


def test_a_role_open_without_the_external_id_is_refused():
    role = make_checked_role(door=Door(without=Outcome.ENTERED))
    assert role.state == State.UNSAFE
    assert role.validations.get().verdict == VerdictCode.OPENS_WITHOUT_EXTERNAL_ID


def test_a_denied_role_is_not_yet_there_while_iam_propagates():
    role = make_checked_role(door=Door(with_external_id=Outcome.DENIED))
    assert role.state == State.NOT_YET


def test_an_invitation_moves_the_accounts_roles():
    role = make_role()
    make_invitation(role)
    assert ExternalRole.objects.get(pk=role.pk).state == State.INVITED


def test_an_entitled_person_sees_the_role_and_another_does_not(carol, dave):
    role = make_checked_role()
    make_grant(role, carol)
    now = role.last_proven_at
    assert list(access.entitled_roles(carol, at=now)) == [role]
    assert not access.entitled_roles(dave, at=now).exists()


def test_probes_made_as_somebody_else_say_nothing_about_the_partner():
    role = make_checked_role()
    told = check(role, Door(as_validator=False, with_external_id=Outcome.DENIED))
    assert told.verdict == VerdictCode.OUR_TROUBLE
    assert ExternalRole.objects.get(pk=role.pk).state == State.PROVEN


def test_the_audit_log_holds_together_and_cannot_be_changed():
    make_checked_role()
    make_person()
    assert audit.check_chain().holds
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        AuditEvent.objects.update(action="nothing")
