"""Validations and the audit log: all of it, filtered and paged; and the check of the chain."""

import re
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.urls import reverse
from pytest_django.asserts import assertContains

import onboarding.services
from onboarding import wording
from onboarding.core.probes import Outcome
from onboarding.models import AuditEvent, AuditHead
from tests.factories import Door, check, make_checked_role, make_partner, make_returned_role, make_role

pytestmark = pytest.mark.django_db
VALIDATIONS, AUDIT = reverse("onboarding:admins:validations"), reverse("onboarding:admins:audit")


@pytest.fixture(autouse=True)
def as_alice(client, alice):
    client.force_login(alice)


def test_validations_are_filtered_by_verdict_and_by_what_asked_for_them(client):
    proven = make_checked_role()
    make_checked_role(door=Door(without=Outcome.ENTERED))
    check(proven, Door())
    found = lambda **query: len(client.get(VALIDATIONS, query).context["rows"])  # noqa: E731
    assert found() == 3
    assert found(verdict="proven") == 2
    assert found(verdict="proven", trigger="admin") == 1
    assertContains(client.get(VALIDATIONS, {"verdict": "denied"}), "No such validation")


def test_a_validation_that_waits_says_so(client):
    make_returned_role()
    assertContains(client.get(VALIDATIONS), "Waits for a worker")


def test_the_audit_log_tells_facts_in_words(client):
    role = make_checked_role()
    page = client.get(AUDIT, {"subject": str(role.uuid)})
    assertContains(page, "Registered the role")
    assertContains(page, role.external_id)
    assertContains(page, "<dd>Proven</dd>")


def test_the_audit_log_is_filtered_by_action_actor_and_subject(client):
    role = make_role()
    make_partner("Lumen Pharma")
    found = lambda **query: len(client.get(AUDIT, query).context["rows"])  # noqa: E731
    assert found(action="role_registered") == 1
    assert found(action="no_such_action") == found() == AuditEvent.objects.count()
    assert found(subject="lumen") == 1
    assert found(subject=str(role.uuid)) == 1
    assert found(actor="nobody") == 0
    assert found(actor="alice", action="partner_registered") == 2


def test_every_action_that_a_service_tells_has_its_words():
    source = "".join(path.read_text() for path in Path(onboarding.services.__file__).parent.glob("*.py"))
    calls = r'(?:audit\.append\(|_tell\(|_move\(role, [\w.]+, |"[a-z_]+" if by else |action=)\s*"([a-z_]+)"'
    told = set(re.findall(calls, source))
    assert len(told) > 20
    assert told - set(wording.actions()) == set()


@pytest.mark.parametrize("address", [VALIDATIONS, AUDIT])
def test_a_list_costs_the_same_with_many_rows(client, address, django_assert_max_num_queries):
    def more(count: int) -> None:
        for _number in range(count):
            make_checked_role()

    more(3)
    with django_assert_max_num_queries(5) as few:
        client.get(address)
    more(10)
    with django_assert_max_num_queries(len(few)):
        client.get(address)


# --- The chain ----------------------------------------------------------------------------------------------------


def verify() -> str:
    out = StringIO()
    call_command("verify_audit", stdout=out)
    return out.getvalue()


def test_a_chain_that_holds_is_counted():
    make_role()
    assert verify() == f"{AuditEvent.objects.count()} events hold together.\n"


def tamper(sql: str) -> None:
    """As somebody would who has the database's own password."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            for (name,) in cursor.fetchall():
                cursor.execute(f'DROP TRIGGER "{name}"')
        else:
            cursor.execute("SET session_replication_role = replica")
        cursor.execute(sql)
        if connection.vendor != "sqlite":
            cursor.execute("SET session_replication_role = DEFAULT")


def test_a_changed_event_is_named():
    make_role()
    event = AuditEvent.objects.order_by("pk")[2]
    tamper(f"UPDATE onboarding_auditevent SET actor_label = 'mallory' WHERE id = {event.pk}")
    with pytest.raises(CommandError, match=str(event.uuid)):
        verify()


def test_a_removed_event_is_found_by_the_one_after_it():
    make_role()
    event, after = AuditEvent.objects.order_by("pk")[1:3]
    tamper(f"DELETE FROM onboarding_auditevent WHERE id = {event.pk}")
    with pytest.raises(CommandError, match=str(after.uuid)):
        verify()


def test_a_log_whose_newest_events_are_gone_does_not_hold():
    make_role()
    tamper(f"DELETE FROM onboarding_auditevent WHERE id = {AuditEvent.objects.first().pk}")
    with pytest.raises(CommandError, match="newest events are missing"):
        verify()
    assert AuditHead.objects.exists()
