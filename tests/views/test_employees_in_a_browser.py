"""The employee's pages in a real browser: accessibility in both themes, and copying that is told."""

import shutil
from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Browser, Page, expect, sync_playwright

from onboarding.core.probes import Outcome
from onboarding.models import ExternalRole, Person
from tests.factories import Door, make_checked_role, make_grant, make_role

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
PAGES = ["employees:access", "settings", "help", "genuine"]

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="no Chromium on PATH")


@pytest.fixture
def willow(transactional_db: None, carol: Person) -> ExternalRole:
    """Proven and granted to carol, beside one that is left out."""
    role = make_checked_role(make_role(profile_name="willow-telemetry"))
    make_grant(role, carol, for_hours=72)
    make_grant(make_checked_role(door=Door(without=Outcome.ENTERED)), carol)
    return role


@pytest.fixture
def session_key(client: Client, willow: ExternalRole, carol: Person) -> str:
    client.force_login(carol)
    return client.cookies["sessionid"].value


@pytest.fixture
def expected_text(client: Client, session_key: str) -> str:
    text = client.get(reverse("onboarding:employees:config")).text
    ExternalRole.objects.update(first_used_at=None)
    return text


@pytest.fixture
def browser(live_server, session_key: str, expected_text: str) -> Iterator[Browser]:
    """Started after all that touches the database: Django allows none beside the browser's event loop."""
    with sync_playwright() as play:
        found = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield found
        found.close()


@pytest.fixture
def open_page(browser: Browser, live_server, session_key: str) -> Iterator[Callable[..., Page]]:
    complaints: list[str] = []

    def opened(name: str, *, theme: str = "light", width: int = 1280) -> Page:
        context = browser.new_context(
            base_url=live_server.url,
            color_scheme=theme,  # type: ignore[arg-type]
            reduced_motion="reduce",
            locale="en-US",
            viewport={"width": width, "height": 900},
            permissions=["clipboard-read", "clipboard-write"],
        )
        context.add_cookies([{"name": "sessionid", "value": session_key, "url": live_server.url}])
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.goto(reverse(f"onboarding:{name}"))
        return page

    yield opened
    assert complaints == []


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 390)])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_page(open_page, theme: str, width: int) -> None:
    for name in PAGES:
        page = open_page(name, theme=theme, width=width)
        found = Axe().run(page, options=RULES)
        assert found.violations_count == 0, found.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name


def test_the_whole_config_is_copied_and_the_portal_is_told(open_page, expected_text: str) -> None:
    page = open_page("employees:access")
    with page.expect_response("**/access/copied/") as told:
        page.get_by_role("button", name="Copy all").click()
    assert told.value.status == 204
    assert page.evaluate("navigator.clipboard.readText()") == expected_text
    page.reload()
    expect(page.get_by_role("row", name="willow-telemetry")).to_contain_text("In use")


def test_one_profile_is_copied_with_nothing_else(open_page, expected_text: str) -> None:
    page = open_page("employees:access")
    with page.expect_response("**/copied/"):
        page.get_by_role("button", name="Copy profile").click()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("[profile willow-telemetry]\n")
    assert copied.count("[") == 1
    assert copied in expected_text
    page.get_by_role("button", name="Copy name").click()
    assert page.evaluate("navigator.clipboard.readText()") == "willow-telemetry"


def test_the_search_key_and_the_download_work(open_page, expected_text: str) -> None:
    page = open_page("employees:access")
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download config").click()
    assert download.value.suggested_filename == "config"
    assert download.value.path().read_text() == expected_text
