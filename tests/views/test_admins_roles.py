"""One role's page: where it stands, on what evidence, and what an admin can do."""

import json
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse
from django.utils import timezone, translation
from pytest_django.asserts import assertContains, assertNotContains

from onboarding.core.arns import RoleArn
from onboarding.core.probes import Outcome
from onboarding.core.states import State
from onboarding.core.trust import TrustStyle, policy_text
from onboarding.models import ExternalRole, Grant, Validation
from onboarding.services import access, diagnosis, offboarding, submission
from tests.factories import (
    Door,
    check,
    make_account,
    make_checked_role,
    make_grant,
    make_invitation,
    make_partner,
    make_person,
    make_returned_role,
    make_role,
)

pytestmark = pytest.mark.django_db
ROLES = reverse("onboarding:admins:roles")


@pytest.fixture(autouse=True)
def as_alice(client, alice):
    client.force_login(alice)


def at(name: str, role) -> str:
    return reverse(f"onboarding:admins:{name}", args=[role.uuid])


def press(client, name: str, role, **typed):
    return client.post(at(name, role), typed, follow=True)


def make_invited_role():
    return make_invitation().invitation.account.roles.get()


# --- Where it stands ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "make",
    [
        make_role,
        make_invited_role,
        make_returned_role,
        make_checked_role,
        lambda: make_checked_role(door=Door(with_external_id=Outcome.DENIED)),
        lambda: make_checked_role(door=Door(with_external_id=Outcome.REFUSED_OTHERWISE)),
        lambda: make_checked_role(door=Door(with_wrong=Outcome.ENTERED)),
        lambda: make_checked_role(door=Door(account="999988887777")),
        lambda: make_checked_role(door=Door(without=Outcome.REFUSED_OTHERWISE)),
        lambda: make_checked_role(door=Door(as_validator=False)),
    ],
)
def test_every_state_has_its_page(client, make):
    role = make()
    page = client.get(at("role", role))
    assertContains(page, role.role_name)
    assertContains(page, "Whose turn")


@pytest.mark.parametrize("end", [offboarding.suspend_role, offboarding.retire_role])
def test_a_role_that_pauses_or_ends_has_its_page(client, alice, end):
    role = make_checked_role()
    end(role, by=alice)
    assertContains(client.get(at("role", role)), role.role_arn)


def test_the_probes_are_shown_with_what_was_expected_and_aws_request_ids(client):
    role = make_checked_role(door=Door(without=Outcome.ENTERED))
    page = client.get(at("role", role))
    rows = page.context["evidence"]
    assert [row.passed for row in rows] == [True, True, True, False, True, True, True, True, True]
    assertContains(page, "6f1c0d52-8a3e-4b7f-9c21-0e5d7b1a44f0")
    assertContains(page, 'class="fail"', count=1)


def test_an_answer_from_another_account_is_seen_in_the_evidence(client):
    role = make_checked_role(door=Door(account="999988887777"))
    rows = client.get(at("role", role)).context["evidence"]
    assert [(row.expected, row.got) for row in rows if not row.passed] == [
        (f"{role.role_name} in {role.account.number.grouped}", f"{role.role_name} in 9999 8888 7777")
    ]


def test_the_letter_is_in_the_partners_language_and_can_be_turned(client):
    account = make_account(make_partner(language="ja"))
    role = make_checked_role(make_role(account), door=Door(without=Outcome.ENTERED))
    assert client.get(at("role", role)).context["letter"].language == "ja"
    english = client.get(at("role", role), {"letter": "en"}).context["letter"]
    assert english.language == "en"
    assert role.external_id in english.body
    assert client.get(at("role", role), {"letter": "<xx>"}).context["letter"].language == "ja"


def test_a_role_that_is_well_needs_no_letter(client):
    assert client.get(at("role", make_checked_role())).context["letter"] is None


def wrong_policy(role) -> str:
    return policy_text(role.trust_policy).replace(role.external_id, "acme-1")


def test_without_a_policy_nothing_is_said_of_one(client):
    assertNotContains(client.get(at("role", make_checked_role())), "Trust policy as read")


def test_the_last_policy_stands_with_its_source_its_findings_and_how_it_differs(client):
    role = make_invited_role()
    diagnosis.check_pasted(role, wrong_policy(role))
    page = client.get(at("role", role))
    for told in ("Trust policy as read", "Pasted by the partner", "This policy does not let us in.", "acme-1"):
        assertContains(page, told)
    signs = [mark for mark in page.context["read"].difference_marks.values() if mark]
    assert signs == ["del", "add"]
    assertContains(page, f'class="l del" data-n="{_line_of(page, "acme-1")}"')


def _line_of(page, text: str) -> int:
    lines = page.context["read"].difference_text.splitlines()
    return 1 + next(number for number, line in enumerate(lines) if text in line)


def test_a_policy_that_differs_in_order_alone_is_what_we_ask_for(client):
    role = make_checked_role()
    statement = dict(reversed(role.trust_policy["Statement"][0].items()))
    saved = json.dumps({"Statement": {**statement, "Action": ["sts:AssumeRole"]}, "Version": "2012-10-17"})
    diagnosis.keep_saved(role, saved, at=timezone.now())
    page = client.get(at("role", role))
    assertContains(page, "It is what we ask for")
    assertContains(page, "Read from IAM")
    assert page.context["letter"] is None


def test_where_we_cannot_say_what_we_ask_for_the_findings_stand_without_a_difference(client):
    role = make_role()
    ExternalRole.objects.update(trust_style=TrustStyle.EXACT_ROLE)
    diagnosis.check_pasted(role, '{"Version": "2012-10-17", "Statement": []}')
    page = client.get(at("role", role))
    assertContains(page, "IAM would not save this")
    assert page.context["read"].difference is None


def test_a_message_about_a_wrong_policy_is_ready_before_anything_was_tried(client):
    role = make_invitation(make_role(make_account(make_partner(language="ja")))).invitation.account.roles.get()
    diagnosis.check_pasted(role, wrong_policy(role))
    assert client.get(at("role", role)).context["letter"].language == "ja"
    letter = client.get(at("role", role), {"letter": "en"}).context["letter"]
    assert letter.subject == f"{role.role_name}: please change the trust policy"
    assert letter.body.count("acme-1. (line 13)") == 1
    corrected = letter.body.partition("The whole policy, corrected:\n\n")[2].partition("\n\nKind regards")[0]
    assert json.loads(corrected) == role.trust_policy


def test_the_message_after_a_failed_check_tells_what_the_policy_says(client):
    role = make_checked_role(door=Door(with_external_id=Outcome.DENIED))
    diagnosis.check_pasted(role, wrong_policy(role))
    page = client.get(at("role", role))
    assertContains(page, "says the trust policy that was pasted on")
    assert "acme-1" in page.context["letter"].body
    assert "The whole policy, corrected:" in page.context["letter"].body


def test_a_proven_role_whose_saved_policy_lets_others_in_is_not_called_well(client):
    role = make_checked_role()
    document = role.trust_policy
    document["Statement"].append({"Effect": "Allow", "Principal": {"AWS": "999988887777"}, "Action": "sts:AssumeRole"})
    diagnosis.keep_saved(role, json.dumps(document), at=timezone.now())
    page = client.get(at("role", role))
    assert page.context["told"].tone == "warn"
    assertContains(page, "Somebody besides us may enter this role: 999988887777.")
    assert page.context["letter"]


def test_the_verdict_of_an_earlier_arn_is_not_taken_for_the_new_ones(client, alice):
    role = make_checked_role()
    offered = RoleArn.parse(f"arn:aws:iam::{role.account.account_id}:role/Another")
    submission.return_role(role.account.invitations.get(), role, offered)
    page = press(client, "accept_offer", role)
    assert page.context["told"].happened == "The check waits for its turn."
    assertContains(page, "Accepted.")


def test_the_history_is_paged_and_the_newest_stands_first(client):
    role = make_checked_role()
    for _number in range(14):
        check(role, Door())
    page = client.get(at("role", role))
    assert len(page.context["history"]) == 12
    rest = client.get(at("role", role) + page.context["next_url"])
    assert len(rest.context["history"]) == 3


# --- While a check runs -------------------------------------------------------------------------------------------


def test_a_running_check_asks_again_and_a_finished_one_stops(client):
    role = make_returned_role()
    asking = 'hx-trigger="every 2s"'
    assertContains(client.get(at("role", role)), asking)
    assertContains(client.get(at("role_live", role)), asking)
    check(role, Door())
    ended = client.get(at("role_live", role))
    assertNotContains(ended, asking)
    assertContains(ended, 'id="standing" hx-swap-oob="true"')
    assertContains(ended, "opens with the external ID")


def test_a_check_that_waits_says_that_no_worker_took_it(client):
    role = make_returned_role()
    assertNotContains(client.get(at("role", role)), "no worker has taken it")
    Validation.objects.update(requested_at=timezone.now() - timedelta(minutes=1))
    assertContains(client.get(at("role", role)), "no worker has taken it")


def test_validating_twice_is_one_validation(client):
    role = make_checked_role()
    press(client, "validate", role)
    assertContains(press(client, "validate", role), "Asked for a check.")
    assert role.validations.open().count() == 1


def test_a_role_that_was_never_returned_cannot_be_validated(client):
    assertContains(press(client, "validate", make_role()), "There is nothing to check")


# --- Pausing and ending -------------------------------------------------------------------------------------------


def test_a_role_is_suspended_resumed_and_retired(client):
    role = make_checked_role()
    for name, state in (("suspend", State.SUSPENDED), ("resume", State.RETURNED), ("retire", State.RETIRING)):
        press(client, name, role)
        role.refresh_from_db()
        assert role.state == state


def test_what_cannot_be_done_any_more_changes_nothing_and_says_so(client):
    role = make_checked_role()
    assertContains(press(client, "resume", role), "Nothing changed")
    assert ExternalRole.objects.get().state == State.PROVEN


def test_retiring_asks_once_and_names_the_role(client):
    role = make_checked_role()
    assertContains(client.get(at("role", role)), f"Retire {role.role_name}</button>")


def test_a_declined_offer_is_gone(client):
    role = make_checked_role()
    offered = RoleArn.parse(f"arn:aws:iam::{role.account.account_id}:role/Another")
    submission.return_role(role.account.invitations.get(), role, offered)
    assertContains(client.get(at("role", role)), str(offered))
    press(client, "decline_offer", role)
    role.refresh_from_db()
    assert role.offered_arn == ""
    assertContains(press(client, "decline_offer", role), "answered this offer already")


def test_the_trust_policy_is_a_file_and_its_length_is_told(client):
    role = make_role()
    answer = client.get(at("trust_policy", role))
    assert answer.json()["Statement"][0]["Condition"]["StringEquals"] == {"sts:ExternalId": role.external_id}
    assert answer.headers["Content-Disposition"] == f'attachment; filename="trust-policy-{role.role_name}.json"'
    assertContains(client.get(at("role", role)), "of 2048 characters")


# --- Grants -------------------------------------------------------------------------------------------------------


def test_a_role_is_granted_to_a_person_until_the_end_of_a_day(client, carol):
    role = make_checked_role()
    day = timezone.localdate() + timedelta(days=3)
    press(client, "grant", role, person="CAROL@hoshino.example", reason="project", until=day.isoformat())
    grant = Grant.objects.get()
    assert (grant.person, grant.reason) == (carol, "project")
    assert timezone.localtime(grant.expires_at).date() == day
    assert list(access.entitled_roles(carol, at=timezone.now())) == [role]


def test_a_role_is_granted_to_a_group(client):
    role = make_checked_role()
    member = make_person(groups=("analysts",))
    press(client, "grant", role, group=str(Group.objects.get().pk), reason="their work")
    assert access.entitled_roles(member, at=timezone.now()).exists()


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"reason": "x"}, "person"),
        ({"person": "nobody@hoshino.example", "reason": "x"}, "person"),
        ({"person": "carol@hoshino.example"}, "reason"),
        ({"person": "carol@hoshino.example", "reason": "x", "until": "2001-01-01"}, "until"),
    ],
)
def test_a_grant_that_makes_no_sense_is_told_at_its_field(client, carol, typed, field):
    page = press(client, "grant", make_checked_role(), **typed)
    assert list(page.context["grant_form"].errors) == [field]
    assert not Grant.objects.exists()


def test_the_same_grant_twice_is_refused_and_an_ended_role_takes_none(client, carol, alice):
    role = make_checked_role()
    make_grant(role, carol)
    typed = {"person": carol.email, "reason": "again"}
    assertContains(press(client, "grant", role, **typed), "has this role already")
    offboarding.retire_role(role, by=alice)
    assertContains(press(client, "grant", role, **typed), "the work with this role has ended")


def test_a_revoked_grant_ends(client, carol):
    grant = make_grant(make_checked_role(), carol)
    client.post(reverse("onboarding:admins:revoke_grant", args=[grant.uuid]))
    assert not access.entitled_roles(carol, at=timezone.now()).exists()


# --- Finding ------------------------------------------------------------------------------------------------------


def test_roles_are_found_by_name_partner_account_and_arn(client):
    role = make_returned_role()
    make_role()
    for text in (role.role_name, role.account.partner.name, role.account.number.grouped, role.role_arn):
        assert [row[0] for row in client.get(ROLES, {"q": text}).context["rows"]] == [role], text


def test_retired_roles_are_left_out_until_asked_for(client, alice):
    role = make_role()
    offboarding.retire_role(role, by=alice)
    assert not client.get(ROLES).context["rows"]
    assert [row[0] for row in client.get(ROLES, {"ended": "1"}).context["rows"]] == [role]


@pytest.mark.parametrize("standing", ["unsafe", "broken", "ours", "theirs", "checking", "proven", "used", "paused"])
def test_each_filter_holds_what_it_says_and_counts_it(client, carol, alice, standing):
    roles = {
        "unsafe": make_checked_role(door=Door(without=Outcome.ENTERED)),
        "broken": make_checked_role(door=Door(account="999988887777")),
        "ours": make_role(),
        "theirs": make_invited_role(),
        "checking": make_returned_role(),
        "proven": make_checked_role(),
        "used": make_checked_role(),
        "paused": make_checked_role(),
    }
    access.note_config_taken(carol, [roles["used"]])
    offboarding.suspend_role(roles["paused"], by=alice)
    page = client.get(ROLES, {"standing": standing})
    found = [row[0] for row in page.context["rows"]]
    assert roles[standing] in found
    assert {chip.count for chip in page.context["chips"] if chip.current} == {len(found)}


@pytest.mark.parametrize("of", ["roles", "role"])
def test_a_page_costs_the_same_with_many_rows(client, of, django_assert_max_num_queries):
    role = make_checked_role()
    address = {"roles": ROLES, "role": at("role", role)}[of]

    def more(count: int) -> None:
        for _number in range(count):
            make_checked_role()
            check(role, Door())
            make_grant(role, make_person())

    more(3)
    with django_assert_max_num_queries(20) as few:
        client.get(address)
    more(27)
    with django_assert_max_num_queries(len(few)):
        client.get(address)


def test_a_japanese_reader_gets_every_page(client, alice):
    alice.language = "ja"
    alice.save()
    role = make_checked_role(door=Door(without=Outcome.ENTERED))
    with translation.override("en"):
        assert client.get(at("role", role)).status_code == 200
