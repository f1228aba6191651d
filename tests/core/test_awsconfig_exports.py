"""The config for other tools: byte for byte, and with the same checks."""

import configparser
import dataclasses
from pathlib import Path

import pytest
from botocore.configloader import load_config

from onboarding.core.arns import AccountId, RoleArn
from onboarding.core.awsconfig import AwsConfig, OutputFormat
from onboarding.core.awsconfig.exports import granted_registry, render_plain, render_switch_roles
from onboarding.core.errors import UnsafeConfigValue
from tests.core.test_awsconfig_rendering import BASTION, CEDAR, CONFIG, GOLDEN, SESSION, WILLOW

SECOND = dataclasses.replace(BASTION, name="hoshino-PartnerAdmin", role_name="PartnerAdmin")
ELSEWHERE = dataclasses.replace(BASTION, name="hoshino-us", account_id=AccountId("999900001111"))
ADMIN = dataclasses.replace(WILLOW, name="willow-admin", source_profile=SECOND.name)
KESTREL = dataclasses.replace(WILLOW, name="kestrel", source_profile=ELSEWHERE.name)
SEVERAL = AwsConfig(
    sessions=(SESSION,), bastions=(BASTION, SECOND, ELSEWHERE), partners=(WILLOW, CEDAR, ADMIN, KESTREL)
)
NAMES = {"willow-telemetry", "willow-admin", "kestrel"}


@pytest.mark.parametrize(
    ("golden", "text"),
    [
        ("plain.ini", render_plain(dataclasses.replace(CONFIG, output=OutputFormat.TABLE))),
        ("switch-roles.ini", render_switch_roles(SEVERAL, NAMES)),
        ("granted.yml", granted_registry(CONFIG)["granted.yml"]),
        ("whole.ini", granted_registry(CONFIG)["config"]),
    ],
)
def test_the_text_is_the_golden_one(golden: str, text: str) -> None:
    assert text.encode() == (GOLDEN / golden).read_bytes()


def test_a_plain_bastion_profile_needs_no_session(tmp_path: Path) -> None:
    (tmp_path / "config").write_text(render_plain(CONFIG))
    found = load_config(str(tmp_path / "config"))
    assert found["sso_sessions"] == {}
    assert found["profiles"]["hoshino-bastion"] == {
        "sso_start_url": SESSION.start_url,
        "sso_region": SESSION.region,
        "sso_account_id": BASTION.account_id,
        "sso_role_name": BASTION.role_name,
        "region": BASTION.region,
    }
    assert found["profiles"]["willow-telemetry"] == WILLOW.settings


def test_only_roles_that_the_console_may_enter_are_there_to_switch_to() -> None:
    parser = configparser.RawConfigParser()
    parser.read_string(render_switch_roles(CONFIG, {"cedarpine-stock"}))
    assert parser.sections() == ["profile hoshino-bastion", "profile cedarpine-stock"]
    assert dict(parser["profile hoshino-bastion"]) == {"aws_account_id": "111122223333"}
    assert "external_id" not in parser["profile cedarpine-stock"]


def test_without_such_a_role_there_is_nothing_to_switch_to() -> None:
    assert render_switch_roles(CONFIG, set()) == ""


def test_syntax_is_refused_here_too() -> None:
    spoilt = dataclasses.replace(WILLOW, role_arn=RoleArn.parse(str(WILLOW.role_arn)), region="eu-west-1\n[x]")
    hostile = dataclasses.replace(CONFIG, partners=(spoilt,))
    for export in (render_plain, granted_registry, lambda config: render_switch_roles(config, NAMES)):
        with pytest.raises(UnsafeConfigValue):
            export(hostile)
