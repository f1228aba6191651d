"""What partners get wrong, each told as what it is, in the browser and by probes that AWS's stand-in decided."""

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, expect

from tests.journeys.browsers import Browsers
from tests.journeys.people import ADMIN, DENIED, OPENS, Admin, PartnerAdmin

CEDAR = "505060607070"
BIRCH = "616172728383"
UNSAFE, MISTYPED, MISSING, ELSEWHERE = "HoshinoAjar", "HoshinoMistyped", "HoshinoForgotten", "HoshinoElsewhere"


@pytest.fixture(scope="module")
def link(chromium, demo, sessions) -> Iterator[str]:
    """One hand-off for four roles of one account."""
    computers = Browsers(chromium, demo, sessions)
    admin = Admin(computers.open_as(ADMIN))
    for name in (UNSAFE, MISTYPED, MISSING, ELSEWHERE):
        admin.add_role(CEDAR, name)
    yield admin.make_link(CEDAR)
    computers.close()


@pytest.fixture
def partner(browsers: Browsers, link: str) -> PartnerAdmin:
    found = PartnerAdmin(browsers.open())
    found.open(link)
    return found


def test_a_role_that_opens_without_the_external_id_is_refused_until_it_is_put_right(
    partner: PartnerAdmin, browsers: Browsers
) -> None:
    partner.return_arn(UNSAFE, partner.create_role(UNSAFE, spoil=without_external_id))
    verdict = partner.verdict(UNSAFE)
    expect(verdict.get_by_role("heading").first).to_contain_text("opens without the external ID")
    expect(whose_turn(verdict)).to_have_text("Yours")

    admin = Admin(browsers.open_as(ADMIN))
    admin.open_role(UNSAFE)
    expect(admin.standing).to_contain_text("Unsafe")

    partner.correct_policy(UNSAFE)
    partner.check_again(UNSAFE)
    expect(partner.verdict(UNSAFE).get_by_role("heading").first).to_have_text(OPENS)


def test_a_role_with_a_wrong_external_id_is_denied_until_it_is_put_right(partner: PartnerAdmin) -> None:
    partner.return_arn(MISTYPED, partner.create_role(MISTYPED, spoil=with_another_external_id))
    expect(partner.verdict(MISTYPED).get_by_role("heading").first).to_contain_text(DENIED)
    partner.correct_policy(MISTYPED)
    partner.check_again(MISTYPED)
    expect(partner.verdict(MISTYPED).get_by_role("heading").first).to_have_text(OPENS)


def test_a_role_that_does_not_exist_is_denied_and_no_cause_is_claimed(partner: PartnerAdmin) -> None:
    partner.return_arn(MISSING, f"arn:aws:iam::{CEDAR}:role/{MISSING}")
    verdict = partner.verdict(MISSING)
    expect(verdict.get_by_role("heading").first).to_contain_text(DENIED)
    expect(verdict).to_contain_text("AWS does not say why")


def test_an_arn_of_another_account_is_refused_with_both_accounts_and_stays_in_the_field(partner: PartnerAdmin) -> None:
    pasted = f"arn:aws:iam::{BIRCH}:role/{ELSEWHERE}"
    partner.return_arn(ELSEWHERE, pasted)
    returning = partner.returning(ELSEWHERE)
    expect(returning).to_contain_text("6161 7272 8383")
    expect(returning).to_contain_text("5050 6060 7070")
    expect(returning.get_by_label("Role ARN")).to_have_value(pasted)


def whose_turn(verdict: Locator) -> Locator:
    return verdict.locator("dl.facts").first.locator("dd").first


def without_external_id(policy: str) -> str:
    document = json.loads(policy)
    del document["Statement"][0]["Condition"]["StringEquals"]
    return json.dumps(document)


def with_another_external_id(policy: str) -> str:
    document = json.loads(policy)
    document["Statement"][0]["Condition"]["StringEquals"]["sts:ExternalId"] = "tbi-2222-3333-4444-5555-6666"
    return json.dumps(document)
