"""A laptop from its first sign-in to the proof of a role: portal-config, a real browser and the real AWS CLI."""

import sys
from pathlib import Path
from typing import Any

from playwright.sync_api import expect

from tests.client.conftest import Laptop
from tests.journeys.browsers import Browsers
from tests.journeys.clients import Terminal
from tests.journeys.people import ADMIN, EMPLOYEE, Admin

# Of the sample organization: proven, and granted to the employee's group.
PROFILE, ROLE = "alloy-prices", "HoshinoAlloyPrices"


def test_a_laptop_is_connected_synced_and_proves_its_role(
    browsers: Browsers, demo: dict[str, Any], tmp_path: Path
) -> None:
    laptop = Laptop(tmp_path, demo["base"])
    browser = browsers.open_as(EMPLOYEE)
    with laptop.start("login", laptop.portal) as program:
        assert program.stdout
        browser.goto(next(line.strip() for line in program.stdout if "/connect/?" in line))
        browser.get_by_role("button", name="Connect").click()
        # The page's policy lets the browser go to where this laptop listens.
        expect(browser.get_by_text("This computer is connected.")).to_be_visible()
        assert program.wait(20) == 0
    laptop.run("sync")
    Terminal(tmp_path, demo["sandbox"]["endpoint"]).sign_in(browsers.open(), EMPLOYEE, browsers.password_of(EMPLOYEE))
    # PyPI's AWS CLI, unless version 2 is on PATH.
    aws = str(Path(sys.executable).parent)
    path = laptop.environment["PATH"]
    laptop.more_environment = {"AWS_ENDPOINT_URL": demo["sandbox"]["endpoint"], "PATH": f"{path}:{aws}"}

    browser.goto("/access/")
    browser.get_by_role("row", name=PROFILE).get_by_role("link", name="Prove it works").click()
    browser.get_by_role("button", name="Make the line").click()
    line = browser.locator("figure.code pre").inner_text().split()
    assert line[:3] == ["aws", "eks", "get-token"]
    browser.get_by_label("What the command printed").fill(laptop.run_other(*line))
    browser.get_by_role("button", name="Prove it", exact=True).click()
    session = f":assumed-role/{ROLE}/{EMPLOYEE}"
    expect(browser.get_by_role("region", name="Proven")).to_contain_text(session)

    # The same from the terminal alone; PyPI's AWS CLI is told to be too old, which it is.
    printed = laptop.run("check", "--prove", PROFILE, expect=None)
    assert f"Proven. AWS named you arn:aws:sts::919182827373{session}" in printed

    admin = Admin(browsers.open_as(ADMIN))
    admin.open_role(ROLE)
    expect(admin.page.get_by_role("region", name="Both paths")).to_contain_text(session)
