"""Profile names from the admin's template: legal, unique, and the same every time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onboarding.core import identifiers
from onboarding.core.awsconfig import fill_profile_template, free_profile_name, parse_profile_template, with_prefix
from onboarding.core.errors import IllegalName


def name(template: str = "{partner}-{role}", taken: tuple[str, ...] = (), **facts: str) -> str:
    usual = {"partner": "Willow Robotics", "role": "HoshinoTelemetry", "account_id": "303040405050"}
    return free_profile_name(fill_profile_template(template, **{**usual, **facts}), key="tbi-1", taken=taken)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{partner}-{role}", "willow-robotics-hoshinotelemetry"),
        ("aws_{account}", "aws_303040405050"),
        (" {role} ", "hoshinotelemetry"),
        ("{role}{role}", "hoshinotelemetryhoshinotelemetry"),
    ],
)
def test_the_template_is_filled(template: str, expected: str) -> None:
    assert name(template) == expected


@pytest.mark.parametrize(
    "template",
    [
        *("", "fixed", "{partner", "{partner.__class__}", "{partner!r}", "{0}", "{}", "{external_id}", "{{role}}"),
        *("{role} x", "{role}]", "{role}\n[x]", "{role}\N{ARABIC-INDIC DIGIT ONE}", "x" * 31 + "{role}"),
    ],
)
def test_a_template_is_nothing_but_names_and_fields(template: str) -> None:
    with pytest.raises(IllegalName):
        parse_profile_template(template)


def test_a_taken_name_gets_a_digest_of_the_role_itself() -> None:
    assert name(taken=("Willow-Robotics-HoshinoTelemetry",)) == "willow-robotics-hoshinotelemetry-bfbec6"


def test_a_taken_digest_grows() -> None:
    plain, second = name(), name(taken=(name(),))
    assert name(taken=(plain, second)).startswith(second)
    assert name(taken=(plain, second)) != second


def test_the_name_depends_on_nobody_but_those_who_have_it() -> None:
    assert name(taken=(name(), "a")) == name(taken=("b", name(), "c"))


@pytest.mark.parametrize("facts", [{"partner": "星野商事", "role": "！"}, {"partner": "default", "role": ""}])
def test_where_nothing_can_be_kept_the_digest_stands(facts: dict[str, str]) -> None:
    template = "{partner}" if facts["partner"] == "default" else "{partner}-{role}"
    assert identifiers.parse_profile_name(name(template, **facts)).endswith("bfbec6")


@given(partner=st.text(max_size=80), role=st.text(max_size=80), others=st.lists(st.text(max_size=8), max_size=4))
def test_every_name_is_legal_and_free(partner: str, role: str, others: list[str]) -> None:
    first = name(partner=partner, role=role, taken=tuple(others))
    second = name(partner=partner, role=role, taken=(*others, first))
    assert identifiers.parse_profile_name(first) == first
    assert identifiers.parse_profile_name(second) == second
    assert len({first, second, *others}) == len({*others}) + 2


@given(
    prefix=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,15}", fullmatch=True) | st.sampled_from(["", "def", "DE"]),
    names=st.lists(
        st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True)
        | st.sampled_from(["ault", "fault", "x" * 63 + "a", "x" * 63 + "b"]),
        unique=True,
        max_size=5,
    ),
)
def test_a_prefix_keeps_names_legal_and_apart(prefix: str, names: list[str]) -> None:
    named = [with_prefix(prefix, name) for name in names if name.lower() != "default"]
    assert [identifiers.parse_profile_name(name) for name in named] == named
    assert len(set(named)) == len(named)
    assert all(name.startswith(prefix[:15].rstrip("-_")) for name in named)


def test_a_name_without_a_prefix_stays_as_it_is() -> None:
    assert with_prefix("", "willow-telemetry") == "willow-telemetry"
    assert with_prefix("hoshino-", "willow-telemetry") == "hoshino-willow-telemetry"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (" https://d-1234567890.awsapps.com/start \n", "https://d-1234567890.awsapps.com/start"),
        ("https://d-1234567890.awsapps.com/start#/", "https://d-1234567890.awsapps.com/start"),
        ("https://d-1234567890.awsapps.com/start/#/", "https://d-1234567890.awsapps.com/start/"),
        ("https://start.us-gov-home.awsapps.com/directory/hoshino", None),
        ("https://ssoins-1234567890abcdef.portal.us-east-1.app.aws", None),
    ],
)
def test_a_start_url_is_kept_as_browsers_show_it(typed: str, kept: str | None) -> None:
    assert identifiers.parse_start_url(typed) == (kept or typed)
