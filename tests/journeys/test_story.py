"""The whole story: registered, handed off, returned, proven, granted, and used by real clients."""

import json
from pathlib import Path
from typing import Any

import boto3
from playwright.sync_api import expect

from tests.journeys.browsers import Browsers
from tests.journeys.clients import Terminal
from tests.journeys.people import ADMIN, EMPLOYEE, GROUP, OPENS, Admin, PartnerAdmin, merge

# The sandbox's account that is nobody's partner yet.
SAFFRON = "707080809090"
WILLOW = "303040405050"
ROLE = "HoshinoSailingTimes"
PROFILE = "saffron-sailing-times"
# What the employee has already, with an older profile of the same name.
OWN_CONFIG = f"# mine\n[default]\nregion = eu-west-1\n\n[profile {PROFILE}]\nregion = eu-north-1\n"


def test_the_whole_story_from_registration_to_the_first_command(
    browsers: Browsers, demo: dict[str, Any], tmp_path: Path
) -> None:
    admin = Admin(browsers.open_as(ADMIN))
    link = admin.register(partner="Saffron Ferries", account_id=SAFFRON, role_name=ROLE, profile_name=PROFILE)

    partner = PartnerAdmin(browsers.open())
    partner.open(link)
    assert link.rsplit("/", 1)[1] not in partner.page.url
    arn = partner.create_role(ROLE)
    assert arn == f"arn:aws:iam::{SAFFRON}:role/{ROLE}"
    partner.return_arn(ROLE, f"  {arn}\n")
    # The verdict comes into this very page: nobody reloads it.
    partner.page.evaluate("document.body.dataset.page = 'the same'")
    verdict = partner.verdict(ROLE)
    expect(verdict.get_by_role("heading")).to_have_text(OPENS)
    expect(verdict.locator(".checks li .ok")).to_have_count(8)
    assert partner.page.evaluate("document.body.dataset.page") == "the same"

    admin.open_role(ROLE)
    expect(admin.standing).to_contain_text("stays shut without it and with a wrong one")
    admin.grant_to_group(GROUP)
    expect(admin.page.get_by_role("region", name="Granted to").locator("tbody")).to_contain_text(GROUP)

    employee = browsers.open_as(EMPLOYEE)
    employee.goto("/access/")
    expect(employee.get_by_role("row", name=PROFILE)).to_contain_text("Proven")
    merging = merge(employee, OWN_CONFIG)
    merging.get_by_role("group", name=f"[profile {PROFILE}]").get_by_label("Take the portal’s").check()
    with employee.expect_download() as download:
        merging.get_by_role("button", name="Download merged file").click()
    downloaded = tmp_path / "config"
    download.value.save_as(downloaded)

    terminal = Terminal(tmp_path, demo["sandbox"]["endpoint"])
    terminal.put_config_in_place(downloaded)
    assert terminal.config.startswith("# mine\n[default]\nregion = eu-west-1\n\n# >>> managed by")
    terminal.sign_in(browsers.open(), EMPLOYEE, browsers.password_of(EMPLOYEE))
    expected = {"Account": SAFFRON, "Arn": f"arn:aws:sts::{SAFFRON}:assumed-role/{ROLE}/{EMPLOYEE}"}
    assert terminal.ask_cli(PROFILE).items() >= expected.items()
    assert terminal.ask_boto3(PROFILE) == expected

    admin.open_role(ROLE)
    expect(admin.standing).to_contain_text("In use")


def test_a_partner_without_javascript_gets_as_far(browsers: Browsers, demo: dict[str, Any]) -> None:
    admin = Admin(browsers.open_as(ADMIN))
    admin.add_role(WILLOW, "HoshinoPlain")
    partner = PartnerAdmin(browsers.open(java_script_enabled=False))
    partner.open(admin.make_link(WILLOW))
    making = partner.making("HoshinoPlain")
    expect(making.get_by_role("button", name="Copy")).to_have_count(0)
    with partner.page.expect_download() as download:
        making.get_by_role("link", name="Download trust-policy-HoshinoPlain.json").click()
    policy = download.value.path().read_text()

    console = partner.console("HoshinoPlain")
    console.get_by_label("Custom trust policy").fill(policy)
    console.get_by_role("button", name="Create role").click()
    arn = console.locator("#arn").inner_text()
    partner.return_arn("HoshinoPlain", arn)

    verdict = partner.verdict("HoshinoPlain")
    look = verdict.get_by_role("link", name="See whether the verdict is there")
    heading = verdict.get_by_role("heading")
    while heading.inner_text() != OPENS:
        look.click()
    expect(verdict.locator(".checks li .ok")).to_have_count(8)
    account = next(account for account in demo["sandbox"]["accounts"] if account["id"] == WILLOW)
    assert trust_of("HoshinoPlain", account, demo["sandbox"]["endpoint"]) == json.loads(policy)


def trust_of(role_name: str, account: dict[str, str], endpoint: str) -> Any:
    """The trust policy as AWS has it."""
    iam = boto3.client(
        "iam",
        region_name="us-east-1",
        endpoint_url=endpoint,
        aws_access_key_id=account["access_key_id"],
        aws_secret_access_key=account["secret_access_key"],
    )
    return iam.get_role(RoleName=role_name)["Role"]["AssumeRolePolicyDocument"]
