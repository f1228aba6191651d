"""The component sheet and sign-in in a real browser: accessibility, copying, focus, and a clean console."""

from collections.abc import Callable, Iterator
from functools import partial

import pytest
from django.test import Client
from playwright.sync_api import Page, expect

from onboarding.models import Person
from tests.browsers import Browsers, assert_accessible, browsers_of, expect_clipboard, needs_chromium
from tests.factories import PASSWORD
from tests.front.sheet import POLICY

pytestmark = [
    needs_chromium,
    pytest.mark.urls("tests.front.urls"),
    pytest.mark.usefixtures("empty_cache"),
]


@pytest.fixture
def session_key(client: Client, transactional_db: None, alice: Person) -> str:
    client.force_login(alice)
    return client.cookies["sessionid"].value


@pytest.fixture
def browsers(live_server, session_key: str) -> Iterator[Browsers]:
    with browsers_of(live_server.url) as found:
        yield found


@pytest.fixture
def open_page(browsers: Browsers, session_key: str) -> Callable[..., Page]:
    return partial(browsers.open, session_key=session_key)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390, 360])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_page(
    browsers: Browsers, session_key: str, theme: str, width: int
) -> None:
    assert_accessible(browsers.open("/sheet/", session_key=session_key, color_scheme=theme, width=width))
    assert_accessible(browsers.open("/sign-in/login/", color_scheme=theme, width=width))


def test_what_is_copied_is_the_code_without_numbers_and_marks(open_page) -> None:
    page = open_page("/sheet/")
    with page.expect_request("**/copied/") as told:
        page.locator("figure.code").first.get_by_role("button", name="Copy").click()
    lines = POLICY.splitlines(keepends=True)
    # Line 6 is marked as removed and line 7 is folded away.
    expect_clipboard(page, "".join(lines[:5] + lines[7:]))
    expect(page.get_by_role("status").filter(has_text="Copied")).to_have_count(1)
    assert told.value.headers["x-csrftoken"]


def test_an_account_id_is_copied_without_its_gaps(open_page) -> None:
    page = open_page("/sheet/")
    page.locator(".account").first.select_text()
    page.keyboard.press("Control+c")
    expect_clipboard(page, "030040405050")


def test_the_error_summary_has_focus_and_the_slash_finds_the_search(open_page) -> None:
    page = open_page("/sheet/")
    expect(page.locator(".errors")).to_be_focused()
    page.keyboard.press("/")
    expect(page.get_by_label("Search partners")).to_be_focused()


def test_without_script_nothing_offers_to_copy(open_page) -> None:
    page = open_page("/sheet/", java_script_enabled=False)
    expect(page.get_by_role("button", name="Copy")).to_have_count(0)
    expect(page.get_by_role("link", name="Download trust-policy.json")).to_be_visible()


def test_focus_goes_to_the_heading_where_the_focused_thing_vanished(open_page) -> None:
    page = open_page("/sheet/")
    page.get_by_role("button", name="Check again").press("Enter")
    expect(page.get_by_role("heading", name="It opens", exact=True)).to_be_focused()


def test_a_security_key_is_added_under_the_content_security_policy(browsers: Browsers, live_server, settings) -> None:
    settings.MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = True
    # A browser knows no security keys for a bare IP address.
    page = browsers.open(base_url=live_server.url.replace("127.0.0.1", "localhost"))
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
