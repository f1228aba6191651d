import csv
import io
import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django.asserts import assertContains, assertNotContains

from onboarding.models import ExternalRole, ValidationRound
from onboarding.services import offboarding, rounds
from tests.factories import Door, check, make_account, make_checked_role, make_partner, make_role

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def as_alice(client, alice):
    client.force_login(alice)


def url(name: str, *args: object) -> str:
    return reverse(f"onboarding:admins:{name}", args=args)


def of(partner_name: str) -> ExternalRole:
    return make_checked_role(make_role(make_account(make_partner(partner_name))))


def rows(answer) -> list[dict[str, str]]:
    text = answer.getvalue().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def test_the_report_names_every_returned_role(client):
    role, waiting = of("Kestrel Analytics"), make_role()
    page = client.get(url("report"))
    assertContains(page, role.role_name)
    assertContains(page, "1 of 1")
    assertNotContains(page, waiting.role_name)


def test_a_partners_report_holds_their_roles_alone(client):
    theirs, others = of("Kestrel Analytics"), of("Lumen Pharma")
    partner = theirs.account.partner
    for name in ("partner_report", "partner_report_csv", "partner_report_json"):
        answer = client.get(url(name, partner.uuid))
        text = answer.getvalue().decode() if answer.streaming else answer.text
        assert theirs.role_name in text
        assert others.role_name not in text


def test_the_csv_runs_no_formula(client):
    of('=HYPERLINK("https://evil.example","x")')
    (row,) = rows(client.get(url("report_csv")))
    assert row["partner"].startswith("'=")
    assert (row["checks"], row["passed"], row["state"]) == ("1", "1", "proven")


def test_the_json_is_json_and_says_of_which_time(client):
    role = of("Kestrel Analytics")
    answer = client.get(url("report_json"), {"time": "30"})
    told = json.loads(answer.getvalue())
    assert told["roles"][0]["role_arn"] == role.role_arn
    assert told["from"] < told["to"]
    assert answer["Content-Disposition"].startswith('attachment; filename="proven-')
    assert json.loads(client.get(url("report_json"), {"time": "never"}).getvalue())["roles"]


def test_an_empty_report_is_whole(client):
    assert json.loads(client.get(url("report_json")).getvalue())["roles"] == []
    assert rows(client.get(url("report_csv"))) == []
    assertContains(client.get(url("report")), "No role was returned yet")


def test_the_report_costs_the_same_queries_for_one_role_and_for_many(client):
    def queries() -> int:
        with CaptureQueriesContext(connection) as found:
            client.get(url("report"))
        return len(found)

    of("Kestrel Analytics")
    one = queries()
    for _ in range(4):
        make_checked_role()
    assert queries() == one


# --- Validate all again -------------------------------------------------------------------------------------------


def test_all_are_validated_again_watched_and_stopped(client, alice):
    make_checked_role()
    page = client.get(url("validations"))
    assertContains(page, "Validate every role")
    client.post(url("begin_round"))
    page = client.get(url("validations"))
    assertContains(page, "0 of 1 roles validated")
    assertContains(page, f'hx-get="{url("round_live")}"')
    assertNotContains(page, "Validate every role")
    found = ValidationRound.objects.get()
    rounds.advance(found.pk, 0)
    check(ExternalRole.objects.get(), Door())
    live = client.get(url("round_live"), headers={"HX-Request": "true"})
    assertContains(live, "1 of 1 roles validated")
    client.post(url("stop_round", found.uuid))
    assertContains(client.get(url("validations")), "when Alice Admin stopped it")
    live = client.get(url("round_live"), headers={"HX-Request": "true"})
    assertNotContains(live, "hx-get")


def test_a_round_that_ended_says_so(client, alice):
    make_checked_role()
    client.post(url("begin_round"))
    found = ValidationRound.objects.get()
    for look in range(3):
        rounds.advance(found.pk, look)
        for row in found.validations.open():
            check(row.external_role, Door())
    assertContains(client.get(url("validations")), "1 role was validated")


def test_beginning_twice_says_that_one_runs(client):
    make_checked_role()
    client.post(url("begin_round"))
    assertContains(client.post(url("begin_round"), follow=True), "being validated already")


# --- The door -----------------------------------------------------------------------------------------------------


def test_the_page_of_a_role_that_is_being_retired_says_what_is_known_of_its_door(client, alice):
    role = make_checked_role()
    offboarding.retire_role(role, by=alice)
    assertContains(client.get(url("role", role.uuid)), "not seen shut yet")
    assertContains(client.get(url("role", role.uuid)), "not known: our checks go by the validator role alone")


def test_the_chart_counts_in_words_too(client):
    role = make_checked_role()
    assertContains(client.get(url("role", role.uuid)), "1 of 1 check passed in the last thirteen weeks.")
