"""A real browser for the tests, and what they all ask of a page in it."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    Response,
    expect,
    sync_playwright,
)

_FOUND = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
# Two cores may be busy with other tests.
_PATIENCE_MS = 20_000
_AXE = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
# Said by the browser and by htmx of every answer from 400 on, which `_judge` looks at by itself.
_SAID_OF_AN_ANSWER = ("Failed to load resource: the server responded with", "Response Status Error Code")
# A download, and what a page was still asking for when it was left.
_ABORTED = "net::ERR_ABORTED"

needs_chromium = pytest.mark.skipif(not _FOUND, reason="no Chromium on PATH")


class Browsers:
    """Each `open` is a computer of its own, which knows nothing of the others; what went wrong in them is remembered:
    script errors, refused content, answers that nobody expected."""

    def __init__(self, chromium: Browser, base: str) -> None:
        self.complaints: list[str] = []
        self.base = base
        self._chromium = chromium
        self._expected: set[int] = set()
        self._contexts: list[BrowserContext] = []

    def open(self, address: str = "", *, session_key: str = "", width: int = 1280, **options: Any) -> Page:
        """At the address, where one is given; signed in, where the key of a session is."""
        context = self._chromium.new_context(
            reduced_motion="reduce",
            locale="en-GB",
            viewport={"width": width, "height": 900},
            permissions=["clipboard-read", "clipboard-write"],
            **{"base_url": self.base, **options},
        )
        if session_key:
            context.add_cookies([{"name": "sessionid", "value": session_key, "url": self.base}])
        context.set_default_timeout(_PATIENCE_MS)
        context.on("console", self._listen)
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        context.on("requestfailed", self._note_failure)
        context.on("response", self._judge)
        self._contexts.append(context)
        page = context.new_page()
        if address:
            page.goto(address)
        return page

    def expect_status(self, *statuses: int) -> None:
        self._expected.update(statuses)

    def close(self) -> None:
        for context in self._contexts:
            context.close()

    def _listen(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not message.text.startswith(_SAID_OF_AN_ANSWER):
            self.complaints.append(f"{message.text} ({message.location})")

    def _note_failure(self, request: Request) -> None:
        if request.failure != _ABORTED:
            self.complaints.append(f"{request.method} {request.url}: {request.failure}")

    def _judge(self, response: Response) -> None:
        if response.status >= 400 and response.status not in self._expected:
            self.complaints.append(f"{response.request.method} {response.url}: {response.status}")


@contextmanager
def chromium() -> Iterator[Browser]:
    """To be started after all that touches the database: Django allows none beside the browser's event loop."""
    expect.set_options(timeout=_PATIENCE_MS)
    try:
        with sync_playwright() as play:
            browser = play.chromium.launch(executable_path=_FOUND, args=["--no-sandbox", "--disable-gpu"])
            yield browser
            browser.close()
    finally:
        expect.set_options(timeout=None)


@contextmanager
def browsers_of(base: str) -> Iterator[Browsers]:
    """For one test, which fails where a browser had something to complain of."""
    with chromium() as browser:
        found = Browsers(browser, base)
        yield found
        found.close()
    assert found.complaints == [], found.complaints


def expect_clipboard(page: Page, text: str) -> None:
    """Soon: a page writes into it after the press of the button."""
    page.wait_for_function("text => navigator.clipboard.readText().then((read) => read === text)", arg=text)


def assert_accessible(page: Page) -> None:
    """Axe finds nothing at AA, and nothing is wider than the screen."""
    found = Axe().run(page, options=_AXE)
    assert found.violations_count == 0, f"{page.url}: {found.generate_report()}"
    width = page.viewport_size["width"] if page.viewport_size else 0
    assert page.evaluate("document.documentElement.scrollWidth") <= width, page.url
