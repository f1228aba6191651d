"""The bastion's pages: set-up, permission sets, and the policies to paste into AWS."""

import pytest
from django.urls import reverse
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from onboarding.core.bastion import CONTROL_EXTERNAL_ID
from onboarding.core.probes import CONTROLS_MUST, Outcome, Probe, ProbeKind
from onboarding.models import Bastion, PermissionSet
from onboarding.services import bastions, controls
from tests.factories import make_bastion, make_checked_role, make_permission_set, make_returned_role, make_role

pytestmark = pytest.mark.django_db
BASTIONS, SET_UP = reverse("onboarding:admins:bastions"), reverse("onboarding:admins:set_up_bastion")
TYPED = {
    "name": "Bastion",
    "partition": "aws",
    "account_id": "1111-2222-3333",
    "validator_role_arn": "arn:aws:iam::111122223333:role/tobiishi-validator",
    "sso_start_url": "https://d-9067f0e1a2.awsapps.com/start",
    "sso_region": "ap-northeast-1",
    "sso_session_name": "hoshino",
    "region": "ap-northeast-1",
    "organization_id": "o-a1b2c3d4e5",
}


@pytest.fixture(autouse=True)
def as_alice(client, alice):
    client.force_login(alice)


def at(name: str, row) -> str:
    return reverse(f"onboarding:admins:{name}", args=[row.uuid])


def test_without_a_bastion_the_page_says_what_to_have_at_hand(client):
    assertContains(client.get(BASTIONS), "start URL of IAM Identity Center")


def test_the_bastion_is_set_up_and_opens_at_once(client):
    client.post(SET_UP, TYPED)
    bastion = Bastion.objects.get()
    assert (bastion.account_id, bastion.organization_id) == ("111122223333", "o-a1b2c3d4e5")
    assertRedirects(client.get(BASTIONS), at("bastion", bastion))


def test_the_template_for_profile_names_is_the_usual_one_unless_told(client):
    client.post(SET_UP, TYPED)
    assert Bastion.objects.get().profile_template == "{partner}-{role}"
    change = at("change_bastion", Bastion.objects.get())
    client.post(change, TYPED | {"profile_template": " hoshino_{account} "})
    assert Bastion.objects.get().profile_template == "hoshino_{account}"
    refused = client.post(change, TYPED | {"profile_template": "{partner.__class__}"})
    assertContains(refused, "At least one of {partner}, {role} and {account}")


def test_several_bastions_are_a_list(client):
    make_bastion()
    make_bastion(account_id="444455556666")
    assertContains(client.get(BASTIONS), "Bastion 444455556666")


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("account_id", "11112222333"),
        ("validator_role_arn", "arn:aws:iam::999988887777:role/tobiishi-validator"),
        ("validator_role_arn", "arn:aws-cn:iam::111122223333:role/tobiishi-validator"),
        ("sso_start_url", "javascript:alert(1)"),
        ("sso_start_url", "https://d-1.awsapps.com/start\n[profile x]"),
        ("sso_session_name", "a]\nb"),
        ("sso_region", "tokyo"),
        ("organization_id", "o-a1b2c3d4e5\n"),
        ("organization_id", "123"),
    ],
)
def test_a_wrong_value_is_told_at_its_field(client, field, wrong):
    answer = client.post(SET_UP, TYPED | {field: wrong})
    if Bastion.objects.exists():
        assert getattr(Bastion.objects.get(), field) == wrong.strip()
    else:
        assert list(answer.context["form"].errors) == [field]


OWN_ROLES = {
    "open_control_role_arn": "arn:aws:iam::444455556666:role/control-open",
    "asking_control_role_arn": "arn:aws:iam::444455556666:role/control-asking",
    "stranger_role_arn": "arn:aws:iam::111122223333:role/tobiishi-stranger",
}


def test_the_roles_that_watch_the_checks_are_set_up_and_have_their_policies(client):
    client.post(SET_UP, TYPED | OWN_ROLES)
    bastion = Bastion.objects.get()
    assert {name: getattr(bastion, name) for name in OWN_ROLES} == OWN_ROLES
    page = client.get(at("bastion", bastion))
    assertContains(page, "Control role that asks for one, trust policy")
    assertContains(page, CONTROL_EXTERNAL_ID)
    assertContains(page, "aws:ResourceAccount")
    assertContains(page, "Not tried yet")


def test_the_answers_of_the_control_roles_stand_on_the_page(client):
    client.post(SET_UP, TYPED | OWN_ROLES)
    outcomes = CONTROLS_MUST | {ProbeKind.CONTROL_SHUT_WITHOUT: Outcome.ENTERED}
    controls.try_controls(
        Bastion.objects.get().pk,
        try_them=lambda _order: [Probe(kind=kind, outcome=it, duration_ms=7) for kind, it in outcomes.items()],
    )
    page = client.get(at("bastion", Bastion.objects.get()))
    assertContains(page, "They do not hold")
    assert [row.passed for row in page.context["controls"]] == [True, True, False, True]


@pytest.mark.parametrize(
    ("field", "wrong", "words"),
    [
        ("asking_control_role_arn", "", "come together"),
        ("open_control_role_arn", "arn:aws:iam::111122223333:role/control-open", "another account of yours"),
        ("open_control_role_arn", "arn:aws-cn:iam::444455556666:role/control-open", "AWS partition of the bastion"),
        (
            "stranger_role_arn",
            "arn:aws:iam::444455556666:role/tobiishi-stranger",
            "another role of the bastion account",
        ),
        ("stranger_role_arn", TYPED["validator_role_arn"], "another role of the bastion account"),
    ],
)
def test_a_role_that_cannot_watch_the_checks_is_told(client, field, wrong, words):
    answer = client.post(SET_UP, TYPED | OWN_ROLES | {field: wrong})
    assertContains(answer, words)
    assert not Bastion.objects.exists()


def test_what_partners_trust_stays(client):
    make_returned_role()
    bastion = Bastion.objects.get()
    answer = client.post(at("change_bastion", bastion), TYPED | {"sso_region": "eu-central-1"})
    assertContains(answer, "partners already trust this account")
    assertRedirects(client.post(at("change_bastion", bastion), TYPED | {"name": "Renamed"}), at("bastion", bastion))
    assert Bastion.objects.get().name == "Renamed"


def test_a_permission_set_is_added_once(client):
    bastion = make_bastion()
    client.post(at("add_permission_set", bastion), {"name": "PartnerAccess", "style": "exact"})
    answer = client.post(at("add_permission_set", bastion), {"name": "PartnerAccess", "style": "exact"})
    assert list(answer.context["form"].errors) == ["name"]
    assert PermissionSet.objects.count() == 1


def test_the_exact_policy_names_only_roles_that_were_returned(client):
    permission_set = make_permission_set()
    assertContains(client.get(at("permission_set", permission_set)), "Nothing to allow yet")
    role = make_checked_role()
    make_role()
    policy = client.get(at("permission_set_policy", permission_set)).json()
    assert policy["Statement"][0]["Resource"] == [role.role_arn]
    assertContains(client.get(at("permission_set", permission_set)), "of 10240 characters")


def test_the_simple_policy_carries_its_warning(client):
    permission_set = make_permission_set()
    client.post(at("choose_style", permission_set), {"style": "simple"})
    page = client.get(at("permission_set", permission_set))
    assertContains(page, "opens every role, in any account, that trusts this account")
    assertContains(page, "sts:AssumeRole*")


def test_a_policy_that_was_put_in_is_old_when_another_role_comes(client):
    role = make_checked_role()
    permission_set = role.permission_set
    digest = bastions.permission_set_policy(permission_set).digest
    make_checked_role()
    address = at("note_policy_put", permission_set)
    assertContains(client.post(address, {"digest": digest}, follow=True), "Nothing noted")
    digest = bastions.permission_set_policy(permission_set).digest
    assertContains(client.post(address, {"digest": digest}, follow=True), "It is in Identity Center")
    make_checked_role()
    assertNotContains(client.get(at("permission_set", permission_set)), "It is in Identity Center")


def test_when_our_side_cannot_ask_aws_the_page_says_so_with_the_code(client, monkeypatch):
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    permission_set = make_permission_set()
    answer = client.post(at("find_sso_role", permission_set), follow=True)
    assertContains(answer, "NoCredentialsError")
    permission_set.refresh_from_db()
    assert permission_set.sso_role_found_at is None


def test_the_validator_roles_policies_are_made_for_the_worker_that_was_named(client):
    bastion = make_bastion(organization_id="o-a1b2c3d4e5")
    worker = "arn:aws:iam::111122223333:role/portal-worker"
    page = client.get(at("bastion", bastion), {"worker_arn": worker})
    assertContains(page, "AllowWorker")
    assertContains(page, worker)
    assertContains(page, "aws:ResourceOrgID")
    wrong = client.get(at("bastion", bastion), {"worker_arn": "arn:aws:iam::111122223333:root"})
    assert list(wrong.context["worker_form"].errors) == ["worker_arn"]
    assertNotContains(client.get(at("bastion", bastion)), "AllowWorker")
