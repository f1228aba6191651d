"""What a person's config is made of; the order of `settings` is the order in the file."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from onboarding.core.arns import AccountId, RoleArn

# What Identity Center needs to renew a session without a new sign-in.
_SCOPES = ("sso:account:access",)


class OutputFormat(StrEnum):
    """The formats that the AWS CLI prints."""

    JSON = "json"
    TABLE = "table"
    TEXT = "text"
    YAML = "yaml"
    YAML_STREAM = "yaml-stream"


class ConfigSection(Protocol):
    """A new dict comes from `settings` each time."""

    @property
    def name(self) -> str: ...

    @property
    def header(self) -> str: ...

    @property
    def settings(self) -> dict[str, str]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SsoSession:
    """Where employees sign in; `name` is what `aws sso login --sso-session` takes."""

    name: str
    start_url: str
    region: str
    scopes: tuple[str, ...] = _SCOPES

    @property
    def header(self) -> str:
        return f"sso-session {self.name}"

    @property
    def settings(self) -> dict[str, str]:
        return {
            "sso_start_url": self.start_url,
            "sso_region": self.region,
            "sso_registration_scopes": ",".join(self.scopes),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class BastionProfile:
    """The source profile; `role_name` is the permission set's name, not that of its SSO role."""

    name: str
    sso_session: str
    account_id: AccountId
    role_name: str
    region: str

    @property
    def header(self) -> str:
        return f"profile {self.name}"

    @property
    def settings(self) -> dict[str, str]:
        return {
            "sso_session": self.sso_session,
            "sso_account_id": self.account_id,
            "sso_role_name": self.role_name,
            "region": self.region,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerProfile:
    """One external role.

    No `sso_session` here: the AWS SDK for Java then asks for an `sso_account_id` too. No `duration_seconds`: AWS
    refuses more than the default hour where one role assumes another.
    """

    name: str
    source_profile: str
    role_arn: RoleArn
    external_id: str
    role_session_name: str
    region: str

    @property
    def header(self) -> str:
        return f"profile {self.name}"

    @property
    def settings(self) -> dict[str, str]:
        return {
            "role_arn": str(self.role_arn),
            "source_profile": self.source_profile,
            "external_id": self.external_id,
            "role_session_name": self.role_session_name,
            "region": self.region,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsConfig:
    """Everything that one person's config holds, in the order in which it is written."""

    sessions: tuple[SsoSession, ...] = ()
    bastions: tuple[BastionProfile, ...] = ()
    partners: tuple[PartnerProfile, ...] = ()
    output: OutputFormat | None = None

    @property
    def sections(self) -> tuple[SsoSession | BastionProfile | PartnerProfile, ...]:
        return (*self.sessions, *self.bastions, *self.partners)
