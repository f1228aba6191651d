"""The employee's page: what is granted, what is handed out, and what is told about it."""

import configparser
import io
import zipfile
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
from onboarding.core.awsconfig import merge
from onboarding.core.probes import Outcome
from onboarding.models import AuditEvent, ConfigChoices, ExternalRole, Person, PortalRole, ProfileChoice
from onboarding.services import access, people
from onboarding.services.access import GrantTerms
from onboarding.services.people import PersonDetails
from tests import factories
from tests.factories import Door, check, make_account, make_checked_role, make_grant, make_partner, make_role

pytestmark = pytest.mark.django_db
PAGE = reverse("onboarding:employees:access")
CONFIG = reverse("onboarding:employees:config")
CHOOSE = reverse("onboarding:employees:choose")


@pytest.fixture
def willow(carol: Person) -> ExternalRole:
    """Proven, and granted to carol."""
    return granted(carol, "willow-telemetry", partner="Willow Robotics")


def granted(person: Person, profile_name: str, *, partner: str = "", door: Door | None = None) -> ExternalRole:
    role = make_checked_role(make_role(make_account(make_partner(partner)), profile_name=profile_name), door=door)
    make_grant(role, person)
    return role


def read(response) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser(strict=True, comment_prefixes="#")
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


def test_roles_that_fail_after_they_worked_stay_in_the_config_and_are_marked(client, carol, willow, settings):
    settings.IAM_PROPAGATION = timedelta(0)
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
    offer = page.context["offer"]
    assert offer.lines == len(text.splitlines())
    assert "… 4 more profiles" in page.text
    beginning, gap = offer.preview.splitlines()[:-1], len(offer.preview.splitlines())
    assert text.splitlines()[: len(beginning)] == beginning
    assert offer.marks == {gap: "gap"}
    for row in page.context["rows"]:
        assert row.section in text
        assert row.section.startswith(f"[profile {row.role.profile_name}]\n")


def test_what_is_downloaded_is_found_again_by_the_next_merge(client, carol, willow):
    client.force_login(carol)
    downloaded = client.get(CONFIG).content
    granted(carol, "another")
    ours = client.get(PAGE).context["snippet"].text
    assert merge(b"# mine\n" + downloaded, ours, {}).content == b"# mine\n" + client.get(CONFIG).content


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


def test_the_chips_divide_what_is_handed_out_from_what_is_withheld(client, carol, willow):
    make_grant(make_role(profile_name="not-yet"), carol)
    client.force_login(carol)
    assert shown(client.get(PAGE, {"show": "handed-out"})) == ["willow-telemetry"]
    assert shown(client.get(PAGE, {"show": "withheld"})) == ["not-yet"]
    page = client.get(PAGE, {"show": "nonsense", "q": "t"})
    assert [(chip.count, chip.current) for chip in page.context["filters"]] == [(2, True), (1, False), (1, False)]
    assert page.context["filters"][2].url == "?q=t&show=withheld"


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


def chosen(client, *roles, url=CHOOSE, **typed):
    """As the page sends it: the rows that stood on it, of which `roles` are ticked."""
    shown = [row.role for row in client.get(PAGE).context["rows"] if row.tick]
    form = {"output": "", "name_prefix": "", "extent": "full", "shown": [str(role.uuid) for role in shown]}
    form |= {f"region-{role.uuid}": role.region for role in shown}
    form |= {f"take-{role.uuid}": "on" for role in roles}
    return client.post(url, form | typed)


def test_what_is_chosen_changes_the_config(client, carol, willow):
    cedar = granted(carol, "cedarpine-stock")
    client.force_login(carol)
    typed = {"output": "yaml", "name_prefix": " ht-\n", f"region-{cedar.uuid}": "eu-west-1"}
    assertRedirects(chosen(client, cedar, **typed), PAGE)
    config = read(client.get(CONFIG))
    assert config.sections() == ["sso-session hoshino", "profile ht-hoshino-bastion", "profile ht-cedarpine-stock"]
    assert config["profile ht-cedarpine-stock"]["region"] == "eu-west-1"
    assert config["profile ht-cedarpine-stock"]["output"] == "yaml"
    page = client.get(PAGE)
    assert [(row.name, bool(row.section)) for row in page.context["rows"]] == [
        ("ht-cedarpine-stock", True),
        ("ht-willow-telemetry", False),
    ]
    assert page.context["form"].tick(willow).value() is False


def test_with_htmx_the_rows_and_the_config_are_answered_and_told_as_saved(client, carol, willow):
    granted(carol, "cedarpine-stock")
    client.force_login(carol)
    typed = {"extent": "short", "name_prefix": "ht-", "shown": str(willow.uuid)}
    answer = client.post(f"{CHOOSE}?q=willow", typed, headers={"HX-Request": "true"})
    assert answer.text.startswith('<section class="band" id="config"')
    assert answer["HX-Trigger"] == '{"announce": {"value": "Saved"}}'
    assert 'id="choices"' in answer.text
    assert f'<tr id="role-{willow.uuid}" hx-swap-oob="true">' in answer.text
    # As the page was searched, under the new name, and without what is left out now.
    assert [(row.name, row.section) for row in answer.context["rows"]] == [("ht-willow-telemetry", "")]


def test_with_nothing_ticked_there_is_no_file_and_the_way_back_stands_there(client, carol, willow):
    client.force_login(carol)
    assertRedirects(chosen(client), PAGE)
    page = client.get(PAGE)
    assert "Nothing is ticked" in page.text
    assert 'id="choices"' in page.text
    assertRedirects(client.get(CONFIG), PAGE)


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("name_prefix", "a]"),
        ("name_prefix", "a\nb"),
        ("name_prefix", "x" * 17),
        ("output", "sh"),
        ("extent", "some"),
        ("region", "x.evil.example/"),
        ("region", "eu-west-1\r[x]"),
    ],
)
def test_what_could_become_syntax_is_refused_where_it_is_typed(client, carol, willow, field, wrong):
    client.force_login(carol)
    name = f"region-{willow.uuid}" if field == "region" else field
    answer = chosen(client, willow, **{name: wrong})
    assert answer.status_code == 200
    assert list(answer.context["form"].errors) == [name]
    assert not ConfigChoices.objects.exists()
    assert "[profile willow-telemetry]" in client.get(CONFIG).text


def test_roles_that_did_not_stand_on_the_page_keep_their_ticks(client, carol, willow):
    granted(carol, "cedarpine-stock")
    client.force_login(carol)
    client.post(CHOOSE, {"extent": "short", "shown": str(willow.uuid)})
    assert "profile cedarpine-stock" in read(client.get(CONFIG))
    assert "profile willow-telemetry" not in read(client.get(CONFIG))


def test_a_choice_for_another_persons_role_is_no_choice(client, carol, dave, willow):
    client.force_login(dave)
    typed = {"extent": "full", "shown": str(willow.uuid), f"take-{willow.uuid}": "on"}
    assertRedirects(client.post(CHOOSE, typed), PAGE)
    assert not ProfileChoice.objects.exists()


def test_the_page_that_was_searched_comes_back_after_a_choice(client, carol, willow):
    client.force_login(carol)
    answer = chosen(client, willow, url=f"{CHOOSE}?q=willow&show=handed-out")
    assertRedirects(answer, f"{PAGE}?q=willow&show=handed-out")


# --- The console, and other tools -----------------------------------------------------------------------------------


def test_a_link_to_the_console_stands_only_where_it_was_chosen(client, carol, willow):
    cedar = granted(carol, "cedarpine-stock")
    ExternalRole.objects.filter(pk=cedar.pk).update(console_access=True)
    granted(carol, "shut", door=Door(with_external_id=Outcome.DENIED))
    ExternalRole.objects.filter(profile_name="shut").update(console_access=True)
    client.force_login(carol)
    page = client.get(PAGE)
    assert [bool(row.console) for row in page.context["rows"]] == [True, False, False]
    assert page.text.count("signin.aws.amazon.com/switchrole?account=") == 1
    assert f"roleName={cedar.role_name}&amp;displayName=cedarpine-stock" in page.text


def test_where_the_console_cannot_enter_the_page_says_why(client, carol, willow):
    arn = f"arn:aws:iam::{willow.account.account_id}:role/{'p' * 60}/{willow.role_name}"
    ExternalRole.objects.filter(pk=willow.pk).update(console_access=True, role_arn=arn)
    client.force_login(carol)
    assert "it takes 64 characters of a role" in client.get(PAGE).text


def test_granted_takes_the_folder(client, carol, willow):
    client.force_login(carol)
    answer = client.get(reverse("onboarding:employees:granted"))
    assert answer["Content-Disposition"] == 'attachment; filename="granted-registry.zip"'
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.namelist() == ["granted-registry/granted.yml", "granted-registry/config"]
        assert archive.read("granted-registry/config").decode() == client.get(PAGE).context["snippet"].text
    assert ExternalRole.objects.get(pk=willow.pk).is_used
    assert client.get(reverse("onboarding:employees:granted")).content == answer.content


def test_the_plain_profiles_need_no_session(client, carol, willow):
    client.force_login(carol)
    config = read(client.get(reverse("onboarding:employees:plain")))
    assert config.sections() == ["profile hoshino-bastion", "profile willow-telemetry"]


def test_switch_roles_are_offered_only_where_there_are_some(client, carol, willow):
    url = reverse("onboarding:employees:switch_roles")
    client.force_login(carol)
    assert url not in client.get(PAGE).text
    assertRedirects(client.get(url), PAGE)
    ExternalRole.objects.filter(pk=willow.pk).update(console_access=True)
    assert url in client.get(PAGE).text
    assert read(client.get(url)).sections() == ["profile hoshino-bastion", "profile willow-telemetry"]


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
    assert len(for_one) <= 10


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
