"""`python -m demo.screenshots`: the pictures of the README, taken of the demo that runs in this checkout."""

import json
import shutil
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from demo.state import CHECKOUT, State

_FOLDER = CHECKOUT / "docs" / "pictures"
_SIZE = {"width": 1280, "height": 800}


def main() -> None:
    told = json.loads(State(CHECKOUT / "var").announcement.read_text())
    _FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        # Debian's Chromium where there is one; else the one that `playwright install chromium` fetches.
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"))
        for scheme in ("light", "dark"):
            _admin(_visitor(browser, scheme), told, scheme)
            _partner(_visitor(browser, scheme), told, scheme)
            _employee(_visitor(browser, scheme), told, scheme)


def _visitor(browser: Browser, scheme: Any) -> Page:
    return browser.new_page(viewport=_SIZE, color_scheme=scheme, locale="en-GB")  # type: ignore[arg-type]


def _admin(page: Page, told: dict[str, Any], scheme: str) -> None:
    _sign_in(page, told, "platform_admin")
    page.goto(f"{told['base']}/admin/")
    _take(page, f"overview-{scheme}")
    page.goto(f"{told['base']}/admin/partners/")
    _take(page, f"partners-{scheme}")
    page.goto(f"{told['base']}/admin/roles/")
    page.get_by_role("link", name="HoshinoReportReader").first.click()
    _take(page, f"unsafe-role-{scheme}")


def _partner(page: Page, told: dict[str, Any], scheme: str) -> None:
    page.goto(told["invitation"])
    _take(page, f"hand-off-{scheme}")


def _employee(page: Page, told: dict[str, Any], scheme: str) -> None:
    _sign_in(page, told, "employee")
    page.goto(f"{told['base']}/access/")
    _take(page, f"access-{scheme}")


def _sign_in(page: Page, told: dict[str, Any], role: str) -> None:
    user = next(user for user in told["users"] if user["role"] == role)
    page.goto(told["base"])
    page.locator("input[name=login]").fill(user["email"])
    page.locator("input[name=password]").fill(user["password"])
    page.locator("input[name=password]").press("Enter")
    page.wait_for_url(lambda address: "sign-in" not in address)


def _take(page: Page, name: str) -> None:
    path = _FOLDER / f"{name}.png"
    page.screenshot(path=path)
    print(Path(path).relative_to(CHECKOUT), flush=True)


if __name__ == "__main__":
    main()
