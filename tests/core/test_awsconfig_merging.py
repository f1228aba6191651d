"""Merging: the shared vectors, and what holds for every file that a person may have."""

import base64
import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from botocore.configloader import load_config
from botocore.exceptions import ConfigParseError
from hypothesis import assume, given
from hypothesis import strategies as st

from onboarding.core.awsconfig import (
    Answer,
    AwsConfig,
    Choice,
    ConfigFile,
    Merge,
    PartnerProfile,
    ProblemKind,
    merge,
    render,
)
from onboarding.core.awsconfig.files import BEGIN, END
from onboarding.core.errors import UnsafeConfigValue
from tests.core.test_awsconfig_rendering import BASTION, CEDAR, SESSION, WILLOW

VECTORS = sorted((Path(__file__).parents[1] / "vectors" / "merge").glob("*.json"))
REFUSED = json.loads((Path(__file__).parents[1] / "vectors" / "refused.json").read_text())
OURS = AwsConfig(sessions=(SESSION,), bastions=(BASTION,), partners=(WILLOW, CEDAR))


def parse_choice(answer: str | dict[str, str]) -> Choice:
    return Choice(Answer(answer)) if isinstance(answer, str) else Choice(Answer.RENAME, answer["rename"])


def in_bytes(vector: dict[str, Any], key: str) -> bytes:
    return base64.b64decode(vector[f"{key}_base64"]) if f"{key}_base64" in vector else vector[key].encode()


def run(vector: dict[str, Any]) -> Merge:
    choices = {header: parse_choice(answer) for header, answer in vector["choices"].items()}
    return merge(in_bytes(vector, "existing"), vector["ours"], choices)


@pytest.mark.parametrize("file", VECTORS, ids=lambda file: file.stem)
def test_the_vectors_hold(file: Path) -> None:
    vector = json.loads(file.read_text())
    merged = run(vector)
    assert [dataclasses.asdict(notice) for notice in merged.notices] == vector.get("notices", [])
    if "problems" in vector or "conflicts" in vector:
        assert merged.content is None
        assert [dataclasses.asdict(problem) for problem in merged.problems] == vector.get("problems", [])
        conflicts = json.loads(json.dumps([dataclasses.asdict(conflict) for conflict in merged.conflicts]))
        assert conflicts == vector.get("conflicts", [])
    else:
        assert merged.content == in_bytes(vector, "expected")


@pytest.mark.parametrize("file", VECTORS, ids=lambda file: file.stem)
def test_merging_twice_changes_nothing_and_asks_nothing(file: Path) -> None:
    vector = json.loads(file.read_text())
    merged = run(vector)
    if merged.content is not None:
        assert merge(merged.content, vector["ours"], {}).content == merged.content


@pytest.mark.parametrize("refused", REFUSED, ids=lambda refused: refused["says"])
def test_only_what_render_gives_is_merged(refused: dict[str, str]) -> None:
    with pytest.raises(UnsafeConfigValue):
        merge(b"", refused["ours"], {})


# Whole lines, so that random files are often nearly right: that is where a scanner goes wrong.
HEADERS = ["profile a", "profile b", "profile cedarpine-stock", 'profile "willow-telemetry"', "sso-session hoshino"]
LINES = st.sampled_from(
    [
        *(f"[{header}]" for header in [*HEADERS, "default", "services x", "DEFAULT", "profile 'o", "a]b"]),
        *("  [profile a]", "[profile b] # mine", "[]", "[", " \t", "", "\u3000", "\x85", "\x0b"),
        *("region = us-east-1", "Region: x", "s3 =", "  nested = 1", "  nested", "\tdeeper = 2", "    a = b = c"),
        *("output=json", "output =", "= x", ": x", "nonsense", "x\u3000= 1", "\u3000y = 1", "key = [not a header]"),
        *("# comment", "; comment", "  # indented = x", "a # b = c", "# \u65e5\u672c\u8a9e"),
    ]
)
ENDS = st.sampled_from(["\n", "\n", "\n", "\r\n", "\r"])
FILES = st.builds(
    lambda lines, last: "".join(line + end for line, end in lines) + last,
    st.lists(st.tuples(LINES, ENDS), max_size=14),
    st.one_of(st.just(""), LINES),
)
SETTINGS = st.sampled_from(
    [
        *(
            "region = us-east-1",
            "Output: x # y",
            "s3 =\n  a = 1\n\n  # b\n\tc = 2",
            "key = [not a header]",
            "e = 1\n  f",
        ),
        *("# comment", "; comment", "  # indented = x", "# \u65e5\u672c\u8a9e", "", "\u3000", " \t"),
    ]
)
SECTIONS = st.builds(
    lambda header, settings: "\n".join([header, *settings]),
    st.sampled_from([*(f"[{header}]" for header in [*HEADERS, "default", "services x", "a]b"]), "[profile c] # mine"]),
    st.lists(SETTINGS, max_size=4, unique_by=lambda line: line[:5]),
)
# What AWS's clients can read, with what people do to such files.
LEGAL_FILES = st.builds(
    lambda top, sections, end, last: (top + "\n".join(sections) + last).replace("\n", end),
    st.sampled_from(["", "", "# mine\n\n", "\n"]),
    st.lists(SECTIONS, max_size=5, unique_by=lambda section: section.partition("]")[0]),
    ENDS,
    st.sampled_from(["", "\n", "\n\n", "\n# end"]),
)
NAMES = st.sampled_from(["willow-telemetry", "cedarpine-stock", "a", "b", "c", "hoshino-bastion"])
PARTNERS = st.lists(
    NAMES.map(lambda name: dataclasses.replace(CEDAR, name=f"{name}-role" if name == BASTION.name else name)),
    max_size=4,
    unique_by=lambda partner: partner.name,
)
ANSWERS = st.sampled_from(
    [Choice(Answer.KEEP_MINE), Choice(Answer.TAKE_THE_PORTALS), *(Choice(Answer.RENAME, f"new-{n}") for n in range(9))]
)


def config_of(partners: list[PartnerProfile]) -> AwsConfig:
    return AwsConfig(sessions=(SESSION,), bastions=(BASTION,), partners=tuple(partners))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("aws")


def read_by_botocore(content: bytes, folder: Path) -> dict[str, Any]:
    (folder / "config").write_bytes(content)
    return load_config(str(folder / "config"))


@given(text=FILES)
def test_a_file_has_a_problem_exactly_where_botocore_refuses_it(text: str, folder: Path) -> None:
    problems = ConfigFile.parse(text.encode()).problems
    try:
        read_by_botocore(text.encode(), folder)
    except ConfigParseError:
        assert problems
    else:
        assert not problems


@given(text=LEGAL_FILES)
def test_every_section_outside_is_seen_as_botocore_sees_it(text: str, folder: Path) -> None:
    file = ConfigFile.parse(text.encode())
    found = read_by_botocore(text.encode(), folder)
    kinds = {"profile": "profiles", "sso-session": "sso_sessions"}
    for identity in ["profile a", "profile b", "profile willow-telemetry", "sso-session hoshino"]:
        kind, name = identity.split(" ")
        assert (identity in file.outside) == (name in found[kinds[kind]])


@given(content=st.binary(max_size=60) | FILES.map(str.encode))
def test_any_bytes_come_out_as_they_went_in(content: bytes) -> None:
    assert ConfigFile.parse(content).with_block([], without=[]) == content


def answered(existing: bytes, ours: str, answers: list[Choice]) -> Merge:
    """The merge after a person has answered whatever was asked."""
    first = merge(existing, ours, {})
    choices = {conflict.section: answer for conflict, answer in zip(first.conflicts, answers, strict=False)}
    return merge(existing, ours, choices)


@given(
    text=LEGAL_FILES,
    later=LEGAL_FILES,
    partners=PARTNERS,
    next_partners=PARTNERS,
    answers=st.lists(ANSWERS, min_size=9),
)
def test_nothing_outside_the_block_changes(
    text: str, later: str, partners: list[PartnerProfile], next_partners: list[PartnerProfile], answers: list[Choice]
) -> None:
    without_take = [answer for answer in answers if answer.answer is not Answer.TAKE_THE_PORTALS]
    first = answered(text.encode(), render(config_of(partners)), without_take).content
    assume(first is not None)
    assert first.startswith(text.encode())
    second = answered(first + later.encode(), render(config_of(next_partners)), without_take).content
    assume(second is not None)
    before, block, after = second.partition(BEGIN.encode())
    assert first.startswith(before)
    assert before.startswith(text.encode())
    assert block
    assert after.partition(END.encode())[2].lstrip(b"\r\n") == later.encode().lstrip(b"\r\n")


@given(text=LEGAL_FILES, partners=PARTNERS, answers=st.lists(ANSWERS, min_size=9))
def test_merging_twice_changes_nothing(text: str, partners: list[PartnerProfile], answers: list[Choice]) -> None:
    ours = render(config_of(partners))
    merged = answered(text.encode(), ours, answers).content
    assume(merged is not None)
    assert merge(merged, ours, {}).content == merged


@given(text=LEGAL_FILES, partners=PARTNERS, answers=st.lists(ANSWERS, min_size=9))
def test_botocore_reads_the_old_and_ours(
    text: str, partners: list[PartnerProfile], answers: list[Choice], folder: Path
) -> None:
    """Where ours was not kept out or renamed, it is ours; everything else is as it was."""
    config = config_of(partners)
    conflicts = merge(text.encode(), render(config), {}).conflicts
    choices = {conflict.section: answer for conflict, answer in zip(conflicts, answers, strict=False)}
    merged = merge(text.encode(), render(config), choices).content
    assume(merged is not None)
    expected = read_by_botocore(text.encode(), folder)
    renamed = {header: choice.new_name for header, choice in choices.items() if choice.answer is Answer.RENAME}
    for section in config.sections:
        choice = choices.get(section.header)
        if choice and choice.answer is Answer.KEEP_MINE:
            continue
        kind = "sso_sessions" if section is SESSION else "profiles"
        expected[kind][renamed.get(section.header, section.name)] = {
            key: renamed.get(f"sso-session {value}", value)
            if key == "sso_session"
            else renamed.get(f"profile {value}", value)
            if key == "source_profile"
            else value
            for key, value in section.settings.items()
        }
    assert read_by_botocore(merged, folder) == expected


@given(text=LEGAL_FILES, partners=PARTNERS)
def test_nothing_granted_any_more_takes_only_our_block_away(text: str, partners: list[PartnerProfile]) -> None:
    merged = answered(text.encode(), render(config_of(partners)), [Choice(Answer.KEEP_MINE)] * 9).content
    assume(merged is not None)
    left = merge(merged, "", {}).content
    assert left is not None
    assert left.startswith(text.encode())
    assert not left.removeprefix(text.encode()).strip(b"\r\n")


def test_every_kind_of_problem_has_a_vector() -> None:
    told = {problem["kind"] for file in VECTORS for problem in json.loads(file.read_text()).get("problems", [])}
    assert told == set(ProblemKind)
