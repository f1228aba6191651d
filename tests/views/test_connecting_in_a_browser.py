"""The pages around a laptop in a real browser: accessible in both themes, and no wider than a phone."""

import shutil
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Browser, sync_playwright

from onboarding.models import Person
from onboarding.services import computers, proofs
from tests import factories
from tests.test_permissions import LOOPBACK

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="no Chromium on PATH")


@pytest.fixture
def addresses(transactional_db: None, empty_cache: None, client: Client, carol: Person) -> list[str]:
    """Of the pages as they are while something is asked; the session is the client's."""
    asked, bare = (factories.make_checked_role() for _ in range(2))
    for role in (asked, bare):
        factories.make_grant(role, carol)
    proofs.begin_proof(carol, asked)
    factories.connect_laptop(carol)
    code = computers.ask_by_device_code("server-12").user_code
    client.force_login(carol)
    connect, by_code = (reverse(f"onboarding:employees:{name}") for name in ("connect", "connect_by_code"))
    return [
        reverse("onboarding:employees:access"),
        *(reverse("onboarding:employees:prove", args=[role.uuid]) for role in (asked, bare)),
        f"{connect}?{'&'.join(f'{name}={value}' for name, value in LOOPBACK.items())}",
        by_code,
        f"{by_code}?user_code={code}",
        f"{by_code}?user_code=BCDF-GHJK",
    ]


@pytest.fixture
def browser(live_server, addresses: list[str]) -> Iterator[Browser]:
    """Started after all that touches the database: Django allows none beside the browser's event loop."""
    with sync_playwright() as play:
        found = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield found
        found.close()


@pytest.mark.parametrize("screen", [("light", 1280), ("dark", 390)])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_page(
    browser: Browser, live_server, client: Client, addresses: list[str], screen: tuple[str, int]
) -> None:
    theme, width = screen
    context = browser.new_context(
        base_url=live_server.url,
        color_scheme=theme,  # type: ignore[arg-type]
        reduced_motion="reduce",
        viewport={"width": width, "height": 900},
    )
    cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}
    context.add_cookies([cookie])  # type: ignore[list-item]
    page = context.new_page()
    for address in addresses:
        page.goto(address)
        found = Axe().run(page, options=RULES)
        assert found.violations_count == 0, address + found.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address
