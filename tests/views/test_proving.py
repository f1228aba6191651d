"""The page on which an employee proves a role, and where the admin reads of it."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from onboarding.models import ExternalRole, Person, Proof
from onboarding.services import choices
from onboarding.services.choices import Choices
from tests.factories import make_checked_role, make_grant, make_role

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_cache")]


@pytest.fixture
def willow(carol: Person) -> ExternalRole:
    role = make_checked_role(make_role(profile_name="willow-telemetry"))
    make_grant(role, carol)
    return role


@pytest.fixture
def signed_in(client: Client, carol: Person) -> Client:
    client.force_login(carol)
    return client


def at(verb: str, role: ExternalRole) -> str:
    return reverse(f"onboarding:employees:{verb}", args=[role.uuid])


def proven(role: ExternalRole, person: Person, **override: object) -> Proof:
    now = timezone.now()
    columns = {
        "external_role": role,
        "person": person,
        "nonce": f"tobiishi.x.{Proof.objects.count()}",
        "asked_at": now,
        "expires_at": now,
        "consumed_at": now,
        "proven_at": now,
        "role_arn": role.role_arn,
        "session_arn": f"arn:aws:sts::{role.account.account_id}:assumed-role/{role.role_name}/{person.email}",
    }
    return Proof.objects.create(**columns | override)


def test_the_list_leads_to_the_page_and_opening_it_begins_nothing(signed_in, willow):
    assert at("prove", willow) in signed_in.get(reverse("onboarding:employees:access")).text
    page = signed_in.get(at("prove", willow))
    assert "Make the line" in page.text
    assert not Proof.objects.exists()


def test_the_line_is_shown_with_what_it_shows_and_a_warning(signed_in, willow):
    page = signed_in.post(at("begin_proof", willow), follow=True)
    begun = Proof.objects.get()
    line = f"aws eks get-token --cluster-name {begun.nonce} --profile willow-telemetry"
    assert page.context["command"] == line
    assert "Paste such a token nowhere else" in page.text
    assert "carol@hoshino.example" in page.text
    assert "CloudTrail" in page.text
    # Opened again, it is the same line.
    assert signed_in.get(at("prove", willow)).context["command"] == line


@pytest.mark.parametrize("pasted", ["", "nothing", "x" * 40_000])
def test_a_paste_without_a_token_says_so_and_the_line_stays(signed_in, willow, pasted):
    signed_in.post(at("begin_proof", willow))
    nonce = Proof.objects.get().nonce
    page = signed_in.post(at("send_proof", willow), {"nonce": nonce, "pasted": pasted}, follow=True)
    assert "There is no token in this text." in page.text
    assert nonce in page.text


def test_what_was_pasted_is_not_shown_again(signed_in, willow):
    signed_in.post(at("begin_proof", willow))
    sent = {"nonce": Proof.objects.get().nonce, "pasted": "k8s-aws-v1.c2VjcmV0LXRva2Vu"}
    page = signed_in.post(at("send_proof", willow), sent, follow=True)
    assert "not as the AWS CLI makes it" in page.text
    assert "c2VjcmV0LXRva2Vu" not in page.text


def test_another_persons_role_is_not_there(client, dave, willow):
    client.force_login(dave)
    assert client.get(at("prove", willow)).status_code == 404
    for verb in ("begin_proof", "send_proof"):
        assert client.post(at(verb, willow)).status_code == 404
        assert client.get(at(verb, willow)).status_code in {404, 405}


def test_a_role_that_is_not_handed_out_has_nothing_to_prove(signed_in, carol):
    role = make_role()
    make_grant(role, carol)
    page = signed_in.post(at("begin_proof", role), follow=True)
    assert "Nothing to prove yet" in page.text


def test_own_proofs_are_listed_and_those_of_others_are_not(signed_in, carol, dave, willow):
    proven(willow, dave)
    page = signed_in.get(reverse("onboarding:employees:access"))
    assert "You have proven none so far." in page.text
    mine = proven(willow, carol)
    assert mine.session_arn in signed_in.get(reverse("onboarding:employees:access")).text
    again = proven(willow, carol)
    assert signed_in.get(reverse("onboarding:employees:access")).context["laptop"].proofs == [again]
    page = signed_in.get(at("prove", willow))
    assert page.context["last"] == again
    assert "of the earlier ARN" not in page.text
    Proof.objects.update(role_arn="arn:aws:iam::222233334444:role/Earlier")
    assert "of the earlier ARN arn:aws:iam::222233334444:role/Earlier" in signed_in.get(at("prove", willow)).text


def test_the_admin_sees_both_paths_side_by_side(client, alice, carol, dave, willow):
    client.force_login(alice)
    page = reverse("onboarding:admins:role", args=[willow.uuid])
    nobody = client.get(page).text
    assert "Validator path" in nobody
    assert "Nobody has proven it yet" in nobody
    proven(willow, dave, role_arn="arn:aws:iam::222233334444:role/Earlier")
    assert "of the earlier ARN" in client.get(page).text
    mine = proven(willow, carol)
    shown = client.get(page).text
    assert mine.session_arn in shown
    assert "Carol Chen" in shown
    assert "2 people" in shown


def test_the_profile_is_called_as_the_persons_own_config_calls_it(signed_in, carol, willow):
    choices.choose(carol, Choices(name_prefix="my-"), seen=[])
    page = signed_in.post(at("begin_proof", willow), follow=True)
    assert page.context["command"].endswith(" --profile my-willow-telemetry")
    assert "Prove that my-willow-telemetry works" in page.text
