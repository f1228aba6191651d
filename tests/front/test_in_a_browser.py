"""The component sheet and sign-in in a real browser: accessibility, copying, focus, and a clean console."""

import shutil
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from playwright.sync_api import Browser, Page, expect, sync_playwright

from onboarding.models import Person
from tests.factories import PASSWORD
from tests.front.sheet import POLICY

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}

pytestmark = [
    pytest.mark.skipif(not CHROMIUM, reason="no Chromium on PATH"),
    pytest.mark.urls("tests.front.urls"),
    pytest.mark.usefixtures("empty_cache"),
]


@pytest.fixture
def session_key(client: Client, transactional_db: None, alice: Person) -> str:
    client.force_login(alice)
    return client.cookies["sessionid"].value


@pytest.fixture
def browser(live_server, session_key: str) -> Iterator[Browser]:
    """Started after all that touches the database: Django allows none beside the browser's event loop."""
    with sync_playwright() as play:
        found = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield found
        found.close()


@pytest.fixture
def open_page(browser: Browser, live_server, session_key: str):
    complaints: list[str] = []

    def opened(address: str, *, theme: str = "light", width: int = 1280, signed_in: bool = True) -> Page:
        context = browser.new_context(
            base_url=live_server.url,
            color_scheme=theme,  # type: ignore[arg-type]
            reduced_motion="reduce",
            locale="en-US",
            viewport={"width": width, "height": 900},
            permissions=["clipboard-read", "clipboard-write"],
        )
        if signed_in:
            context.add_cookies([{"name": "sessionid", "value": session_key, "url": live_server.url}])
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(address)
        return page

    yield opened
    assert [text for text in complaints if "favicon.ico" not in text] == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize(("address", "signed_in"), [("/sheet/", True), ("/sign-in/login/", False)])
def test_axe_finds_nothing(open_page, address: str, signed_in: bool, theme: str, width: int) -> None:
    page = open_page(address, theme=theme, width=width, signed_in=signed_in)
    found = Axe().run(page, options=RULES)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize(("address", "signed_in"), [("/sheet/", True), ("/sign-in/login/", False)])
def test_a_phone_never_scrolls_sideways(open_page, address: str, signed_in: bool) -> None:
    page = open_page(address, width=360, signed_in=signed_in)
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_what_is_copied_is_the_code_without_numbers_and_marks(open_page) -> None:
    page = open_page("/sheet/")
    with page.expect_request("**/copied/") as told:
        page.locator("figure.code").first.get_by_role("button", name="Copy").click()
    lines = POLICY.splitlines(keepends=True)
    # Line 6 is marked as removed and line 7 is folded away.
    assert page.evaluate("navigator.clipboard.readText()") == "".join(lines[:5] + lines[7:])
    expect(page.get_by_role("status").filter(has_text="Copied")).to_have_count(1)
    assert told.value.headers["x-csrftoken"]


def test_an_account_id_is_copied_without_its_gaps(open_page) -> None:
    page = open_page("/sheet/")
    page.locator(".account").first.select_text()
    page.keyboard.press("Control+c")
    assert page.evaluate("navigator.clipboard.readText()") == "030040405050"


def test_the_error_summary_has_focus_and_the_slash_finds_the_search(open_page) -> None:
    page = open_page("/sheet/")
    expect(page.locator(".errors")).to_be_focused()
    page.keyboard.press("/")
    expect(page.get_by_label("Search partners")).to_be_focused()


def test_without_script_nothing_offers_to_copy(browser: Browser, live_server, session_key: str) -> None:
    context = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    context.add_cookies([{"name": "sessionid", "value": session_key, "url": live_server.url}])
    page = context.new_page()
    page.goto("/sheet/")
    expect(page.get_by_role("button", name="Copy")).to_have_count(0)
    expect(page.get_by_role("link", name="Download trust-policy.json")).to_be_visible()


def test_focus_goes_to_the_heading_where_the_focused_thing_vanished(open_page) -> None:
    page = open_page("/sheet/")
    page.get_by_role("button", name="Check again").press("Enter")
    expect(page.get_by_role("heading", name="It opens", exact=True)).to_be_focused()


def test_a_security_key_is_added_under_the_content_security_policy(browser: Browser, live_server, settings) -> None:
    settings.MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = True
    # A browser knows no security keys for a bare IP address.
    page = browser.new_context(base_url=live_server.url.replace("127.0.0.1", "localhost")).new_page()
    plug_in_a_security_key(page)
    page.goto("/sign-in/login/?next=/sign-in/2fa/webauthn/add/")
    page.get_by_label("E-mail address").fill("alice@hoshino.example")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    page.get_by_label("Name").fill("Blue key")
    page.get_by_role("button", name="Add the key").click()
    expect(page.get_by_text("The security key is added.")).to_be_visible()


def plug_in_a_security_key(page: Page) -> None:
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    abilities = {"hasResidentKey": True, "hasUserVerification": True, "isUserVerified": True}
    options = {"protocol": "ctap2", "transport": "usb", "automaticPresenceSimulation": True, **abilities}
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
