"""A link's life by real mail: sent, asked for its recipient's code, replaced, and its role withdrawn in the end."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.browsers import Browsers
from tests.journeys.people import ADMIN, DENIED, Admin, Mailbox, PartnerAdmin

# Registered in the sample organization, and not asked yet.
YAMABUKI = "606060707070"
# In the language noted of the partner.
ASKS = "Yamabuki Media様のAWSアカウントへのアクセスのお願い"


def link_in(mail: str) -> str:
    found = re.search(r"http\S+/i/\S+", mail)
    assert found
    return found[0]


def code_in(mail: str) -> str:
    found = re.search(r"^[0-9]{4} [0-9]{4}$", mail, re.MULTILINE)
    assert found
    return found[0]


def speak_english(page: Page) -> None:
    page.get_by_role("button", name="English").click()


@pytest.mark.parametrize("javascript", [True, False])
def test_a_mailed_link_opens_with_the_recipients_code_and_its_role_is_withdrawn(
    browsers: Browsers, mailbox: Mailbox, demo: dict[str, Any], javascript: bool
) -> None:
    role_name = f"HoshinoMailed{javascript}"
    admin = Admin(browsers.open_as(ADMIN))
    admin.add_role(YAMABUKI, role_name)
    admin.open_account(YAMABUKI)
    revoke = admin.page.locator("details.confirm", has_text="Revoke")
    if revoke.count():
        admin.confirm("Revoke")
    mailbox.empty()
    admin.mail_link(YAMABUKI, verify_recipient=True)

    partner = browsers.open(java_script_enabled=javascript)
    link = link_in(mailbox.newest(ASKS))
    partner.goto(link)
    assert link.rsplit("/", 1)[1] not in partner.url
    speak_english(partner)
    expect(partner.get_by_role("heading", level=1)).to_have_text("One step before you read")
    partner.get_by_role("button", name="Mail me the code").click()
    partner.get_by_label("Code from the mail").fill(code_in(mailbox.newest("の確認コード")))
    partner.get_by_role("button", name="Read the request").click()
    expect(partner.get_by_role("heading", level=1)).to_contain_text("Hoshino Trading asks for access")

    partner.get_by_role("link", name="All of it to print").click()
    expect(partner.get_by_role("region", name="Who did what")).to_contain_text("first.last@hoshino.example")
    with partner.expect_download() as download:
        partner.get_by_role("link", name="Download athena.sql").click()
    assert f"'arn:aws:iam::{YAMABUKI}:role/{role_name}'" in download.value.path().read_text()
    partner.go_back()

    page = PartnerAdmin(partner)
    returning = page.returning(role_name)
    returning.locator("summary", has_text="We withdraw this").click()
    returning.get_by_role("button", name=f"Withdraw {role_name}").click()
    expect(partner.get_by_text(f"You have withdrawn {role_name}")).to_be_visible()
    assert role_name in mailbox.newest(f"Yamabuki Media withdraws the role {role_name}")


def test_a_link_that_is_mailed_anew_ends_the_one_before(browsers: Browsers, mailbox: Mailbox) -> None:
    admin = Admin(browsers.open_as(ADMIN))
    admin.open_account("414152526363")
    admin.page.get_by_role("heading", name="Hand-off link").wait_for()
    mailbox.empty()
    admin.page.get_by_role("button", name="Mail it anew").click()
    first = link_in(mailbox.newest("asks for access"))
    partner = PartnerAdmin(browsers.open())
    partner.open(first)
    mailbox.empty()
    admin.page.get_by_role("button", name="Mail it anew").click()
    second = link_in(mailbox.newest("asks for access"))
    browsers.expect_status(404)
    partner.page.reload()
    expect(partner.page.get_by_role("heading", level=1)).to_have_text("This link is not valid. Nothing is lost.")
    partner.open(second)
    expect(partner.verdict("HoshinoMeterExport").get_by_role("heading")).to_contain_text(DENIED)


def test_the_mail_as_a_mail_program_shows_it_leads_to_the_page(browsers: Browsers, mailbox: Mailbox) -> None:
    admin = Admin(browsers.open_as(ADMIN))
    admin.open_account("414152526363")
    mailbox.empty()
    admin.page.get_by_role("button", name="Mail it anew").click()
    mailbox.newest("asks for access")
    mailbox.page.frame_locator("iframe").get_by_role("link", name="Read what is asked").click()
    expect(mailbox.page.get_by_role("heading", level=1)).to_contain_text("Hoshino Trading asks for access")
