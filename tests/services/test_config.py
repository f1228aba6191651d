"""Whose profiles a person's config holds, and how sessions and bastion profiles get their names."""

from pathlib import Path

import pytest
from django.utils import timezone

from onboarding.core.errors import UnsafeConfigValue
from onboarding.core.probes import Outcome
from onboarding.models import ExternalRole, PermissionSet, Person
from onboarding.services import access
from onboarding.services.config import ConfigSnippet, config_snippet
from tests.factories import (
    Door,
    make_account,
    make_bastion,
    make_checked_role,
    make_grant,
    make_permission_set,
    make_role,
)

pytestmark = pytest.mark.django_db
GOLDEN = Path(__file__).parent.parent / "golden" / "config"


def granted(person: Person, profile_name: str, *, through: PermissionSet, **override: object) -> ExternalRole:
    account = make_account(bastion=through.bastion)
    role = make_checked_role(make_role(account, profile_name=profile_name, permission_set=through, **override))
    make_grant(role, person)
    return role


def snippet_of(person: Person) -> ConfigSnippet:
    return config_snippet(person, access.entitled_roles(person, at=timezone.now()))


def sources(snippet: ConfigSnippet) -> dict[str, tuple[str, str]]:
    """Bastion profile and session of each partner profile."""
    sessions = {bastion.name: bastion.sso_session for bastion in snippet.config.bastions}
    return {role.name: (role.source_profile, sessions[role.source_profile]) for role in snippet.config.partners}


def test_a_person_without_roles_gets_an_empty_text(dave):
    assert snippet_of(dave) == ConfigSnippet(config=snippet_of(dave).config, text="", roles=())
    assert snippet_of(dave).section_texts == {}


def test_several_permission_sets_and_bastions_make_one_file(carol):
    reader, admin = make_permission_set("PartnerAccess"), make_permission_set("PartnerAdmin")
    second = make_bastion(account_id="999900001111", region="us-east-1", sso_session_name="hoshino")
    elsewhere = make_bastion(
        account_id="999900002222", sso_session_name="hoshino", sso_start_url="https://d-1111111111.awsapps.com/start"
    )
    roles = [
        granted(carol, "willow-telemetry", through=reader, role_name="HoshinoTelemetry"),
        granted(carol, "Willow-admin", through=admin, role_name="HoshinoAdmin", region="eu-west-1"),
        granted(carol, "cedar-stock", through=make_permission_set(bastion=second), role_name="HoshinoStock"),
        granted(carol, "kestrel", through=make_permission_set(bastion=elsewhere), role_name="HoshinoReports"),
    ]
    for number, role in enumerate(roles, start=1):
        arn = f"arn:aws:iam::22223333444{number}:role/{role.role_name}"
        ExternalRole.objects.filter(pk=role.pk).update(external_id=f"tbi-golden-{number}", role_arn=arn)
    assert snippet_of(carol).text == (GOLDEN / "two-bastions.ini").read_text()


def test_names_do_not_change_because_something_was_added(carol):
    second = make_permission_set("PartnerAdmin"), make_permission_set("PartnerAccess")
    granted(carol, "kestrel", through=second[1])
    before = sources(snippet_of(carol))
    granted(carol, "willow", through=second[0])
    granted(carol, "cedar", through=make_permission_set("Third"))
    assert sources(snippet_of(carol)).items() >= before.items()


def test_people_who_use_the_same_permission_set_read_the_same_name(carol, dave):
    make_permission_set("First")
    through = make_permission_set("Second")
    granted(carol, "kestrel", through=make_permission_set("First"))
    make_grant(granted(carol, "willow", through=through), dave)
    assert sources(snippet_of(dave))["willow"] == sources(snippet_of(carol))["willow"] == ("hoshino-Second", "hoshino")


def test_only_what_is_used_stands_in_the_file(carol):
    make_permission_set("Unused", bastion=make_bastion(account_id="999900001111", sso_session_name="unused"))
    granted(carol, "willow", through=make_permission_set())
    assert list(snippet_of(carol).section_texts) == [
        "sso-session hoshino",
        "profile hoshino-bastion",
        "profile willow",
    ]


def test_a_partner_profile_keeps_its_name_and_the_bastion_profile_takes_another(carol):
    granted(carol, "Hoshino-Bastion", through=make_permission_set())
    assert sources(snippet_of(carol)) == {"Hoshino-Bastion": ("hoshino-PartnerAccess", "hoshino")}


def test_permission_sets_whose_names_come_to_the_same_stay_apart(carol):
    make_permission_set("First")
    granted(carol, "willow", through=make_permission_set("Data+Read"))
    granted(carol, "cedar", through=make_permission_set("Data@Read"))
    (kept, _), (other, _) = sources(snippet_of(carol))["willow"], sources(snippet_of(carol))["cedar"]
    assert kept == "hoshino-Data-Read"
    assert other.startswith("hoshino-")
    assert other != kept
    assert sources(snippet_of(carol))["cedar"][0] == other


def test_the_longest_names_still_fit(carol):
    bastion = make_bastion(account_id="999900001111", sso_session_name="s" * 64)
    make_permission_set("First", bastion=bastion)
    granted(carol, "willow", through=make_permission_set("P" * 32, bastion=bastion))
    assert sources(snippet_of(carol)) == {"willow": (f"{'s' * 31}-{'P' * 32}", "s" * 64)}


def test_roles_that_are_not_handed_out_leave_no_trace(carol):
    role = make_checked_role(door=Door(without=Outcome.ENTERED))
    make_grant(role, carol)
    make_grant(make_role(), carol)
    assert snippet_of(carol).text == ""


def test_a_value_that_could_become_syntax_is_refused(carol):
    role = granted(carol, "willow", through=make_permission_set())
    ExternalRole.objects.filter(pk=role.pk).update(external_id="abc\rcredential_process = x")
    with pytest.raises(UnsafeConfigValue):
        snippet_of(carol)


def test_each_section_can_be_taken_alone(carol):
    granted(carol, "willow", through=make_permission_set())
    granted(carol, "cedar", through=make_permission_set())
    snippet = snippet_of(carol)
    assert "\n".join(snippet.section_texts.values()) == snippet.text
    assert all(text.startswith(f"[{header}]\n") for header, text in snippet.section_texts.items())
