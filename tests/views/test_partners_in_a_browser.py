"""The pages behind a link in a real browser: axe finds nothing at AA, nothing is wider than the page, no complaint."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from onboarding.core.probes import Outcome
from onboarding.models import Invitation, Mail, MailKind
from onboarding.services import recipients
from tests.browsers import assert_accessible, browsers_of, needs_chromium
from tests.factories import Door, make_account, make_checked_role, make_invitation, make_partner, make_role
from tests.views.partner_pages import link, open_link

pytestmark = needs_chromium


@pytest.fixture
def addresses(transactional_db: None, client: Client) -> dict[str, str]:
    """Each page of a link, of one partner with roles that stand as they can."""
    account = make_account(make_partner("Willow Robotics"), account_id="303040405050", label="Production")
    make_checked_role(make_role(account, permissions_wanted="s3:GetObject\non the bucket exports"))
    make_checked_role(make_role(account, console_access=True), door=Door(without=Outcome.ENTERED))
    invitation = open_link(client, make_role(account))
    asking = _held(client)
    Invitation.objects.filter(pk=asking.pk).update(verify_recipient=True)
    expired = _held(client)
    Invitation.objects.filter(pk=expired.pk).update(expires_at=timezone.now() - timedelta(days=1))
    waiting = _held(client)
    Invitation.objects.filter(pk=waiting.pk).update(verify_recipient=True)
    recipients.ask_for_code(waiting)
    Mail.objects.filter(kind=MailKind.CODE).update(acknowledged_at=timezone.now())
    page = {name: reverse(f"onboarding:partners:{name}", args=[invitation.uuid]) for name in ("handoff", "summary")}
    return {
        **page,
        "recipient": reverse("onboarding:partners:recipient", args=[asking.uuid]),
        "code": reverse("onboarding:partners:recipient", args=[waiting.uuid]),
        "expired": reverse("onboarding:partners:handoff", args=[expired.uuid]),
        "lost": reverse("onboarding:partners:lost"),
        "asked": reverse("onboarding:partners:asked"),
        "too_many": reverse("onboarding:partners:too_many"),
    }


def _held(client: Client) -> Invitation:
    issued = make_invitation()
    client.get(link(issued.link_token))
    return issued.invitation


@pytest.fixture
def open_page(live_server, client: Client, addresses: dict[str, str]) -> Iterator[Callable[..., Page]]:
    session_key = client.cookies["sessionid"].value
    with browsers_of(live_server.url) as browsers:
        # Of links that are worth nothing any more, or too many tries.
        browsers.expect_status(404, 410, 429)
        yield partial(browsers.open, session_key=session_key)


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 390)])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_page(open_page, addresses, theme: str, width: int) -> None:
    for address in addresses.values():
        page = open_page(address, color_scheme=theme, width=width)
        for summary in page.locator("summary").all():
            summary.click()
        assert_accessible(page)


def test_the_summary_prints_what_it_says_and_nothing_to_press(open_page, addresses) -> None:
    page = open_page(addresses["summary"], width=720)
    page.evaluate("window.print = () => { document.body.dataset.printed = 'yes'; }")
    page.get_by_role("button", name="Print").click()
    assert page.evaluate("document.body.dataset.printed") == "yes"
    page.emulate_media(media="print")
    expect(page.get_by_role("button", name="Print")).to_be_hidden()
    expect(page.get_by_role("button", name="日本語")).to_be_hidden()
    expect(page.get_by_text("Who can enter")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 720
    assert page.pdf()[:4] == b"%PDF"
