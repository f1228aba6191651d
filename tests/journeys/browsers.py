"""The browsers of the demo's people."""

from typing import Any

from playwright.sync_api import Browser, Page, StorageState

from tests import browsers


class Browsers(browsers.Browsers):
    def __init__(self, chromium: Browser, told: dict[str, Any], sessions: dict[str, StorageState]) -> None:
        super().__init__(chromium, told["base"])
        self._passwords = {user["email"]: user["password"] for user in told["users"]}
        self._sessions = sessions

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
