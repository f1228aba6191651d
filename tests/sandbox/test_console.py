"""A person plays the partner in the browser: creates, edits and deletes roles, without JavaScript."""

import json
from collections.abc import Iterator
from html import unescape

import pytest
import requests

from tests.sandbox.browser import Browser
from tests.sandbox.conftest import KESTREL, Sandbox, allow, refusal, trust

CEDAR = "505060607070"
GOOD = trust(allow(f"arn:aws:iam::{KESTREL}:root", Condition={"StringEquals": {"sts:ExternalId": "tb-9"}}))


@pytest.fixture
def browser(sandbox: Sandbox) -> Iterator[Browser]:
    yield Browser(sandbox.url)
    iam = sandbox.iam(CEDAR)
    for role in iam.list_roles()["Roles"]:
        for name in iam.list_role_policies(RoleName=role["RoleName"])["PolicyNames"]:
            iam.delete_role_policy(RoleName=role["RoleName"], PolicyName=name)
        iam.delete_role(RoleName=role["RoleName"])


def create(browser: Browser, **typed: str) -> Browser:
    browser.open(f"/console/create?account={CEDAR}&role=HoshinoTelemetry")
    return browser.send("/console/create", **{"account": CEDAR, "hours": "1", "trust": GOOD, **typed})


def seen(browser: Browser) -> str:
    return unescape(browser.page.text)


def test_the_accounts_of_all_partners_are_there(browser: Browser, sandbox: Sandbox) -> None:
    browser.open("/")
    assert browser.page.url == f"{sandbox.url}/console/"
    for partner in sandbox.organization["partners"]:
        assert partner["name"] in seen(browser)
    assert "this is not AWS" in seen(browser)


def test_the_address_fills_in_the_role_name_and_the_account(browser: Browser) -> None:
    browser.open(f"/console/create?account={CEDAR}&role=HoshinoTelemetry")
    assert browser.fields("/console/create")["name"] == "HoshinoTelemetry"
    assert f'<option value="{CEDAR}" selected>' in browser.page.text


def test_a_page_that_asks_for_a_role_leads_to_the_form_and_later_to_the_role(browser: Browser) -> None:
    asked = f"/console/?account={CEDAR}&role=HoshinoTelemetry"
    browser.open(asked)
    assert browser.fields("/console/create")["name"] == "HoshinoTelemetry"
    browser.send("/console/create", account=CEDAR, hours="1", trust=GOOD)
    browser.open(asked)
    assert browser.page.url.endswith(f"/console/{CEDAR}/roles/HoshinoTelemetry")
    assert browser.open("/console/?account=000000000000&role=HoshinoTelemetry").page.status_code == 404


def test_a_created_role_shows_its_arn_and_opens(browser: Browser, sandbox: Sandbox) -> None:
    create(browser, path="/partners/", hours="4", sample="objects")
    arn = f"arn:aws:iam::{CEDAR}:role/partners/HoshinoTelemetry"
    assert browser.page.status_code == 200
    assert "Role created." in seen(browser)
    assert arn in seen(browser)
    made = sandbox.iam(CEDAR).get_role(RoleName="HoshinoTelemetry")["Role"]
    assert made["MaxSessionDuration"] == 4 * 3600
    assert made["AssumeRolePolicyDocument"] == json.loads(GOOD)
    kestrel = sandbox.client("sts", sandbox.partner(KESTREL))
    assert kestrel.assume_role(RoleArn=arn, RoleSessionName="mio", ExternalId="tb-9")["Credentials"]
    assert "HoshinoTelemetry" in seen(browser.open(f"/console/{CEDAR}/"))


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        (
            {"trust": '{"Version": "2012-10-17",}'},
            "MalformedPolicyDocument:</strong> This policy contains invalid Json",
        ),
        ({"trust": trust({**allow(KESTREL), "Resource": "*"})}, "Has prohibited field Resource"),
        ({"sample": "json", "policy": "{"}, "Syntax errors in policy."),
        ({"name": "Hoshino Telemetry"}, r"ValidationError:</strong> 1 validation error detected"),
        ({"path": "partners"}, "The specified value for path is invalid."),
        ({"hours": "0"}, "Member must have value greater than or equal to 3600"),
    ],
)
def test_what_aws_refuses_is_said_in_its_words_and_nothing_typed_is_lost(
    browser: Browser, sandbox: Sandbox, typed: dict[str, str], message: str
) -> None:
    create(browser, **typed)
    assert browser.page.status_code == 422
    assert message in seen(browser)
    assert "Not created." in seen(browser)
    kept = browser.fields("/console/create")
    assert all(kept[name] == value for name, value in typed.items() if name in kept)
    assert kept["trust"] == typed.get("trust", GOOD)
    assert sandbox.iam(CEDAR).list_roles()["Roles"] == []


def test_a_role_cannot_be_created_twice(browser: Browser) -> None:
    create(browser)
    create(browser)
    assert "EntityAlreadyExists" in seen(browser)


def test_a_trust_policy_is_edited_and_a_refused_one_changes_nothing(browser: Browser, sandbox: Sandbox) -> None:
    create(browser)
    action = f"/console/{CEDAR}/roles/HoshinoTelemetry/trust"
    browser.send(action, trust=GOOD.replace("tb-9", "tb-10"))
    assert "Trust policy saved." in seen(browser)
    browser.send(action, trust="{")
    assert browser.page.status_code == 422
    assert "the old one still holds" in seen(browser)
    assert browser.fields(action)["trust"] == "{"
    held = sandbox.iam(CEDAR).get_role(RoleName="HoshinoTelemetry")["Role"]["AssumeRolePolicyDocument"]
    assert held["Statement"][0]["Condition"]["StringEquals"]["sts:ExternalId"] == "tb-10"


def test_deleting_asks_first(browser: Browser, sandbox: Sandbox) -> None:
    create(browser, sample="json", policy=trust({"Effect": "Allow", "Action": "s3:*", "Resource": "*"}))
    address = f"/console/{CEDAR}/roles/HoshinoTelemetry/delete"
    assert "Delete HoshinoTelemetry?" in seen(browser.open(address))
    assert sandbox.iam(CEDAR).get_role(RoleName="HoshinoTelemetry")
    assert "Role deleted." in seen(browser.send(address))
    assert refusal(sandbox.iam(CEDAR).get_role, RoleName="HoshinoTelemetry")[0] == "NoSuchEntity"


def test_what_somebody_typed_never_becomes_markup(browser: Browser) -> None:
    create(browser, name="<script>", trust="</textarea><script>alert(1)</script>")
    assert "<script>alert" not in browser.page.text
    assert '"<script>"' not in browser.page.text


@pytest.mark.parametrize("address", ["/console/000000000000/", f"/console/{CEDAR}/roles/Nobody", "/console/nowhere"])
def test_what_does_not_exist_is_a_page(browser: Browser, address: str) -> None:
    browser.open(address)
    assert browser.page.status_code == 404
    assert "To the accounts" in seen(browser)


def test_a_form_without_our_key_is_refused(sandbox: Sandbox) -> None:
    typed = {"account": CEDAR, "name": "Foreign", "trust": GOOD}
    assert requests.post(f"{sandbox.url}/console/create", data=typed, timeout=5).status_code == 403
    assert refusal(sandbox.iam(CEDAR).get_role, RoleName="Foreign")[0] == "NoSuchEntity"


def test_pages_load_nothing_from_elsewhere(browser: Browser) -> None:
    rules = browser.open("/console/").page.headers["content-security-policy"]
    assert rules.startswith("default-src 'none'")
    assert "unsafe" not in rules
    for file in ("sandbox.css", "copy.js", "icon.svg"):
        assert browser.open(f"/_sandbox/static/{file}").page.status_code == 200


@pytest.mark.parametrize(
    "path", ["/_sandbox/organization", "/_sandbox/health", "/console/", "/device", "/assignment/accounts", "/"]
)
def test_a_foreign_host_name_is_refused(sandbox: Sandbox, path: str) -> None:
    answer = requests.get(f"{sandbox.url}{path}", headers={"Host": "evil.example"}, timeout=5)
    assert answer.status_code == 400
    assert "secret" not in answer.text
