"""The role made in other forms than the console's steps, by a partner at their own machine."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browsers import assert_accessible
from tests.journeys.browsers import Browsers
from tests.journeys.people import ADMIN, OPENS, Admin, PartnerAdmin, copied

WILLOW = "303040405050"


def asked_for(browsers: Browsers, role_name: str, **options: Any) -> PartnerAdmin:
    """At the page, with a role that is asked for."""
    admin = Admin(browsers.open_as(ADMIN))
    admin.add_role(WILLOW, role_name)
    partner = PartnerAdmin(browsers.open(**options))
    partner.open(admin.make_link(WILLOW))
    return partner


def opened_in_cloudformation(partner: PartnerAdmin, role_name: str) -> Page:
    making = partner.making(role_name)
    making.get_by_role("radio", name="CloudFormation").check()
    with partner.page.context.expect_page() as opened:
        making.get_by_role("button", name="Open in CloudFormation").click()
    return opened.value


@pytest.mark.parametrize("scripted", [True, False])
def test_one_click_fills_in_cloudformation_and_its_output_is_returned(browsers: Browsers, scripted: bool) -> None:
    role_name = f"HoshinoStack{'ed' if scripted else 'Plain'}"
    partner = asked_for(browsers, role_name, java_script_enabled=scripted)
    console = opened_in_cloudformation(partner, role_name)
    expect(console.get_by_label("Stack name")).to_have_value(role_name)
    expect(console.get_by_label("Account")).to_have_value(WILLOW)
    expect(console.get_by_role("region", name="Template")).to_contain_text("InTheAccountAskedFor")
    console.get_by_label("I acknowledge").check()
    console.get_by_role("button", name="Create stack").click()
    expect(console.get_by_role("status")).to_have_text("CREATE_COMPLETE")
    partner.return_arn(role_name, console.locator("#pairs").inner_text())
    verdict = partner.verdict(role_name)
    while not scripted and verdict.get_by_role("heading").inner_text() != OPENS:
        verdict.get_by_role("link", name="See whether the verdict is there").click()
    expect(verdict.get_by_role("heading")).to_have_text(OPENS)


def test_the_reply_of_cloudshell_is_pasted_as_it_was_printed(
    browsers: Browsers, demo: dict[str, Any], tmp_path: Path
) -> None:
    partner = asked_for(browsers, "HoshinoShell")
    making = partner.making("HoshinoShell")
    making.get_by_role("radio", name="CloudShell").check()
    commands = copied(making.get_by_label("CloudShell: HoshinoShell", exact=True).get_by_role("button", name="Copy"))
    account = next(account for account in demo["sandbox"]["accounts"] if account["id"] == WILLOW)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "AWS_ENDPOINT_URL": demo["sandbox"]["endpoint"],
        "AWS_DEFAULT_REGION": "ap-northeast-1",
        "AWS_ACCESS_KEY_ID": account["access_key_id"],
        "AWS_SECRET_ACCESS_KEY": account["secret_access_key"],
    }
    done = subprocess.run(
        ["bash", "-c", commands], cwd=tmp_path, env=environment, text=True, capture_output=True, check=False, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    partner.return_arn("HoshinoShell", done.stdout)
    expect(partner.verdict("HoshinoShell").get_by_role("heading")).to_have_text(OPENS)


@pytest.mark.parametrize(
    ("width", "theme", "way"), [(1280, "light", "The role exists already"), (390, "dark", "The role is new")]
)
def test_axe_finds_nothing_in_any_form_and_nothing_is_wider_than_the_page(
    browsers: Browsers, width: int, theme: str, way: str
) -> None:
    role_name = f"HoshinoSeen{width}"
    partner = asked_for(browsers, role_name, width=width, color_scheme=theme)
    making = partner.making(role_name)
    making.get_by_role("link", name=way).click()
    for form in ("Console", "CloudShell", "Bash", "PowerShell", "CloudFormation", "Terraform"):
        making.get_by_role("radio", name=form).check()
        expect(making.get_by_label(f"{form}: {role_name}", exact=True)).to_be_visible()
        assert_accessible(partner.page)
