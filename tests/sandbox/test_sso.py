"""Signing in to Identity Center as real clients do, and from there into a partner's role."""

import base64
import hashlib
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import botocore.session
import pytest
import requests
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.tokens import SSOTokenProvider
from botocore.utils import JSONFileCache

from tests.sandbox.browser import Browser
from tests.sandbox.conftest import REGION, WILLOW, Sandbox, allow, refusal, trust

SCOPES = ["sso:account:access"]
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
REDIRECT = "http://127.0.0.1:45678/oauth/callback"
VERIFIER = "v" * 64


def employee(sandbox: Sandbox, name: str = "mio.tanabe") -> dict[str, Any]:
    people = sandbox.organization["employees"]
    return next(person for person in people if person["email"] == f"{name}@hoshino.example")


def post(sandbox: Sandbox, path: str, **content: Any) -> requests.Response:
    return requests.post(f"{sandbox.url}{path}", json=content, timeout=10)


def register(sandbox: Sandbox, scopes: list[str] | None = None) -> dict[str, str]:
    """As AWS CLI v2 registers itself."""
    answer = post(
        sandbox,
        "/client/register",
        clientName="botocore-client-hoshino",
        clientType="public",
        scopes=SCOPES if scopes is None else scopes,
        grantTypes=["authorization_code", "refresh_token"],
        redirectUris=["http://127.0.0.1/oauth/callback"],
        issuerUrl=sandbox.organization["bastion"]["sso_start_url"],
    ).json()
    return {"clientId": answer["clientId"], "clientSecret": answer["clientSecret"]}


def start_device(sandbox: Sandbox, client: dict[str, str]) -> dict[str, Any]:
    start_url = sandbox.organization["bastion"]["sso_start_url"]
    return dict(post(sandbox, "/device_authorization", **client, startUrl=start_url).json())


def sign_in_by_device(sandbox: Sandbox, name: str = "mio.tanabe", **registration: Any) -> dict[str, Any]:
    client = register(sandbox, **registration)
    device = start_device(sandbox, client)
    browser = Browser(sandbox.url).open(device["verificationUriComplete"]).sign_in(employee(sandbox, name))
    browser.send("/device", decision="allow")
    token = post(sandbox, "/token", **client, grantType=DEVICE_GRANT, deviceCode=device["deviceCode"]).json()
    return {**client, **token}


def authorize_address(client: dict[str, str], **changed: str) -> str:
    challenge = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
    asked = {
        "response_type": "code",
        "client_id": client["clientId"],
        "redirect_uri": REDIRECT,
        "state": "a-state",
        "code_challenge_method": "S256",
        "scopes": "sso:account:access",
        "code_challenge": challenge,
        **changed,
    }
    return str(requests.Request("GET", "http://x/authorize", params=asked).prepare().path_url)


def approved_code(sandbox: Sandbox, client: dict[str, str]) -> str:
    browser = Browser(sandbox.url).open(authorize_address(client)).sign_in(employee(sandbox))
    answer = browser.send("/authorize", decision="allow").page
    assert answer.headers["location"].startswith(f"{REDIRECT}?")
    query = parse_qs(urlsplit(answer.headers["location"]).query)
    assert query["state"] == ["a-state"]
    return query["code"][0]


def portal(sandbox: Sandbox) -> Any:
    config = Config(signature_version=UNSIGNED)
    return boto3.client("sso", region_name=REGION, endpoint_url=sandbox.url, config=config)


def test_a_device_code_waits_until_the_person_allows_it(sandbox: Sandbox) -> None:
    client = register(sandbox)
    device = start_device(sandbox, client)
    ask = {**client, "grantType": DEVICE_GRANT, "deviceCode": device["deviceCode"]}
    waiting = post(sandbox, "/token", **ask)
    assert (waiting.status_code, waiting.json()["error"]) == (400, "authorization_pending")
    assert waiting.headers["x-amzn-errortype"] == "AuthorizationPendingException"
    browser = Browser(sandbox.url).open(device["verificationUriComplete"]).sign_in(employee(sandbox))
    assert device["userCode"] in browser.page.text
    assert "Access allowed" in browser.send("/device", decision="allow").page.text
    token = post(sandbox, "/token", **ask).json()
    assert token["tokenType"] == "Bearer"
    assert post(sandbox, "/token", **ask).json()["error"] == "expired_token"


def test_a_denied_device_code_gives_nothing(sandbox: Sandbox) -> None:
    client = register(sandbox)
    device = start_device(sandbox, client)
    browser = Browser(sandbox.url).open(device["verificationUriComplete"]).sign_in(employee(sandbox))
    assert "Access denied" in browser.send("/device", decision="deny").page.text
    denied = post(sandbox, "/token", **client, grantType=DEVICE_GRANT, deviceCode=device["deviceCode"])
    assert denied.json()["error"] == "access_denied"


def test_a_device_code_belongs_to_the_client_that_asked(sandbox: Sandbox) -> None:
    device = start_device(sandbox, register(sandbox))
    other = post(sandbox, "/token", **register(sandbox), grantType=DEVICE_GRANT, deviceCode=device["deviceCode"])
    assert other.json()["error"] == "invalid_grant"


def test_a_wrong_password_does_not_sign_in(sandbox: Sandbox) -> None:
    device = start_device(sandbox, register(sandbox))
    browser = Browser(sandbox.url).open(device["verificationUriComplete"])
    browser.sign_in({**employee(sandbox), "password": "wrong"})
    assert browser.page.status_code == 422
    assert "do not belong together" in browser.page.text


def test_a_code_with_proof_key_works_once(sandbox: Sandbox) -> None:
    client = register(sandbox)
    ask = {
        **client,
        "grantType": "authorization_code",
        "code": approved_code(sandbox, client),
        "redirectUri": REDIRECT,
        "codeVerifier": VERIFIER,
    }
    token = post(sandbox, "/token", **ask).json()
    assert portal(sandbox).list_accounts(accessToken=token["accessToken"])["accountList"]
    assert post(sandbox, "/token", **ask).json()["error"] == "invalid_grant"


def test_a_code_without_its_verifier_is_worthless(sandbox: Sandbox) -> None:
    client = register(sandbox)
    ask = {"grantType": "authorization_code", "code": approved_code(sandbox, client), "redirectUri": REDIRECT}
    stolen = post(sandbox, "/token", **client, **ask, codeVerifier="w" * 64)
    assert stolen.json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    "changed",
    [
        {"redirect_uri": "https://evil.example/oauth/callback"},
        {"redirect_uri": "http://127.0.0.1:45678/elsewhere"},
        {"code_challenge_method": "plain"},
        {"client_id": "nobody"},
    ],
)
def test_a_suspicious_authorization_is_refused_on_the_page(sandbox: Sandbox, changed: dict[str, str]) -> None:
    page = Browser(sandbox.url).open(authorize_address(register(sandbox), **changed)).page
    assert page.status_code in (400, 401)
    assert "Nothing was given away" in page.text


def test_only_loopback_addresses_can_be_registered(sandbox: Sandbox) -> None:
    answer = post(
        sandbox,
        "/client/register",
        clientName="x",
        clientType="public",
        redirectUris=["https://evil.example/oauth/callback"],
    )
    assert answer.json()["error"] == "invalid_redirect_uri"


@pytest.mark.parametrize("body", [b"", b"[]", b'{"clientId": 7}', b"\xff"])
def test_anything_but_an_object_of_texts_is_an_invalid_request(sandbox: Sandbox, body: bytes) -> None:
    answer = requests.post(f"{sandbox.url}/token", data=body, timeout=10)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_a_refresh_token_is_exchanged_and_then_gone(sandbox: Sandbox) -> None:
    token = sign_in_by_device(sandbox)
    client = {"clientId": token["clientId"], "clientSecret": token["clientSecret"]}
    ask = {**client, "grantType": "refresh_token", "refreshToken": token["refreshToken"]}
    renewed = post(sandbox, "/token", **ask).json()
    assert renewed["accessToken"] != token["accessToken"]
    assert renewed["refreshToken"] != token["refreshToken"]
    assert post(sandbox, "/token", **ask).json()["error"] == "invalid_grant"


def test_without_the_scope_there_is_no_refresh_token(sandbox: Sandbox) -> None:
    assert "refreshToken" not in sign_in_by_device(sandbox, scopes=[])


def test_botocore_renews_a_token_by_itself(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    token = sign_in_by_device(sandbox)
    write_config(sandbox, tmp_path, "arn:aws:iam::303040405050:role/unused")
    soon = (datetime.now(UTC) + timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M:%SZ")
    write_token(sandbox, tmp_path, token, expires=soon)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_ENDPOINT_URL", sandbox.url)
    cache = JSONFileCache(str(tmp_path / ".aws/sso/cache"))
    provider = SSOTokenProvider(botocore.session.Session(profile="hoshino-bastion"), cache=cache)
    loaded = provider.load_token()
    assert loaded is not None
    assert loaded.get_frozen_token().token != token["accessToken"]


def test_the_portal_lists_what_is_assigned(sandbox: Sandbox) -> None:
    token = sign_in_by_device(sandbox)["accessToken"]
    bastion = sandbox.organization["bastion"]["account_id"]
    accounts = portal(sandbox).list_accounts(accessToken=token)["accountList"]
    roles = portal(sandbox).list_account_roles(accessToken=token, accountId=bastion)["roleList"]
    assert [account["accountId"] for account in accounts] == [bastion]
    assert [role["roleName"] for role in roles] == ["PartnerAccess", "PartnerReadOnly"]


def test_role_credentials_are_those_of_the_sso_role(sandbox: Sandbox) -> None:
    token = sign_in_by_device(sandbox)["accessToken"]
    bastion = sandbox.organization["bastion"]["account_id"]
    keys = portal(sandbox).get_role_credentials(accessToken=token, accountId=bastion, roleName="PartnerAccess")
    found = keys["roleCredentials"]
    given = {
        "AccessKeyId": found["accessKeyId"],
        "SecretAccessKey": found["secretAccessKey"],
        "SessionToken": found["sessionToken"],
    }
    arn = sandbox.client("sts", given).get_caller_identity()["Arn"]
    role = arn.split("/")[1]
    assert role.startswith("AWSReservedSSO_PartnerAccess_")
    assert arn.endswith("/mio.tanabe@hoshino.example")
    listed = sandbox.client("iam", given).list_roles(PathPrefix="/aws-reserved/sso.amazonaws.com/")["Roles"]
    assert f"arn:aws:iam::{bastion}:role/aws-reserved/sso.amazonaws.com/{REGION}/{role}" in [
        found["Arn"] for found in listed
    ]
    assert len(listed) == 2


@pytest.mark.parametrize(("name", "role"), [("lena.fischer", "PartnerAccess"), ("tom.okafor", "PartnerReadOnly")])
def test_an_unassigned_permission_set_is_refused(sandbox: Sandbox, name: str, role: str) -> None:
    token = sign_in_by_device(sandbox, name)["accessToken"]
    bastion = sandbox.organization["bastion"]["account_id"]
    ask = {"accessToken": token, "accountId": bastion, "roleName": role}
    assert refusal(portal(sandbox).get_role_credentials, **ask)[0] == "ForbiddenException"


def test_a_token_is_needed_and_ends_with_logging_out(sandbox: Sandbox) -> None:
    sso = portal(sandbox)
    assert refusal(sso.list_accounts, accessToken="made-up")[0] == "UnauthorizedException"
    token = sign_in_by_device(sandbox)["accessToken"]
    sso.logout(accessToken=token)
    assert refusal(sso.list_accounts, accessToken=token)[0] == "UnauthorizedException"


def test_a_form_from_elsewhere_changes_nothing(sandbox: Sandbox) -> None:
    device = start_device(sandbox, register(sandbox))
    Browser(sandbox.url).open(device["verificationUriComplete"])
    person = employee(sandbox)
    typed = {"email": person["email"], "password": person["password"], "next": "/device"}
    bare = requests.post(f"{sandbox.url}/sign-in", data=typed, timeout=10)
    foreign = requests.post(
        f"{sandbox.url}/sign-in",
        data={**typed, "form_key": "k"},
        cookies={"sandbox_form": "k"},
        headers={"Origin": "http://evil.example"},
        timeout=10,
    )
    assert (bare.status_code, foreign.status_code) == (403, 403)


def test_sign_in_never_leads_to_another_site(sandbox: Sandbox) -> None:
    device = start_device(sandbox, register(sandbox))
    browser = Browser(sandbox.url).open(device["verificationUriComplete"])
    person = employee(sandbox)
    browser.send("/sign-in", email=person["email"], password=person["password"], next="//evil.example/device?")
    assert browser.page.url == f"{sandbox.url}/device"


# -- The whole way, with the config that employees have


@pytest.fixture
def partner_role(sandbox: Sandbox, unique: str) -> str:
    condition = {
        "StringEquals": {"sts:ExternalId": "tb-1/willow"},
        "ArnLike": {
            "aws:PrincipalArn": "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/ap-northeast-1/"
            "AWSReservedSSO_PartnerAccess_????????????????"
        },
    }
    document = trust(allow("arn:aws:iam::111122223333:root", Condition=condition))
    name = f"HoshinoTelemetry-{unique}"
    made = sandbox.iam(WILLOW).create_role(RoleName=name, Path="/partners/", AssumeRolePolicyDocument=document)
    return str(made["Role"]["Arn"])


def write_config(sandbox: Sandbox, home: Path, role_arn: str, external_id: str = "tb-1/willow") -> None:
    bastion = sandbox.organization["bastion"]
    (home / "config").write_text(
        f"""[sso-session hoshino]
sso_start_url = {bastion["sso_start_url"]}
sso_region = {bastion["sso_region"]}
sso_registration_scopes = sso:account:access

[profile hoshino-bastion]
sso_session = hoshino
sso_account_id = {bastion["account_id"]}
sso_role_name = PartnerAccess
region = {REGION}

[profile willow]
source_profile = hoshino-bastion
role_arn = {role_arn}
external_id = {external_id}
role_session_name = mio.tanabe@hoshino.example
region = eu-central-1
"""
    )


def write_token(sandbox: Sandbox, home: Path, token: dict[str, Any], expires: str | None = None) -> None:
    cache = home / ".aws/sso/cache"
    cache.mkdir(parents=True)
    later = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    name = hashlib.sha1(b"hoshino", usedforsecurity=False).hexdigest()
    content = {
        "startUrl": sandbox.organization["bastion"]["sso_start_url"],
        "region": REGION,
        "expiresAt": expires or later,
        "registrationExpiresAt": later,
        **{key: token[key] for key in ("accessToken", "refreshToken", "clientId", "clientSecret")},
    }
    (cache / f"{name}.json").write_text(json.dumps(content))


def environment(sandbox: Sandbox, home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {
        **kept,
        "HOME": str(home),
        "AWS_CONFIG_FILE": str(home / "config"),
        "AWS_ENDPOINT_URL": sandbox.url,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def test_the_aws_cli_goes_from_sso_into_the_partners_role(sandbox: Sandbox, tmp_path: Path, partner_role: str) -> None:
    write_config(sandbox, tmp_path, partner_role)
    write_token(sandbox, tmp_path, sign_in_by_device(sandbox))
    command = [sys.executable, "-m", "awscli", "sts", "get-caller-identity", "--profile", "willow"]
    done = subprocess.run(command, env=environment(sandbox, tmp_path), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    name = partner_role.rsplit("/", 1)[-1]
    identity = json.loads(done.stdout)
    assert identity["Account"] == WILLOW
    assert identity["Arn"] == f"arn:aws:sts::{WILLOW}:assumed-role/{name}/mio.tanabe@hoshino.example"


@pytest.mark.parametrize("external_id", ["tb-1/willow", "tb-2/willow"])
def test_boto3_goes_from_sso_into_the_partners_role(
    sandbox: Sandbox, tmp_path: Path, partner_role: str, external_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_config(sandbox, tmp_path, partner_role, external_id)
    write_token(sandbox, tmp_path, sign_in_by_device(sandbox))
    monkeypatch.setattr("botocore.credentials.SSOProvider._SSO_TOKEN_CACHE_DIR", str(tmp_path / ".aws/sso/cache"))
    monkeypatch.setattr("botocore.tokens.SSOTokenProvider._SSO_TOKEN_CACHE_DIR", str(tmp_path / ".aws/sso/cache"))
    for name, value in environment(sandbox, tmp_path).items():
        monkeypatch.setenv(name, value)
    sts = boto3.Session(profile_name="willow").client("sts")
    if external_id == "tb-1/willow":
        assert sts.get_caller_identity()["Account"] == WILLOW
    else:
        with pytest.raises(ClientError, match="AccessDenied"):
            sts.get_caller_identity()


def test_a_presigned_identity_is_bound_to_its_nonce(sandbox: Sandbox) -> None:
    """What an employee pastes to prove the way: the URL that `aws eks get-token` signs."""
    keys = sandbox.partner(WILLOW)
    session = botocore.session.Session()
    session.set_credentials(keys["access_key_id"], keys["secret_access_key"])
    client = session.create_client("sts", region_name=REGION, endpoint_url=sandbox.url)
    client.meta.events.register(
        "before-sign.sts.GetCallerIdentity",
        lambda request, **_: request.headers.add_header("x-k8s-aws-id", "nonce-1"),
    )
    url = client.generate_presigned_url("get_caller_identity", ExpiresIn=60, HttpMethod="GET")
    proven = requests.get(url, headers={"x-k8s-aws-id": "nonce-1"}, timeout=10)
    replayed = requests.get(url, headers={"x-k8s-aws-id": "nonce-2"}, timeout=10)
    assert (proven.status_code, f"arn:aws:iam::{WILLOW}:user/admin" in proven.text) == (200, True)
    assert (replayed.status_code, "SignatureDoesNotMatch" in replayed.text) == (403, True)
