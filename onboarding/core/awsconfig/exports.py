"""The same roles for the tools that people have already; the checks are those of the config itself."""

from collections.abc import Collection
from dataclasses import dataclass

from onboarding.core.arns import AccountId
from onboarding.core.awsconfig.rendering import render, render_sections
from onboarding.core.awsconfig.sections import AwsConfig, BastionProfile, PartnerProfile, SsoSession


def granted_registry(config: AwsConfig) -> dict[str, str]:
    """By file name: a folder that Granted takes as a profile registry."""
    return {"granted.yml": "awsConfig:\n  - ./config\n", "config": render(config)}


def render_plain(config: AwsConfig) -> str:
    """Without `[sso-session]`, which older tools do not know: its settings stand in the bastion profile."""
    sessions = {session.name: session for session in config.sessions}
    bastions = [_PlainBastionProfile(bastion, sessions[bastion.sso_session]) for bastion in config.bastions]
    return render_sections([*bastions, *config.partners], output=config.output)


def render_switch_roles(config: AwsConfig, names: Collection[str]) -> str:
    """For AWS Extend Switch Roles, of the profiles in `names`: those whose role the console may enter.

    The extension offers a role to whoever is signed in to its base account, so each bastion account stands there once.
    """
    partners = [partner for partner in config.partners if partner.name in names]
    used = {partner.source_profile for partner in partners}
    bastions = [bastion for bastion in config.bastions if bastion.name in used]
    bases = {bastion.account_id: bastion.name for bastion in reversed(bastions)}
    base_of = {bastion.name: bases[bastion.account_id] for bastion in bastions}
    accounts = [_BaseAccount(name, account_id) for account_id, name in reversed(bases.items())]
    return render_sections(
        [*accounts, *(_SwitchRole(partner, base_of[partner.source_profile]) for partner in partners)]
    )


@dataclass(frozen=True, slots=True)
class _PlainBastionProfile:
    profile: BastionProfile
    session: SsoSession

    @property
    def name(self) -> str:
        return self.profile.name

    @property
    def header(self) -> str:
        return self.profile.header

    @property
    def settings(self) -> dict[str, str]:
        settings = self.profile.settings
        del settings["sso_session"]
        return {"sso_start_url": self.session.start_url, "sso_region": self.session.region, **settings}


@dataclass(frozen=True, slots=True)
class _BaseAccount:
    name: str
    account_id: AccountId

    @property
    def header(self) -> str:
        return f"profile {self.name}"

    @property
    def settings(self) -> dict[str, str]:
        return {"aws_account_id": self.account_id}


@dataclass(frozen=True, slots=True)
class _SwitchRole:
    profile: PartnerProfile
    base: str

    @property
    def name(self) -> str:
        return self.profile.name

    @property
    def header(self) -> str:
        return self.profile.header

    @property
    def settings(self) -> dict[str, str]:
        return {"role_arn": str(self.profile.role_arn), "source_profile": self.base, "region": self.profile.region}
