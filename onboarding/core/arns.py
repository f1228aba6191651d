"""Account IDs, partitions and role ARNs: parsed once at the edge, then passed as types.

Every pattern is used with `fullmatch` and spells out `[0-9]`: `\\d` takes Arabic digits and `$` a trailing newline.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from onboarding.core.errors import InvalidAccountId, InvalidPolicyArn, InvalidRoleArn

_ACCOUNT_ID = re.compile(r"[0-9]{12}")
_GROUPED_ACCOUNT_ID = re.compile(r"[0-9]{4}[ -][0-9]{4}[ -][0-9]{4}")
# IAM's quota page: names and paths are "alphanumeric, including +=,.@_-"; the API itself takes more in paths.
_NAME = r"[A-Za-z0-9_+=,.@-]"
_ROLE_NAME = re.compile(rf"{_NAME}{{1,64}}")
_PATH = re.compile(rf"/(?:{_NAME}+/)*")
_MAX_PATH = 512
_ARN = re.compile(r"arn:([a-z0-9-]{1,30}):([a-z0-9-]{0,30}):([a-z0-9-]{0,30}):([0-9]{0,20}):(.+)")
# What stands around a pasted ARN and is surely no part of it.
_SURROUNDINGS = " \t\r\n\"'`,;"


class Partition(StrEnum):
    """AWS partitions, as botocore's `partitions.json` lists them."""

    AWS = "aws"
    CHINA = "aws-cn"
    EUROPE = "aws-eusc"
    ISO = "aws-iso"
    ISO_B = "aws-iso-b"
    ISO_E = "aws-iso-e"
    ISO_F = "aws-iso-f"
    GOVCLOUD = "aws-us-gov"


class AccountId(str):
    """Twelve digits. Made by `parse` only."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Accept `123456789012`, also as the console shows it (`1234-5678-9012`). Raises `InvalidAccountId`."""
        trimmed = text.strip(_SURROUNDINGS)
        if _GROUPED_ACCOUNT_ID.fullmatch(trimmed):
            trimmed = re.sub(r"[ -]", "", trimmed)
        if not _ACCOUNT_ID.fullmatch(trimmed):
            raise InvalidAccountId(text)
        return cls(trimmed)

    @property
    def grouped(self) -> str:
        """In groups of four, for prose: `1234 5678 9012`."""
        return f"{self[:4]} {self[4:8]} {self[8:]}"


@dataclass(frozen=True, slots=True)
class RoleArn:
    """An IAM role's ARN; `path` begins and ends with a slash (`/` when there is none)."""

    partition: Partition
    account_id: AccountId
    path: str
    name: str

    def __str__(self) -> str:
        return f"arn:{self.partition}:iam::{self.account_id}:role{self.path}{self.name}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a role ARN that a person pasted.

        Raises `InvalidRoleArn` whose reason is one of: `empty`, `control_character`, `not_an_arn`, `assumed_role`,
        `user`, `group`, `root`, `instance_profile`, `policy`, `other_service`, `partition`, `account`, `path`, `name`,
        `reserved_path`.
        """
        trimmed = text.strip(_SURROUNDINGS)
        if not trimmed:
            raise InvalidRoleArn("empty", text)
        if not trimmed.isprintable():
            raise InvalidRoleArn("control_character", text)
        parts = _ARN.fullmatch(trimmed)
        if not parts:
            raise InvalidRoleArn("not_an_arn", text)
        partition, service, region, account, resource = parts.groups()
        if service == "sts" and resource.startswith("assumed-role/"):
            raise InvalidRoleArn("assumed_role", text)
        if service != "iam" or region:
            raise InvalidRoleArn("other_service", text)
        if partition not in set(Partition):
            raise InvalidRoleArn("partition", text)
        if not _ACCOUNT_ID.fullmatch(account):
            raise InvalidRoleArn("account", text)
        path, name = cls._split(resource, text)
        return cls(Partition(partition), AccountId(account), path, name)

    @staticmethod
    def _split(resource: str, text: str) -> tuple[str, str]:
        kind, _, rest = resource.partition("/")
        if kind != "role" or not rest:
            raise InvalidRoleArn(_KINDS.get(kind, "other_service"), text)
        directory, slash, name = rest.rpartition("/")
        path = f"/{directory}{slash}"
        _check_role_path(path, text)
        if not _ROLE_NAME.fullmatch(name):
            raise InvalidRoleArn("name", text)
        return path, name


_KINDS = {
    "role": "name",
    "user": "user",
    "group": "group",
    "root": "root",
    "instance-profile": "instance_profile",
    "policy": "policy",
}


@dataclass(frozen=True, slots=True)
class SsoRoleArn:
    """The role that Identity Center makes for a permission set: `AWSReservedSSO_<permission set>_<suffix>`."""

    partition: Partition
    account_id: AccountId
    # None where Identity Center lives in us-east-1: its role ARNs carry no region segment.
    region: str | None
    permission_set: str
    suffix: str

    def __str__(self) -> str:
        return sso_role_arn(
            self.partition,
            self.account_id,
            self.region,
            f"AWSReservedSSO_{self.permission_set}_{self.suffix}",
        )

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the ARN that `iam:ListRoles` answers. Raises `InvalidRoleArn` with the reason `not_an_sso_role`."""
        parts = _SSO_ROLE_ARN.fullmatch(text)
        if not parts or parts["partition"] not in set(Partition):
            raise InvalidRoleArn("not_an_sso_role", text)
        return cls(
            Partition(parts["partition"]),
            AccountId(parts["account"]),
            parts["region"],
            parts["permission_set"],
            parts["suffix"],
        )


_SSO_ROLE_ARN = re.compile(
    r"arn:(?P<partition>[a-z-]+):iam::(?P<account>[0-9]{12}):role/aws-reserved/sso\.amazonaws\.com/"
    r"(?:(?P<region>[a-z0-9-]+)/)?AWSReservedSSO_(?P<permission_set>[A-Za-z0-9_+=,.@-]{1,32})_(?P<suffix>[0-9a-f]{16})"
)


def sso_role_arn(partition: str, account_id: str, region: str | None, role_name: str) -> str:
    """The path under which Identity Center keeps its roles; `role_name` may hold the wildcards of a policy."""
    segment = f"{region}/" if region else ""
    return f"arn:{partition}:iam::{account_id}:role/aws-reserved/sso.amazonaws.com/{segment}{role_name}"


def parse_role_name(text: str) -> str:
    """A role name by itself, trimmed. Raises `InvalidRoleArn` with the reason `name`."""
    trimmed = text.strip()
    if not _ROLE_NAME.fullmatch(trimmed):
        raise InvalidRoleArn("name", text)
    return trimmed


def parse_role_path(text: str) -> str:
    """A role's path, with the slashes around it that people leave out. Raises `InvalidRoleArn`."""
    inner = text.strip(" \t\r\n").strip("/")
    path = f"/{inner}/" if inner else "/"
    _check_role_path(path, text)
    return path


def _check_role_path(path: str, text: str) -> None:
    if not _PATH.fullmatch(path) or len(path) > _MAX_PATH:
        raise InvalidRoleArn("path", text)
    if path.startswith(("/aws-reserved/", "/aws-service-role/")):
        raise InvalidRoleArn("reserved_path", text)


# What the partner's page promises never to ask for.
_ADMINISTRATORS = frozenset({"administratoraccess", "iamfullaccess"})
_POLICY_NAME = re.compile(rf"(?:{_NAME}+/)*{_NAME}{{1,128}}")
_POLICY_ARN = re.compile(rf"arn:([a-z0-9-]{{1,30}}):iam::(aws|[0-9]{{12}}):policy/((?:{_NAME}+/)*)({_NAME}{{1,128}})")


@dataclass(frozen=True, slots=True)
class PolicyArn:
    """A managed policy: one of AWS's own, for which `owner` is `aws`, or one of an account."""

    partition: Partition
    owner: str
    path: str
    name: str

    def __str__(self) -> str:
        return f"arn:{self.partition}:iam::{self.owner}:policy{self.path}{self.name}"

    @property
    def is_of_aws(self) -> bool:
        return self.owner == "aws"

    @classmethod
    def parse(cls, text: str, *, partition: Partition) -> Self:
        """Read an ARN, or the bare name of a policy of AWS such as `job-function/ViewOnlyAccess`.

        Raises `InvalidPolicyArn`.
        """
        trimmed = text.strip(_SURROUNDINGS)
        if _POLICY_NAME.fullmatch(trimmed):
            trimmed = f"arn:{partition}:iam::aws:policy/{trimmed}"
        parts = _POLICY_ARN.fullmatch(trimmed)
        if not parts or len(parts[3]) >= _MAX_PATH:
            raise InvalidPolicyArn("policy", text)
        found, owner, path, name = parts.groups()
        if found != partition:
            raise InvalidPolicyArn("partition", text)
        if owner == "aws" and name.lower() in _ADMINISTRATORS:
            raise InvalidPolicyArn("administrator", text)
        return cls(partition, owner, f"/{path}", name)
