"""What the people of the story do in their browsers, in their own words."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Locator, Page, expect

ADMIN = "mio.tanabe@hoshino.example"
EMPLOYEE = "kenji.mori@hoshino.example"
GROUP = "Partner analysts"

OPENS = "It opens for Hoshino Trading, and only with the external ID."
DENIED = "AWS denied us the role, with the right external ID."

Policy = dict[str, Any]
Spoil = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Admin:
    """A platform admin, who has signed in."""

    page: Page

    def register(self, *, partner: str, account_id: str, role_name: str, profile_name: str) -> str:
        """The link to hand to the partner."""
        page = self.page
        page.goto("/admin/")
        page.get_by_role("link", name="Register partner").click()
        page.get_by_label("Company name").fill(partner)
        page.get_by_label("Contact", exact=True).fill("Noor Haddad")
        page.get_by_label("Contact's e-mail").fill("cloud@saffron.example")
        page.get_by_label("AWS account ID").fill(account_id)
        self._ask_for(role_name, profile_name)
        expect(page.get_by_role("complementary", name="Preview")).to_contain_text(partner)
        page.get_by_role("button", name="Register and make the link").click()
        return self._shown_link()

    def add_role(self, account_id: str, role_name: str) -> None:
        self.open_account(account_id)
        self.page.get_by_role("link", name="Add role").first.click()
        self._ask_for(role_name, role_name.lower())
        self.page.get_by_role("button", name=re.compile("Add the role|Add role|Register")).click()

    def make_link(self, account_id: str) -> str:
        self.open_account(account_id)
        expect(self.page.get_by_text("New hand-off link").first).to_be_visible()
        confirm = self.page.locator("details.confirm", has_text="New hand-off link")
        if confirm.count():
            confirm.locator("summary").click()
        self.page.get_by_role("button", name="Show it, to send it yourself").click()
        return self._shown_link()

    def mail_link(self, account_id: str, *, verify_recipient: bool = False) -> None:
        """Of an account that has no link yet."""
        self.open_account(account_id)
        self.page.get_by_label("Ask whoever opens it for a code").set_checked(verify_recipient)
        self.page.get_by_role("button", name="Mail it to").click()
        expect(self.page.get_by_text("The mail is on its way to")).to_be_visible()

    def open_account(self, account_id: str) -> None:
        self.page.goto(f"/admin/partners/?q={account_id}")
        self.page.locator("table.ledger tbody tr").get_by_role("link").first.click()
        self.page.get_by_role("link", name="Account and link").click()
        expect(self.page.get_by_role("heading", name="Hand-off link")).to_be_visible()
        self.page.wait_for_load_state()

    def open_role(self, role_name: str) -> None:
        self.page.goto(f"/admin/roles/?q={role_name}")
        self.page.get_by_role("link", name=role_name, exact=True).click()
        expect(self.page.get_by_role("heading", level=1, name=role_name)).to_be_visible()

    def grant_to_group(self, name: str) -> None:
        self.page.get_by_label("Or a group").select_option(name)
        self.page.get_by_label("Reason").fill("Warehouse planning")
        self.page.get_by_role("button", name="Grant", exact=True).click()

    def confirm(self, ask: str) -> None:
        """Opens what asks once more, and says yes."""
        asking = self.page.locator("details.confirm", has=self.page.locator("summary", has_text=ask))
        asking.locator("summary").click()
        asking.get_by_role("button").click()

    @property
    def standing(self) -> Locator:
        return self.page.locator("#standing")

    def _ask_for(self, role_name: str, profile_name: str) -> None:
        self.page.get_by_label("What your people will do there").fill("Read sailing times for our deliveries.")
        self.page.get_by_label("Permissions asked for").fill("s3:GetObject on the bucket sailing-times")
        self.page.get_by_label("Role name to create").fill(role_name)
        self.page.get_by_label("Profile name").fill(profile_name)

    def _shown_link(self) -> str:
        expect(self.page.get_by_text("It is shown this once.")).to_be_visible()
        shown = self.page.get_by_role("region", name="Hand-off link")
        return copied(shown.get_by_role("button", name="Copy"))


@dataclass(frozen=True, slots=True)
class PartnerAdmin:
    """Whoever holds the link; has no account on our side."""

    page: Page

    def open(self, link: str) -> None:
        self.page.goto(link)
        expect(self.page.get_by_role("heading", level=1)).to_contain_text("Hoshino Trading asks for access")

    def making(self, role_name: str) -> Locator:
        return self.page.locator("section[id^=make-]").filter(has_text=role_name)

    def returning(self, role_name: str) -> Locator:
        uuid = (self.making(role_name).get_attribute("id") or "").removeprefix("make-")
        return self.page.locator(f"#return-{uuid}")

    def verdict(self, role_name: str) -> Locator:
        return self.returning(role_name).locator(".verdict")

    def console(self, role_name: str) -> Page:
        """The partner's own AWS console, in a second tab."""
        link = self.making(role_name).get_by_role("link", name="Open the sandbox’s console as")
        with self.page.context.expect_page() as opened:
            link.click(modifiers=["ControlOrMeta"])
        return opened.value

    def copy_policy(self, role_name: str) -> str:
        return copied(self.making(role_name).get_by_role("button", name="Copy").first)

    def create_role(self, role_name: str, *, spoil: Spoil | None = None) -> str:
        """By pasting the policy from the page; `spoil` is what goes wrong on the way. Returns the ARN."""
        policy = self.copy_policy(role_name)
        console = self.console(role_name)
        trust = console.get_by_label("Custom trust policy")
        if spoil:
            trust.fill(spoil(policy))
        else:
            trust.press("ControlOrMeta+v")
        console.get_by_role("button", name="Create role").click()
        arn = copied(console.get_by_role("button", name="Copy the ARN"))
        console.close()
        return arn

    def correct_policy(self, role_name: str) -> None:
        policy = self.copy_policy(role_name)
        console = self.console(role_name)
        console.get_by_role("link", name=role_name, exact=True).click()
        console.get_by_role("textbox", name="Trust policy").fill(policy)
        console.get_by_role("button", name="Save trust policy").click()
        expect(console.get_by_text("Trust policy saved.")).to_be_visible()
        console.close()

    def return_arn(self, role_name: str, pasted: str) -> None:
        returning = self.returning(role_name)
        returning.get_by_label("Role ARN").fill(pasted)
        with self.page.expect_navigation():
            returning.get_by_role("button", name=re.compile("Check it now|Replace it|Offer it")).click()

    def check_again(self, role_name: str) -> None:
        """As soon as the portal lets a partner ask again, which it does every ten seconds."""
        for _ in range(20):
            with self.page.expect_response(re.compile("/check$")) as answer:
                self.verdict(role_name).get_by_role("button", name="Check again").click()
            if "This was checked a moment ago" not in answer.value.text():
                return
            self.page.wait_for_timeout(1_000)
        raise AssertionError("The portal refuses to check again.")


@dataclass(frozen=True, slots=True)
class Mailbox:
    """Where all mail of the demo arrives, by SMTP."""

    page: Page
    address: str

    def newest(self, subject: str) -> str:
        """The text of the newest mail with this subject, which may still be on its way."""
        found = self.page.get_by_role("link", name=re.compile(subject))
        for _ in range(100):
            self.page.goto(self.address)
            if found.count():
                found.first.click()
                return self.page.locator("#text").inner_text()
            self.page.wait_for_timeout(200)
        raise AssertionError(f"No mail says {subject!r}.")

    def empty(self) -> None:
        self.page.goto(self.address)
        button = self.page.get_by_role("button", name="Empty the mailbox")
        if button.count():
            button.click()
        expect(self.page.get_by_role("heading", name="No mail yet")).to_be_visible()


def copied(button: Locator) -> str:
    """What a press of the button leaves in the clipboard."""
    page = button.page
    expect(button).to_be_visible()
    page.evaluate("navigator.clipboard.writeText('')")
    button.click()
    page.wait_for_function("navigator.clipboard.readText().then((text) => text !== '')")
    return str(page.evaluate("navigator.clipboard.readText()"))


def merge(page: Page, own_config: str) -> Locator:
    """Choose a file on the page of the own access; what it becomes stands in the band that is returned."""
    page.set_input_files("#mine", {"name": "config", "mimeType": "text/plain", "buffer": own_config.encode()})
    return page.get_by_role("region", name="Merge preview")
