"""Browsers that remember what went wrong in them: script errors, refused content, answers that nobody expected."""

from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, Response, StorageState

_PATIENCE_MS = 20_000
# Said of every answer from 400 on, which `_judge` looks at by itself.
_SAID_OF_AN_ANSWER = "Failed to load resource: the server responded with"
# A download, and what a page was still asking for when it was left.
_ABORTED = "net::ERR_ABORTED"


class Browsers:
    """Each `open` is a computer of its own, which knows nothing of the others."""

    def __init__(self, chromium: Browser, told: dict[str, Any], sessions: dict[str, StorageState]) -> None:
        self.complaints: list[str] = []
        self.base: str = told["base"]
        self._chromium = chromium
        self._passwords = {user["email"]: user["password"] for user in told["users"]}
        self._sessions = sessions
        self._expected: set[int] = set()
        self._contexts: list[BrowserContext] = []

    def open(self, **options: Any) -> Page:
        context = self._chromium.new_context(
            base_url=self.base,
            locale="en-GB",
            reduced_motion="reduce",
            permissions=["clipboard-read", "clipboard-write"],
            **{"viewport": {"width": 1280, "height": 900}, **options},
        )
        context.set_default_timeout(_PATIENCE_MS)
        context.on("console", self._listen)
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        context.on("requestfailed", self._note_failure)
        context.on("response", self._judge)
        self._contexts.append(context)
        return context.new_page()

    def open_as(self, email: str, **options: Any) -> Page:
        """Signs in by the form the first time, and comes back with the same cookies later."""
        if email not in self._sessions:
            first = self.open()
            self.sign_in(first, email)
            self._sessions[email] = first.context.storage_state()
        return self.open(storage_state=self._sessions[email], **options)

    def sign_in(self, page: Page, email: str) -> None:
        page.goto("/")
        page.get_by_label("E-mail address").fill(email)
        page.get_by_label("Password").fill(self._passwords[email])
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("button", name="Sign out").wait_for()

    def password_of(self, email: str) -> str:
        return self._passwords[email]

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
