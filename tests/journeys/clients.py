"""An employee's terminal: real clients that use the downloaded config, in a home of their own."""

import hashlib
import json
import os
import re
import subprocess
import sys
from configparser import ConfigParser
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from playwright.sync_api import Page, expect

_DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
_WHO_AM_I = """
import json, sys, boto3
answer = boto3.Session(profile_name=sys.argv[1]).client("sts").get_caller_identity()
print(json.dumps({"Account": answer["Account"], "Arn": answer["Arn"]}))
"""


@dataclass(frozen=True, slots=True)
class Terminal:
    """`~/.aws/config` is the downloaded file, merged with the person's own or not; `endpoint` stands for AWS."""

    home: Path
    endpoint: str

    def put_config_in_place(self, downloaded: Path) -> None:
        (self.home / ".aws").mkdir()
        downloaded.rename(self._config)

    def sign_in(self, browser: Page, email: str, password: str) -> None:
        """To Identity Center, by a device code that the person approves in the browser."""
        if _has_sso_login():
            self._sign_in_by_cli(browser, email, password)
        else:
            self._sign_in_by_device_flow(browser, email, password)

    def ask_cli(self, profile: str) -> dict[str, str]:
        return self._run("aws", "sts", "get-caller-identity", "--profile", profile, "--output", "json")

    def ask_boto3(self, profile: str) -> dict[str, str]:
        return self._run(sys.executable, "-c", _WHO_AM_I, profile)

    @property
    def config(self) -> str:
        return self._config.read_text()

    @property
    def _config(self) -> Path:
        return self.home / ".aws" / "config"

    @property
    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        own = {"HOME": str(self.home), "AWS_ENDPOINT_URL": self.endpoint, "AWS_EC2_METADATA_DISABLED": "true"}
        # The environment's own programs first: PyPI's AWS CLI stands there unless version 2 is on PATH already.
        path = os.pathsep.join([*kept["PATH"].split(os.pathsep), str(Path(sys.executable).parent)])
        return {**kept, **own, "PATH": path}

    def _run(self, *command: str) -> dict[str, str]:
        done = subprocess.run(command, env=self._environment, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr
        found: dict[str, str] = json.loads(done.stdout)
        return found

    def _sign_in_by_cli(self, browser: Page, email: str, password: str) -> None:
        name, _ = self._sso_session()
        command = ["aws", "sso", "login", "--sso-session", name, "--no-browser", "--use-device-code"]
        with subprocess.Popen(command, env=self._environment, stdout=subprocess.PIPE, text=True) as login:
            address = next(
                found[0] for line in login.stdout or () if (found := re.search(r"http\S+user_code=\S+", line))
            )
            _approve(browser, address, email, password)
            assert login.wait(30) == 0

    def _sign_in_by_device_flow(self, browser: Page, email: str, password: str) -> None:
        """What `aws sso login` does, for the AWS CLI of PyPI: it uses such a token but cannot get one."""
        name, session = self._sso_session()
        oidc = boto3.client(
            "sso-oidc",
            region_name=session["sso_region"],
            endpoint_url=self.endpoint,
            config=Config(signature_version=UNSIGNED),
        )
        scopes = session["sso_registration_scopes"].split(",")
        client = oidc.register_client(clientName="journey", clientType="public", scopes=scopes)
        identity = {"clientId": client["clientId"], "clientSecret": client["clientSecret"]}
        device = oidc.start_device_authorization(**identity, startUrl=session["sso_start_url"])
        _approve(browser, device["verificationUriComplete"], email, password)
        token = oidc.create_token(**identity, grantType=_DEVICE_GRANT, deviceCode=device["deviceCode"])
        self._cache_token(name, session, token)

    def _cache_token(self, name: str, session: dict[str, str], token: dict[str, Any]) -> None:
        until = datetime.now(UTC) + timedelta(seconds=token["expiresIn"])
        content = {
            "startUrl": session["sso_start_url"],
            "region": session["sso_region"],
            "accessToken": token["accessToken"],
            "expiresAt": until.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        cache = self.home / ".aws" / "sso" / "cache"
        cache.mkdir(parents=True)
        digest = hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest()
        (cache / f"{digest}.json").write_text(json.dumps(content))

    def _sso_session(self) -> tuple[str, dict[str, str]]:
        """As the downloaded config names it."""
        parser = ConfigParser(interpolation=None)
        parser.read(self._config)
        header = next(section for section in parser.sections() if section.startswith("sso-session "))
        return header.removeprefix("sso-session "), dict(parser[header])


def _has_sso_login() -> bool:
    """Version 2 of the AWS CLI, new enough to be told to use a device code."""
    try:
        told = subprocess.run(["aws", "--version"], capture_output=True, text=True, check=False).stdout
    except FileNotFoundError:
        return False
    version = re.match(r"aws-cli/(\d+)\.(\d+)", told)
    return version is not None and (int(version[1]), int(version[2])) >= (2, 22)


def _approve(browser: Page, address: str, email: str, password: str) -> None:
    browser.goto(address)
    browser.get_by_label("E-mail address").fill(email)
    browser.get_by_label("Password").fill(password)
    browser.get_by_role("button", name="Sign in").click()
    browser.get_by_role("button", name="Allow access").click()
    expect(browser.get_by_role("heading", name="Access allowed")).to_be_visible()
