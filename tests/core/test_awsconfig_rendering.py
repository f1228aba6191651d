"""The rendered config: byte for byte, as botocore reads it, and never with a value that could become syntax."""

import dataclasses
import itertools
from pathlib import Path

import pytest
from botocore.configloader import load_config
from hypothesis import given, settings
from hypothesis import strategies as st

from onboarding.core.arns import AccountId, Partition, RoleArn
from onboarding.core.awsconfig import AwsConfig, BastionProfile, OutputFormat, PartnerProfile, SsoSession, render
from onboarding.core.awsconfig.rendering import _is_role_arn, _read_back
from onboarding.core.errors import DuplicateProfile, InvalidRoleArn, UnsafeConfigValue

GOLDEN = Path(__file__).parents[1] / "golden" / "config"

SESSION = SsoSession(name="hoshino", start_url="https://hoshino.awsapps.com/start", region="ap-northeast-1")
BASTION = BastionProfile(
    name="hoshino-bastion",
    sso_session="hoshino",
    account_id=AccountId("111122223333"),
    role_name="PartnerAccess",
    region="ap-northeast-1",
)
WILLOW = PartnerProfile(
    name="willow-telemetry",
    source_profile="hoshino-bastion",
    role_arn=RoleArn.parse("arn:aws:iam::303040405050:role/HoshinoTelemetry"),
    external_id="tbi-k4wd-82ru-n6ye-0mtz-7c3f",
    role_session_name="ken.ishida@hoshino.example",
    region="ap-northeast-1",
)
CEDAR = PartnerProfile(
    name="cedarpine-stock",
    source_profile="hoshino-bastion",
    role_arn=RoleArn.parse("arn:aws:iam::505060607070:role/partners/hoshino/HoshinoStockReader"),
    external_id="a=b:c/d,e@f+g.h_i",
    role_session_name="ken.ishida@hoshino.example",
    region="eu-west-1",
)
CONFIG = AwsConfig(sessions=(SESSION,), bastions=(BASTION,), partners=(WILLOW, CEDAR))

# One printable character that no field takes, and what could end a line, open a section or begin a comment.
SYNTAX = [
    *("\n", "\r", "\r\n", "\0", "\t", "\v", "\f", "\x1c", "\x85", "\u2028", "\x7f", "\x1b"),
    *("[", "]", "#", ";", " ", '"', "'", "\\", "%", "$", "{", "\u00e9", "\uff21", "\u0661", "$(id)", "`id`"),
    *("\n[plugins]\ncli_legacy_plugin_path = /tmp", "\r[DEFAULT]\r"),
]


def read_by_botocore(text: str, folder: Path) -> dict[str, dict[str, dict[str, str]]]:
    file = folder / "config"
    file.write_bytes(text.encode())
    return load_config(str(file))


@pytest.mark.parametrize(
    ("golden", "config"),
    [
        ("whole.ini", CONFIG),
        ("with-output.ini", dataclasses.replace(CONFIG, partners=(WILLOW,), output=OutputFormat.YAML_STREAM)),
        ("nothing-granted.ini", AwsConfig()),
    ],
)
def test_the_text_is_the_golden_one(golden: str, config: AwsConfig) -> None:
    assert render(config).encode() == (GOLDEN / golden).read_bytes()


def test_botocore_reads_what_was_meant_and_nothing_else(tmp_path: Path) -> None:
    found = read_by_botocore(render(CONFIG), tmp_path)
    assert found == {
        "profiles": {section.name: section.settings for section in (BASTION, WILLOW, CEDAR)},
        "sso_sessions": {"hoshino": SESSION.settings},
        "services": {},
    }


def fields_of(section: SsoSession | BastionProfile | PartnerProfile) -> list[str]:
    return [field.name for field in dataclasses.fields(section)]


def spoilt(section, field: str, spoil):  # type: ignore[no-untyped-def]
    """The section with one field changed; an ARN is spoilt in its path and name, scopes in their first."""
    value = getattr(section, field)
    if isinstance(value, RoleArn):
        return dataclasses.replace(section, **{field: dataclasses.replace(value, name=spoil(value.name))})
    if isinstance(value, tuple):
        return dataclasses.replace(section, **{field: (spoil(value[0]),)})
    return dataclasses.replace(section, **{field: spoil(value)})


def with_section(section: SsoSession | BastionProfile | PartnerProfile) -> AwsConfig:
    if isinstance(section, SsoSession):
        return AwsConfig(sessions=(section,))
    if isinstance(section, BastionProfile):
        return AwsConfig(sessions=(SESSION,), bastions=(section,))
    return AwsConfig(sessions=(SESSION,), bastions=(BASTION,), partners=(section,))


@pytest.mark.parametrize(
    ("section", "field"),
    [(section, field) for section in (SESSION, BASTION, CEDAR) for field in fields_of(section)],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_syntax_in_any_field_is_refused_and_named(section, field):  # type: ignore[no-untyped-def]
    for syntax, place in itertools.product(SYNTAX, (0, 3, 99)):
        hostile = spoilt(section, field, lambda value: value[:place] + syntax + value[place:])  # noqa: B023  called at once
        with pytest.raises(UnsafeConfigValue) as refusal:
            render(with_section(hostile))
        assert syntax in refusal.value.found
        assert refusal.value.section == hostile.header


@pytest.mark.parametrize(
    ("section", "field"),
    [(section, field) for section in (SESSION, BASTION, CEDAR) for field in fields_of(section)],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
@settings(max_examples=30)
@given(value=st.text(max_size=80) | st.text("aZ0_+=,.@:/~-", min_size=1, max_size=70))
def test_any_text_in_any_field_is_read_back_the_same_or_refused(section, field, value, tmp_path_factory):  # type: ignore[no-untyped-def]
    changed = spoilt(section, field, lambda _: value)
    try:
        text = render(with_section(changed))
    except UnsafeConfigValue:
        return
    except DuplicateProfile:
        assert changed.name == BASTION.name
        return
    found = read_by_botocore(text, tmp_path_factory.mktemp("aws"))
    kind = "sso_sessions" if isinstance(changed, SsoSession) else "profiles"
    assert found[kind][changed.name] == changed.settings
    assert set(text) <= {chr(code) for code in range(0x20, 0x7F)} | {"\n"}


def test_two_sections_of_one_name_are_refused() -> None:
    twin = dataclasses.replace(WILLOW, name=BASTION.name)
    with pytest.raises(DuplicateProfile) as refusal:
        render(dataclasses.replace(CONFIG, partners=(twin,)))
    assert refusal.value.name == "hoshino-bastion"


def test_a_session_and_a_profile_may_share_a_name(tmp_path: Path) -> None:
    twin = dataclasses.replace(WILLOW, name=SESSION.name)
    found = read_by_botocore(render(dataclasses.replace(CONFIG, partners=(twin,))), tmp_path)
    assert found["profiles"]["hoshino"] == WILLOW.settings


@pytest.mark.parametrize("name", ["default", "DEFAULT", "Default"])
def test_no_profile_takes_the_name_that_others_fall_back_to(name: str) -> None:
    with pytest.raises(UnsafeConfigValue):
        render(dataclasses.replace(CONFIG, partners=(dataclasses.replace(WILLOW, name=name),)))


def test_a_profile_without_its_source_is_refused() -> None:
    with pytest.raises(UnsafeConfigValue) as refusal:
        render(dataclasses.replace(CONFIG, bastions=()))
    assert (refusal.value.section, refusal.value.key) == ("profile willow-telemetry", "source_profile")


def test_a_bastion_without_its_session_is_refused() -> None:
    with pytest.raises(UnsafeConfigValue) as refusal:
        render(dataclasses.replace(CONFIG, sessions=()))
    assert (refusal.value.section, refusal.value.key) == ("profile hoshino-bastion", "sso_session")


@pytest.mark.parametrize(
    "url",
    [
        "http://hoshino.awsapps.com/start",
        "https://hoshino.awsapps.com:444/start",
        "https://ken@evil.example/start",
        "https://hoshino.awsapps.com/start?next=/",
        "https://hoshino.awsapps.com/start#/",
        "https://localhost/start",
        "https://-a.example/start",
        "https://" + "a" * 300 + ".example/start",
    ],
)
def test_a_start_url_is_https_with_a_host_and_a_plain_path(url: str) -> None:
    with pytest.raises(UnsafeConfigValue):
        render(AwsConfig(sessions=(dataclasses.replace(SESSION, start_url=url),)))


NAME_CHARACTERS = "aZ0_+=,.@-"


@given(
    partition=st.sampled_from([*Partition, "aws-mars"]),
    account=st.text("0123456789\u0661", min_size=11, max_size=13),
    path=st.text(NAME_CHARACTERS + "/ \n", max_size=20) | st.just("aws-reserved/") | st.just("aws-service-role/x/"),
    padding=st.integers(480, 520).map(lambda length: "p" * length) | st.just(""),
    name=st.text(NAME_CHARACTERS + "/:", max_size=66),
)
def test_the_quick_look_at_an_arn_agrees_with_its_parser(
    partition: str, account: str, path: str, padding: str, name: str
) -> None:
    text = f"arn:{partition}:iam::{account}:role/{padding}{path}{name}"
    try:
        legal = str(RoleArn.parse(text)) == text
    except InvalidRoleArn:
        legal = False
    assert _is_role_arn(text) == legal


@pytest.mark.parametrize(
    "text",
    [
        "[profile a]\nregion = us-east-1\nregion = us-east-1\n",
        "[profile a]\nregion = us-east-1\n[profile a]\n",
        "[DEFAULT]\nregion = us-east-1\n",
        "[profile a]\nregion = us-east-1 \\\n  more\n",
        "[profile a]\nregion : us-east-1\n",
        "[profile a]\nregion=us-east-1\n",
        "[profile a]\nregion = us-east-1\n# comment\n",
        "[profile a]\nregion = us-east-1\r\n",
        "[profile a]\nregion = us-east-1\x1c\n",
        "[profile a]\nregion = us-east-2\n",
        "[profile a]\nregion = us-east-1\n\n[profile b]\n",
        "region = us-east-1\n",
        "",
    ],
)
def test_text_that_reads_otherwise_than_meant_is_never_offered(text: str) -> None:
    with pytest.raises(UnsafeConfigValue):
        _read_back([text], {"profile a": {"region": "us-east-1"}})


def test_the_text_that_was_meant_reads_back() -> None:
    _read_back(["[profile a]\nregion = us-east-1\n"], {"profile a": {"region": "us-east-1"}})
