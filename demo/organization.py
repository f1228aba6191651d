"""Who and what exists in the local AWS, as the sandbox tells it."""

import http.client
import json
from dataclasses import dataclass
from typing import Any, Self

from demo.ports import LOOPBACK


@dataclass(frozen=True, slots=True)
class Keys:
    access_key_id: str
    secret_access_key: str


@dataclass(frozen=True, slots=True)
class Account:
    id: str
    name: str
    keys: Keys


@dataclass(frozen=True, slots=True)
class Employee:
    email: str
    name: str
    password: str
    permission_sets: list[str]


@dataclass(frozen=True, slots=True)
class BastionAccount:
    account_id: str
    name: str
    partition: str
    region: str
    sso_start_url: str
    sso_region: str
    sso_session_name: str
    permission_sets: list[str]
    validator_role_arn: str
    stranger_role_arn: str
    open_control_role_arn: str
    asking_control_role_arn: str
    worker: Keys


@dataclass(frozen=True, slots=True)
class Templates:
    bucket: str
    region: str
    keys: Keys


@dataclass(frozen=True, slots=True)
class Organization:
    bastion: BastionAccount
    partners: list[Account]
    employees: list[Employee]
    templates: Templates

    @classmethod
    def parse(cls, told: Any) -> Self:
        bastion = dict(told["bastion"])
        worker = bastion.pop("worker")
        return cls(
            bastion=BastionAccount(**bastion, worker=_keys(worker)),
            partners=[Account(p["id"], p["name"], _keys(p)) for p in told["partners"]],
            employees=[Employee(**e) for e in told["employees"]],
            templates=Templates(told["templates"]["bucket"], told["templates"]["region"], _keys(told["templates"])),
        )


def fetch(sandbox_port: int) -> Organization:
    return Organization.parse(json.loads(get(sandbox_port, "/_sandbox/organization")))


def answers(port: int, path: str) -> bool:
    try:
        get(port, path)
    except (OSError, http.client.HTTPException):
        return False
    return True


def get(port: int, path: str) -> bytes:
    """Straight to loopback: a proxy that this machine may be set up with has no part in it."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=5)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        if response.status != http.client.OK:
            raise http.client.HTTPException(f"{path} answered {response.status}")
        return response.read()
    finally:
        connection.close()


def _keys(told: Any) -> Keys:
    return Keys(told["access_key_id"], told["secret_access_key"])
