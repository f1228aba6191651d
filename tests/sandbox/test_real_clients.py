"""The config that we render, merged into a file that somebody has already, used by the clients that people have."""

import dataclasses
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from onboarding.core import trust as rules
from onboarding.core.arns import AccountId, Partition, RoleArn
from onboarding.core.awsconfig import (
    Answer,
    AwsConfig,
    BastionProfile,
    Choice,
    PartnerProfile,
    SsoSession,
    merge,
    render,
)
from onboarding.core.awsconfig.exports import render_plain
from tests.sandbox.browser import Browser
from tests.sandbox.conftest import REGION, WILLOW, Sandbox
from tests.sandbox.test_sso import employee, environment, sign_in_by_device

JAVASCRIPT = Path(__file__).parents[1] / "javascript"
NODE = shutil.which("node")
PERSON = "mio.tanabe@hoshino.example"
EXTERNAL_ID = "tbi-7q2m-9xkd-41vn-hc8e-2m4p"
# What a person has: a comment in Japanese, Windows' line ends, a profile with the name of ours, no final newline.
OWN = (
    "# わたしの\r\n[default]\r\nregion = eu-west-1\r\n\r\n"
    "[profile willow]\r\nregion = eu-north-1\r\ns3 =\r\n  max_concurrent_requests = 20"
)
Ask = Callable[["Laptop", str], list[dict[str, str]]]


@dataclasses.dataclass(frozen=True)
class Laptop:
    """`~/.aws` with the merged config and a token of Identity Center."""

    home: Path
    sandbox: Sandbox

    @property
    def environment(self) -> dict[str, str]:
        return environment(self.sandbox, self.home) | {"AWS_CONFIG_FILE": str(self.home / ".aws" / "config")}

    def run(self, *command: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=False, timeout=60, cwd=JAVASCRIPT
        )

    def write(self, config: bytes) -> None:
        (self.home / ".aws").mkdir(exist_ok=True)
        (self.home / ".aws" / "config").write_bytes(config)

    def cache_token(self, token: dict[str, Any], *, key: str) -> None:
        cache = self.home / ".aws" / "sso" / "cache"
        cache.mkdir(parents=True)
        content = {
            "startUrl": self.sandbox.organization["bastion"]["sso_start_url"],
            "region": REGION,
            "accessToken": token["accessToken"],
            "expiresAt": "2099-01-01T00:00:00Z",
        }
        digest = hashlib.sha1(key.encode(), usedforsecurity=False).hexdigest()
        (cache / f"{digest}.json").write_text(json.dumps(content))

    def ask_boto3(self, profile: str) -> list[dict[str, str]]:
        return [_identity(self.run(sys.executable, "-c", _WHO_AM_I, profile))]

    def ask_pypi_cli(self, profile: str) -> list[dict[str, str]]:
        return [_identity(self.run(sys.executable, "-m", "awscli", *_CALLER, "--profile", profile))]

    def ask_javascript(self, profile: str) -> list[dict[str, str]]:
        done = self.run(str(NODE), JAVASCRIPT / "who_am_i.mjs", profile)
        _judge(done)
        return json.loads(done.stdout)  # type: ignore[no-any-return]

    def ask_cli_2(self, profile: str) -> list[dict[str, str]]:
        return [_identity(self.run(_CLI_2, *_CALLER, "--profile", profile))]


_CALLER = ("sts", "get-caller-identity", "--output", "json")
_WHO_AM_I = """
import json, sys, boto3
answer = boto3.Session(profile_name=sys.argv[1]).client("sts").get_caller_identity()
print(json.dumps({"Account": answer["Account"], "Arn": answer["Arn"]}))
"""


class Refused(Exception):
    """What the client printed."""


def _judge(done: subprocess.CompletedProcess[str]) -> None:
    if done.returncode:
        raise Refused(done.stderr)


def _identity(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    _judge(done)
    found = json.loads(done.stdout)
    return {"Account": found["Account"], "Arn": found["Arn"]}


def _cli_2() -> tuple[str, bool] | None:
    """Version 2 of the AWS CLI, new enough for us, and whether it must be told to use a device code."""
    for folder in os.environ["PATH"].split(os.pathsep):
        found = shutil.which("aws", path=folder)
        told = subprocess.run([found, "--version"], capture_output=True, text=True, check=False) if found else None
        version = re.match(r"aws-cli/(\d+)\.(\d+)", told.stdout) if told else None
        if found and version and (int(version[1]), int(version[2])) >= (2, 11):
            return found, (int(version[1]), int(version[2])) >= (2, 22)
    return None


_CLI_2, _NEEDS_FLAG = _cli_2() or ("", False)
needs_javascript = pytest.mark.skipif(
    not (NODE and (JAVASCRIPT / "node_modules").exists()), reason="no Node, or no JavaScript SDK: make setup"
)
needs_cli_2 = pytest.mark.skipif(not _CLI_2, reason="no AWS CLI 2.11 or newer on PATH")
CLIENTS = [
    pytest.param(Laptop.ask_boto3, id="boto3"),
    pytest.param(Laptop.ask_pypi_cli, id="PyPI's AWS CLI"),
    pytest.param(Laptop.ask_javascript, id="JavaScript SDK", marks=needs_javascript),
    pytest.param(Laptop.ask_cli_2, id="AWS CLI 2", marks=needs_cli_2),
]


@pytest.fixture(scope="module")
def config(sandbox: Sandbox) -> Iterator[AwsConfig]:
    """Of one role that the sandbox's partner made for us."""
    bastion = sandbox.organization["bastion"]
    callers = rules.Callers(
        partition=Partition.AWS,
        bastion_account_id=AccountId(bastion["account_id"]),
        permission_set="PartnerAccess",
        identity_center_region=REGION,
        validator_role=RoleArn.parse(bastion["validator_role_arn"]),
    )
    document = rules.policy_text(rules.trust_policy(callers, external_id=EXTERNAL_ID))
    made = sandbox.iam(WILLOW).create_role(
        RoleName="HoshinoClients", Path="/partners/", AssumeRolePolicyDocument=document
    )
    profile = PartnerProfile(
        name="willow",
        source_profile="hoshino-bastion",
        role_arn=RoleArn.parse(made["Role"]["Arn"]),
        external_id=EXTERNAL_ID,
        role_session_name=PERSON,
        region="eu-central-1",
    )
    yield AwsConfig(
        sessions=(SsoSession(name="hoshino", start_url=bastion["sso_start_url"], region=bastion["sso_region"]),),
        bastions=(
            BastionProfile(
                name="hoshino-bastion",
                sso_session="hoshino",
                account_id=AccountId(bastion["account_id"]),
                role_name="PartnerAccess",
                region=REGION,
            ),
        ),
        partners=(profile, dataclasses.replace(profile, name="wrong", external_id=f"{EXTERNAL_ID}x")),
    )
    sandbox.iam(WILLOW).delete_role(RoleName="HoshinoClients")


@pytest.fixture(scope="module")
def token(sandbox: Sandbox) -> dict[str, Any]:
    return sign_in_by_device(sandbox)


@pytest.fixture
def laptop(sandbox: Sandbox, tmp_path: Path, config: AwsConfig) -> Laptop:
    """Ours is called `willow-portal` there: the person has a `willow` already."""
    merged = merge(OWN.encode(), render(config), {"profile willow": Choice(Answer.RENAME, "willow-portal")})
    assert merged.content is not None
    assert merged.content.startswith(OWN.encode())
    found = Laptop(tmp_path, sandbox)
    found.write(merged.content)
    return found


@pytest.mark.parametrize("ask", CLIENTS)
def test_each_client_ends_as_the_partners_role_under_the_persons_name(
    laptop: Laptop, token: dict[str, Any], ask: Ask
) -> None:
    laptop.cache_token(token, key="hoshino")
    arn = f"arn:aws:sts::{WILLOW}:assumed-role/HoshinoClients/{PERSON}"
    for found in ask(laptop, "willow-portal"):
        assert found == {"Account": WILLOW, "Arn": arn}


@pytest.mark.parametrize("ask", CLIENTS)
def test_with_a_wrong_external_id_no_client_gets_in(laptop: Laptop, token: dict[str, Any], ask: Ask) -> None:
    laptop.cache_token(token, key="hoshino")
    with pytest.raises(Refused, match=r"AccessDenied|not authorized to perform: sts:AssumeRole"):
        ask(laptop, "wrong")


@pytest.mark.parametrize("ask", CLIENTS[:3])
def test_plain_profiles_lead_there_too(
    sandbox: Sandbox,
    tmp_path: Path,
    config: AwsConfig,
    token: dict[str, Any],
    ask: Ask,
) -> None:
    laptop = Laptop(tmp_path, sandbox)
    laptop.write(render_plain(config).encode())
    laptop.cache_token(token, key=config.sessions[0].start_url)
    assert all(found["Arn"].endswith(f"/HoshinoClients/{PERSON}") for found in ask(laptop, "willow"))


@needs_cli_2
def test_the_aws_cli_signs_in_by_itself(laptop: Laptop) -> None:
    """The whole of `aws sso login`, and then the partner's role."""
    command = [_CLI_2, "sso", "login", "--sso-session", "hoshino", "--no-browser"]
    command += ["--use-device-code"] if _NEEDS_FLAG else []
    with subprocess.Popen(command, env=laptop.environment, stdout=subprocess.PIPE, text=True) as login:
        address = next(found[0] for line in login.stdout or () if (found := re.search(r"http\S+user_code=\S+", line)))
        browser = Browser(laptop.sandbox.url).open(address).sign_in(employee(laptop.sandbox))
        browser.send("/device", decision="allow")
        assert login.wait(60) == 0
    (found,) = laptop.ask_cli_2("willow-portal")
    assert found["Arn"].endswith(f"/HoshinoClients/{PERSON}")
