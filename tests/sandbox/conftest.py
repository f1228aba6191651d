"""A sandbox of its own process for the whole session, and boto3 clients that talk to it over HTTP."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest
import requests
from botocore.config import Config
from botocore.exceptions import ClientError

REGION = "ap-northeast-1"
KESTREL = "222233334444"
WILLOW = "303040405050"


@dataclass
class Sandbox:
    """A running sandbox; `organization` is read anew after each start."""

    folder: Path
    port: int = 0
    smtp_port: int = 0
    process: subprocess.Popen[bytes] | None = None
    organization: dict[str, Any] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self.port = self.port or free_port()
        self.smtp_port = self.smtp_port or free_port()
        ports = ["--port", str(self.port), "--smtp-port", str(self.smtp_port)]
        command = [sys.executable, "-m", "sandbox", *ports, "--state", str(self.folder)]
        self.process = subprocess.Popen(command)
        deadline = time.monotonic() + 60
        while not self.is_ready():
            assert time.monotonic() < deadline, "the sandbox does not answer"
            assert self.process.poll() is None, "the sandbox ended"
            time.sleep(0.05)
        self.organization = requests.get(f"{self.url}/_sandbox/organization", timeout=5).json()

    def is_ready(self) -> bool:
        try:
            return requests.get(f"{self.url}/_sandbox/health", timeout=5).text == "ok"
        except requests.ConnectionError:
            return False

    def kill(self) -> None:
        assert self.process
        self.process.kill()
        self.process.wait()

    def client(self, service: str, keys: dict[str, Any]) -> Any:
        """Takes keys as `/_sandbox/organization` gives them and as STS does."""
        return boto3.client(
            service,
            region_name=REGION,
            endpoint_url=self.url,
            aws_access_key_id=keys.get("access_key_id") or keys["AccessKeyId"],
            aws_secret_access_key=keys.get("secret_access_key") or keys["SecretAccessKey"],
            aws_session_token=keys.get("SessionToken"),
            config=Config(retries={"total_max_attempts": 1}, parameter_validation=False),
        )

    def partner(self, account_id: str) -> dict[str, Any]:
        return next(partner for partner in self.organization["partners"] if partner["id"] == account_id)

    def iam(self, account_id: str) -> Any:
        return self.client("iam", self.partner(account_id))

    def worker(self) -> Any:
        return self.client("sts", self.organization["bastion"]["worker"])

    def validator(self) -> Any:
        role = self.organization["bastion"]["validator_role_arn"]
        return self.client("sts", self.worker().assume_role(RoleArn=role, RoleSessionName="check")["Credentials"])


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    running = Sandbox(tmp_path_factory.mktemp("sandbox"))
    running.start()
    yield running
    running.kill()


@pytest.fixture
def own_sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    """For tests that kill it."""
    running = Sandbox(tmp_path / "state")
    running.start()
    yield running
    running.kill()


@pytest.fixture
def unique() -> str:
    return uuid4().hex[:12]


def trust(*statements: dict[str, Any], version: str = "2012-10-17") -> str:
    return json.dumps({"Version": version, "Statement": list(statements)})


def allow(principal: str | list[str], **rest: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole", **rest}


def policy(effect: str, action: str | list[str], resource: str | list[str] = "*", **rest: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": action, "Resource": resource, **rest}


def refusal(call: Callable[..., Any], **arguments: Any) -> tuple[str, str]:
    """The code and the message with which AWS refuses this call."""
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]
