"""The box for a trust policy in a real browser: with script and without, by keyboard, in both themes."""

import shutil
from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from playwright.sync_api import Browser, Page, expect, sync_playwright

from onboarding.core.probes import Outcome
from onboarding.core.trust import policy_text
from onboarding.models import ExternalRole
from tests.factories import Door, make_checked_role
from tests.views import partner_pages

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}

_PATIENCE_MS = 20_000

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="no Chromium on PATH")


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
def open_page(live_server, client: Client, address: str, wrong: str) -> Iterator[Callable[..., Page]]:
    """Started after all that touches the database: Django allows none beside the browser's event loop."""
    complaints: list[str] = []
    session = {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}
    with sync_playwright() as play:
        browser: Browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])

        def opened(**options: object) -> Page:
            context = browser.new_context(
                base_url=live_server.url,
                reduced_motion="reduce",
                locale="en-US",
                **options,  # type: ignore[arg-type]
            )
            context.add_cookies([session])  # type: ignore[list-item]
            context.set_default_timeout(_PATIENCE_MS)
            page = context.new_page()
            page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
            page.goto(address)
            return page

        yield opened
        browser.close()
    assert [text for text in complaints if "400" not in text] == []


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 390)])
def test_what_is_wrong_shows_in_place_and_is_announced(open_page, wrong: str, theme: str, width: int) -> None:
    page = open_page(color_scheme=theme, viewport={"width": width, "height": 900})
    page.get_by_label("Trust policy", exact=True).fill(wrong)
    page.get_by_role("button", name="Read it").click()
    expect(page.get_by_role("heading", name="This policy does not let us in.")).to_be_visible(timeout=_PATIENCE_MS)
    expect(page.locator('[role="status"][id^="trust-said"]')).to_have_text("This policy does not let us in.")
    expect(page.get_by_label("Trust policy", exact=True)).to_have_value(wrong)
    expect(page.locator(".ask-doctor .l.hot")).to_contain_text("acme-*")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert Axe().run(page, options=RULES).response["violations"] == []


def test_without_script_the_answer_is_a_page_that_opens_where_it_stands(open_page, wrong: str) -> None:
    page = open_page(java_script_enabled=False)
    page.get_by_label("Trust policy", exact=True).fill(wrong)
    page.get_by_role("button", name="Read it").click()
    expect(page.get_by_role("heading", name="This policy does not let us in.")).to_be_visible(timeout=_PATIENCE_MS)
    expect(page.get_by_label("Trust policy", exact=True)).to_have_value(wrong)
    assert "#trust-" in page.url


def test_far_too_much_text_is_said_to_be_too_much(open_page) -> None:
    page = open_page()
    page.get_by_label("Trust policy", exact=True).evaluate("box => { box.value = '{'.repeat(3_000_000); }")
    page.get_by_role("button", name="Read it").click()
    expect(page.get_by_role("heading", name="This is far more text than we can read")).to_be_visible(
        timeout=_PATIENCE_MS
    )
