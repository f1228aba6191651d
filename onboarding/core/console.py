"""The console's Switch Role: a link to it, or why there is none."""

from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlencode

from onboarding.core.arns import Partition, RoleArn

_HOSTS = {
    Partition.AWS: "signin.aws.amazon.com",
    Partition.CHINA: "signin.amazonaws.cn",
    Partition.GOVCLOUD: "signin.amazonaws-us-gov.com",
}
# Path and name together (IAM quotas, "role name" for Switch Role).
_LONGEST_ROLE = 64


class NoLink(StrEnum):
    PARTITION = "partition"
    ROLE_TOO_LONG = "role_too_long"


@dataclass(frozen=True, slots=True)
class SwitchRole:
    """Either `url`, or `no_link`."""

    url: str = ""
    no_link: NoLink | None = None


def switch_role(role: RoleArn, *, display_name: str) -> SwitchRole:
    """Only of use where the trust policy asks the employees for no external ID: the console cannot send one."""
    if role.partition not in _HOSTS:
        return SwitchRole(no_link=NoLink.PARTITION)
    name = f"{role.path}{role.name}".removeprefix("/")
    if len(name) > _LONGEST_ROLE:
        return SwitchRole(no_link=NoLink.ROLE_TOO_LONG)
    asked = {"account": role.account_id, "roleName": name, "displayName": display_name}
    return SwitchRole(url=f"https://{_HOSTS[role.partition]}/switchrole?{urlencode(asked, safe='/')}")
