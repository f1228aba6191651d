"""The employee's pages in a real browser: accessibility in both themes, and copying that is told."""

from collections.abc import Callable, Iterator

import pytest
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Page, expect

from onboarding.core.probes import Outcome
from onboarding.models import ExternalRole, Person
from tests.browsers import assert_accessible, browsers_of, expect_clipboard, needs_chromium
from tests.factories import Door, make_checked_role, make_grant, make_role

PAGES = ["employees:access", "settings", "help", "genuine"]

pytestmark = needs_chromium


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
def open_page(live_server, session_key: str, expected_text: str) -> Iterator[Callable[..., Page]]:
    with browsers_of(live_server.url) as browsers:
        yield lambda name, **options: browsers.open(reverse(f"onboarding:{name}"), session_key=session_key, **options)


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 390)])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_page(open_page, theme: str, width: int) -> None:
    for name in PAGES:
        assert_accessible(open_page(name, color_scheme=theme, width=width))


def test_the_whole_config_is_copied_and_the_portal_is_told(open_page, expected_text: str) -> None:
    page = open_page("employees:access")
    with page.expect_response("**/access/copied/") as told:
        page.get_by_role("button", name="Copy all").click()
    assert told.value.status == 204
    expect_clipboard(page, expected_text)
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
    expect_clipboard(page, "willow-telemetry")


def test_the_search_key_and_the_download_work(open_page, expected_text: str) -> None:
    page = open_page("employees:access")
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download config").click()
    assert download.value.suggested_filename == "config"
    assert download.value.path().read_text() == expected_text
