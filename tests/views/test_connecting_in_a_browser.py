"""The pages around a laptop in a real browser: accessible in both themes, and no wider than a phone."""

import pytest
from django.test import Client
from django.urls import reverse

from onboarding.models import Person
from onboarding.services import computers, proofs
from tests import factories
from tests.browsers import assert_accessible, browsers_of, needs_chromium
from tests.test_permissions import LOOPBACK

pytestmark = needs_chromium


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


@pytest.mark.parametrize("screen", [("light", 1280), ("dark", 390)])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_page(
    live_server, client: Client, addresses: list[str], screen: tuple[str, int]
) -> None:
    theme, width = screen
    session_key = client.cookies["sessionid"].value
    with browsers_of(live_server.url) as browsers:
        # Of the code that nobody has.
        browsers.expect_status(404)
        page = browsers.open(session_key=session_key, color_scheme=theme, width=width)
        for address in addresses:
            page.goto(address)
            assert_accessible(page)
