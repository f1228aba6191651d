"""The box for a trust policy in a real browser: with script and without, by keyboard, in both themes."""

from collections.abc import Callable, Iterator
from functools import partial

import pytest
from django.test import Client
from playwright.sync_api import Page, expect

from onboarding.core.probes import Outcome
from onboarding.core.trust import policy_text
from onboarding.models import ExternalRole
from tests.browsers import Browsers, assert_accessible, browsers_of, needs_chromium
from tests.factories import Door, make_checked_role
from tests.views import partner_pages

pytestmark = needs_chromium


@pytest.fixture
def role(transactional_db: None) -> ExternalRole:
    return make_checked_role(door=Door(without=Outcome.ENTERED))


@pytest.fixture
def wrong(role: ExternalRole) -> str:
    return policy_text(role.trust_policy).replace(role.external_id, "acme-*")


@pytest.fixture
def address(client: Client, role: ExternalRole) -> str:
    return partner_pages.page(partner_pages.open_link(client, role))


@pytest.fixture
def browsers(live_server, client: Client, address: str, wrong: str) -> Iterator[Browsers]:
    with browsers_of(live_server.url) as found:
        # Of a text that is no policy, or too much of it.
        found.expect_status(400)
        yield found


@pytest.fixture
def open_page(browsers: Browsers, client: Client, address: str) -> Callable[..., Page]:
    return partial(browsers.open, address, session_key=client.cookies["sessionid"].value)


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 390)])
def test_what_is_wrong_shows_in_place_and_is_announced(open_page, wrong: str, theme: str, width: int) -> None:
    page = open_page(color_scheme=theme, width=width)
    page.get_by_label("Trust policy", exact=True).fill(wrong)
    page.get_by_role("button", name="Read it").click()
    expect(page.get_by_role("heading", name="This policy does not let us in.")).to_be_visible()
    expect(page.locator('[role="status"][id^="trust-said"]')).to_have_text("This policy does not let us in.")
    expect(page.get_by_label("Trust policy", exact=True)).to_have_value(wrong)
    expect(page.locator(".ask-doctor .l.hot")).to_contain_text("acme-*")
    assert_accessible(page)


def test_without_script_the_answer_is_a_page_that_opens_where_it_stands(open_page, wrong: str) -> None:
    page = open_page(java_script_enabled=False)
    page.get_by_label("Trust policy", exact=True).fill(wrong)
    page.get_by_role("button", name="Read it").click()
    expect(page.get_by_role("heading", name="This policy does not let us in.")).to_be_visible()
    expect(page.get_by_label("Trust policy", exact=True)).to_have_value(wrong)
    assert "#trust-" in page.url


def test_far_too_much_text_is_said_to_be_too_much(open_page) -> None:
    page = open_page()
    page.get_by_label("Trust policy", exact=True).evaluate("box => { box.value = '{'.repeat(3_000_000); }")
    page.get_by_role("button", name="Read it").click()
    expect(page.get_by_role("heading", name="This is far more text than we can read")).to_be_visible()
