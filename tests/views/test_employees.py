"""The employee's page: what is granted, what is handed out, and what is told about it."""

import configparser
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape
from pytest_django.asserts import assertRedirects

from onboarding.core import states
from onboarding.core.probes import Outcome
from onboarding.models import AuditEvent, ExternalRole, Person, PortalRole
from onboarding.services import access, people
from onboarding.services.access import GrantTerms
from onboarding.services.people import PersonDetails
from tests import factories
from tests.factories import Door, check, make_account, make_checked_role, make_grant, make_partner, make_role

pytestmark = pytest.mark.django_db
PAGE = reverse("onboarding:employees:access")
CONFIG = reverse("onboarding:employees:config")


@pytest.fixture
def willow(carol: Person) -> ExternalRole:
    """Proven, and granted to carol."""
    return granted(carol, "willow-telemetry", partner="Willow Robotics")


def granted(person: Person, profile_name: str, *, partner: str = "", door: Door | None = None) -> ExternalRole:
    role = make_checked_role(make_role(make_account(make_partner(partner)), profile_name=profile_name), door=door)
    make_grant(role, person)
    return role


def read(response) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser(strict=True, comment_prefixes=())
    parser.read_string(response.text)
    return parser


def test_a_proven_role_is_shown_and_stands_in_the_config(client, carol, willow):
    client.force_login(carol)
    page = client.get(PAGE)
    assert "willow-telemetry" in page.text
    assert "Willow Robotics" in page.text
    config = read(client.get(CONFIG))
    assert dict(config["profile willow-telemetry"]) == {
        "role_arn": willow.role_arn,
        "source_profile": "hoshino-bastion",
        "external_id": willow.external_id,
        "role_session_name": "carol@hoshino.example",
        "region": "ap-northeast-1",
    }
    assert config["profile hoshino-bastion"]["sso_role_name"] == "PartnerAccess"
    assert config["profile hoshino-bastion"]["sso_session"] == "hoshino"
    assert config["sso-session hoshino"]["sso_start_url"] == "https://d-9067f0e1a2.awsapps.com/start"


def test_the_download_is_a_file_called_config_that_nobody_keeps(client, carol, willow):
    client.force_login(carol)
    answer = client.get(CONFIG)
    assert answer["Content-Disposition"] == 'attachment; filename="config"'
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert "no-store" in answer["Cache-Control"]
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_roles_that_fail_after_they_worked_stay_in_the_config_and_are_marked(client, carol, willow):
    check(willow, Door(with_external_id=Outcome.DENIED))
    client.force_login(carol)
    assert "The last check failed" in client.get(PAGE).text
    check(willow, Door(with_external_id=Outcome.DENIED))
    page = client.get(PAGE)
    assert "AWS denied our last checks. The turn of Willow Robotics." in page.text
    assert "profile willow-telemetry" in read(client.get(CONFIG))


def test_a_role_that_opens_too_wide_is_listed_with_the_reason_and_left_out(client, carol, willow):
    granted(carol, "kestrel-reports", partner="Kestrel Analytics", door=Door(without=Outcome.ENTERED))
    client.force_login(carol)
    page = client.get(PAGE)
    assert "kept back. The turn of Kestrel Analytics." in page.text
    assert read(client.get(CONFIG)).sections() == [
        "sso-session hoshino",
        "profile hoshino-bastion",
        "profile willow-telemetry",
    ]


def test_every_state_that_an_employee_can_meet_has_its_words(client, carol, willow):
    client.force_login(carol)
    for state in set(states.LIVE) - {states.State.RETIRING, states.State.PROVEN}:
        ExternalRole.objects.filter(pk=willow.pk).update(state=state)
        row = client.get(PAGE).context["rows"][0]
        assert row.why
        assert bool(row.section) == (state in states.HANDED_OUT)


def test_where_no_role_is_open_there_is_no_file_and_the_page_says_why(client, carol):
    make_grant(make_role(), carol)
    client.force_login(carol)
    page = client.get(PAGE)
    assert "Nothing to hand out yet" in page.text
    assert CONFIG not in page.text
    assertRedirects(client.get(CONFIG), PAGE)


def test_a_person_without_grants_is_told_whom_to_ask(client, dave):
    client.force_login(dave)
    page = client.get(PAGE)
    assert "Ask Mio Tanabe" in page.text
    assert "mailto:cloud@hoshino.example" in page.text
    assertRedirects(client.get(CONFIG), PAGE)


def test_another_persons_roles_are_neither_shown_nor_handed_out(client, dave, willow):
    make_grant(make_checked_role(make_role(profile_name="own-role")), dave)
    client.force_login(dave)
    assert "willow-telemetry" not in client.get(PAGE).text
    assert "willow-telemetry" not in client.get(CONFIG).text
    assert client.post(reverse("onboarding:employees:profile_copied", args=[willow.uuid])).status_code == 404


def test_a_grant_by_group_opens_the_role_and_names_its_end(client, carol):
    role = make_checked_role()
    people.change_person(carol, details_of(carol, groups=("analysts",)))
    group = carol.groups.get()
    end = timezone.now() + timedelta(days=400)
    access.grant(role, group, GrantTerms(expires_at=end), by=factories.an_admin())
    client.force_login(carol)
    assert "granted until" in client.get(PAGE).text
    with time_machine.travel(end + timedelta(seconds=1)):
        client.force_login(carol)
        assert not client.get(PAGE).context["roles"]


def test_a_second_grant_without_an_end_lifts_the_end(client, carol):
    role = make_checked_role()
    make_grant(role, carol, for_hours=5)
    people.change_person(carol, details_of(carol, groups=("analysts",)))
    client.force_login(carol)
    assert client.get(PAGE).context["rows"][0].until
    access.grant(role, carol.groups.get(), GrantTerms(), by=factories.an_admin())
    assert not client.get(PAGE).context["rows"][0].until


def test_the_first_download_lights_the_fifth_stone_and_stands_in_the_audit_log(client, carol, willow):
    client.force_login(carol)
    client.head(CONFIG)
    assert not ExternalRole.objects.get(pk=willow.pk).is_used
    client.get(CONFIG)
    assert ExternalRole.objects.get(pk=willow.pk).is_used
    event = AuditEvent.objects.get(action="config_taken")
    assert event.actor == carol
    assert event.facts == {"profiles": ["willow-telemetry"]}


@pytest.mark.parametrize("whole", [True, False])
def test_copying_is_told_like_a_download(client, carol, willow, whole):
    url = reverse("onboarding:employees:config_copied")
    if not whole:
        url = reverse("onboarding:employees:profile_copied", args=[willow.uuid])
    client.force_login(carol)
    assert url in client.get(PAGE).text
    assert client.get(url).status_code == 405
    assert not ExternalRole.objects.get(pk=willow.pk).is_used
    assert client.post(url).status_code == 204
    assert ExternalRole.objects.get(pk=willow.pk).is_used


def test_what_is_copied_is_what_is_downloaded(client, carol, willow):
    for number in range(5):
        granted(carol, f"another-{number}")
    client.force_login(carol)
    page, text = client.get(PAGE), client.get(CONFIG).text
    assert f'<pre id="whole-config" hidden>{escape(text)}</pre>' in page.text
    assert page.context["offer"].lines == len(text.splitlines())
    assert "… 4 more profiles" in page.text
    for row in page.context["rows"]:
        assert row.section in text
        assert row.section.startswith(f"[profile {row.role.profile_name}]\n")


@pytest.mark.parametrize("text", ["willow", "WILLOW-TELE", "Willow Robotics", "4444 5555 6666", "444455"])
def test_search_finds_by_partner_profile_and_account(client, carol, text):
    account = make_account(make_partner("Willow Robotics"), account_id="444455556666")
    make_grant(make_checked_role(make_role(account, profile_name="willow-telemetry")), carol)
    granted(carol, "ostrava-quality", partner="Ostrava Steelworks")
    client.force_login(carol)
    assert shown(client.get(PAGE, {"q": text})) == ["willow-telemetry"]


def test_a_search_leaves_the_config_whole(client, carol, willow):
    client.force_login(carol)
    page = client.get(PAGE, {"q": "no such role\0"})
    assert "No role of yours matches" in page.text
    assert "[profile willow-telemetry]" in page.text


def test_the_chips_divide_what_is_handed_out_from_what_is_left_out(client, carol, willow):
    make_grant(make_role(profile_name="not-yet"), carol)
    client.force_login(carol)
    assert shown(client.get(PAGE, {"show": "config"})) == ["willow-telemetry"]
    assert shown(client.get(PAGE, {"show": "left-out"})) == ["not-yet"]
    page = client.get(PAGE, {"show": "nonsense", "q": "t"})
    assert [(chip.count, chip.current) for chip in page.context["filters"]] == [(2, True), (1, False), (1, False)]
    assert page.context["filters"][2].url == "?q=t&show=left-out"


def test_the_commands_name_the_session_and_a_role_that_opens(client, carol, willow):
    broken = granted(carol, "aaa-broken")
    check(broken, Door(with_external_id=Outcome.DENIED))
    client.force_login(carol)
    text = client.get(PAGE).text
    offer = client.get(PAGE).context["offer"]
    assert offer.sign_in == "aws sso login --sso-session hoshino"
    assert offer.check == "aws sts get-caller-identity --profile willow-telemetry"
    assert "2.11" in text
    assert "aws --version" in text
    assert "aws sso login --profile" not in text


@pytest.mark.parametrize(
    "damage",
    [
        {"external_id": "abc\ncredential_process = touch /tmp/x"},
        {"profile_name": "x]\n[DEFAULT"},
        {"role_arn": "arn:aws:iam::1:role/x"},
        {"region": "x.evil.example/"},
    ],
)
def test_a_stored_value_that_could_become_syntax_stops_the_whole_config(client, carol, willow, damage, caplog):
    granted(carol, "well-behaved")
    ExternalRole.objects.filter(pk=willow.pk).update(**damage)
    client.force_login(carol)
    page = client.get(PAGE)
    assert page.status_code == 200
    assert "Your config is not offered" in page.text
    assert "cloud@hoshino.example" in page.text
    assert CONFIG not in page.text
    assert "sso_session" not in page.text
    assertRedirects(client.get(CONFIG), PAGE)
    assert "config_not_offered" in caplog.text
    assert "credential_process" not in caplog.text


def test_the_page_asks_the_database_as_often_for_many_roles_as_for_one(client, carol, django_assert_num_queries):
    granted(carol, "first-role")
    client.force_login(carol)
    with CaptureQueriesContext(connection) as for_one:
        client.get(PAGE, {"q": "role"})
    for number in range(6):
        granted(carol, f"role-{number}")
    with django_assert_num_queries(len(for_one)):
        client.get(PAGE, {"q": "role"})
    assert len(for_one) <= 8


def test_many_roles_are_listed_page_by_page(client, carol):
    for number in range(52):
        make_grant(make_role(profile_name=f"role-{number:02}"), carol)
    client.force_login(carol)
    first = client.get(PAGE)
    assert len(first.context["rows"]) == 50
    second = client.get(PAGE + first.context["next_url"])
    assert shown(second) == ["role-50", "role-51"]
    assert client.get(PAGE + second.context["previous_url"]).context["rows"] == first.context["rows"]


def test_a_stranger_is_asked_to_sign_in(client):
    for url in (PAGE, CONFIG):
        assertRedirects(client.get(url), f"{reverse('account_login')}?next={url}")


def shown(page) -> list[str]:
    return [row.role.profile_name for row in page.context["rows"]]


def details_of(person: Person, *, groups: tuple[str, ...]) -> PersonDetails:
    return PersonDetails(
        first_name=person.first_name,
        last_name=person.last_name,
        portal_role=PortalRole(person.portal_role),
        groups=groups,
    )
