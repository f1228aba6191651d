"""The browser's merge: the same vectors as Python's, and the same answer as Python's on random files."""

import base64
import dataclasses
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from onboarding.core.awsconfig import Answer, Choice, Merge, merge, render
from onboarding.core.errors import UnsafeConfigValue
from tests.core.test_awsconfig_merging import (
    ANSWERS,
    FILES,
    LEGAL_FILES,
    OURS,
    PARTNERS,
    REFUSED,
    VECTORS,
    config_of,
    in_bytes,
    parse_choice,
)

RUNNER = Path(__file__).parents[1] / "javascript" / "merge.mjs"
NODE = shutil.which("node")
pytestmark = pytest.mark.skipif(not NODE, reason="no Node on PATH")

Case = tuple[bytes, str, dict[str, Choice]]


def merge_in_node(cases: list[Case]) -> list[Any]:
    asked = [
        {
            "existing_base64": base64.b64encode(existing).decode(),
            "ours": ours,
            "choices": {header: in_json(choice) for header, choice in choices.items()},
        }
        for existing, ours, choices in cases
    ]
    done = subprocess.run([NODE, RUNNER], input=json.dumps(asked), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def in_json(choice: Choice) -> str | dict[str, str]:
    return {"rename": choice.new_name} if choice.answer is Answer.RENAME else choice.answer


def told(merged: Merge) -> dict[str, Any]:
    """As the runner prints it."""
    found = json.loads(json.dumps(dataclasses.asdict(dataclasses.replace(merged, content=None))))
    del found["content"]
    content = merged.content
    return found | {"content_base64": None if content is None else base64.b64encode(content).decode()}


def in_python(case: Case) -> dict[str, Any]:
    try:
        return told(merge(*case))
    except UnsafeConfigValue:
        return {"unsafe": True}


def compare(cases: list[Case]) -> None:
    for case, found in zip(cases, merge_in_node(cases), strict=True):
        assert found == in_python(case), case


def test_the_vectors_hold_in_javascript() -> None:
    vectors = [json.loads(file.read_text()) for file in VECTORS]
    cases = [
        (
            in_bytes(vector, "existing"),
            vector["ours"],
            {header: parse_choice(answer) for header, answer in vector["choices"].items()},
        )
        for vector in vectors
    ]
    for vector, found in zip(vectors, merge_in_node(cases), strict=True):
        is_open = "problems" in vector or "conflicts" in vector
        assert found == {
            "content_base64": None if is_open else base64.b64encode(in_bytes(vector, "expected")).decode(),
            "problems": vector.get("problems", []),
            "conflicts": vector.get("conflicts", []),
            "notices": vector.get("notices", []),
        }, vector["says"]


def test_what_no_portal_makes_is_refused_in_javascript_too() -> None:
    found = merge_in_node([(b"", refused["ours"], {}) for refused in REFUSED])
    assert found == [{"unsafe": True}] * len(REFUSED)


# Where the two languages see text differently: white space, case, quotes, and bytes that are no UTF-8.
ODD_HEADERS = st.text("'\"\\ a\tb\u3000\ufeff\x1c", max_size=8).map(lambda name: f"[profile {name}]")
ODD_LINES = st.text("=:#;[]\\ \t\x0b\x0c\x1c\x85\xa0\u2028\u3000\ufeff\u0130\u03a3aK\U0001f600", max_size=12)
ODD_FILES = st.lists(st.one_of(ODD_HEADERS, ODD_LINES, st.just("[profile a]"), st.just("k = v")), max_size=8)
BYTES = st.one_of(
    FILES.map(str.encode),
    LEGAL_FILES.map(str.encode),
    ODD_FILES.map(lambda lines: "\n".join(lines).encode()),
    st.binary(max_size=80),
    st.builds(
        lambda start, odd, end: start.encode() + odd + end.encode(), LEGAL_FILES, st.binary(max_size=6), LEGAL_FILES
    ),
)


def with_a_wrong_line(ours: str, place: int, wrong: str) -> str:
    lines = ours.split("\n")
    line = lines[place % len(lines)]
    lines[place % len(lines)] = f"{line[: place % 40]}{wrong}{line[place % 40 :]}"
    return "\n".join(lines)


# What could become syntax, in any name and value of a config; also what changes nothing of its shape.
WRONG = st.sampled_from(["\n", "\r", "\r\n", "\0", "[", "]", "#", ";", " ", "=", "%", '"', "\u2028", "\xe9", "a", "1"])
HOSTILE = st.one_of(
    st.sampled_from([refused["ours"] for refused in REFUSED]),
    st.text(max_size=20),
    st.builds(with_a_wrong_line, st.just(render(OURS)), st.integers(0, 9_999), WRONG),
)
NAMES = st.sampled_from(["profile a", "profile b", "profile willow-telemetry", "profile hoshino-bastion"])
CHOICES = st.dictionaries(NAMES, ANSWERS | st.text("ab]\n ", max_size=3).map(lambda name: Choice(Answer.RENAME, name)))


def generated(strategy: st.SearchStrategy[Case], count: int) -> list[Case]:
    cases = []

    @settings(max_examples=count, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(strategy)
    def collect(case: Case) -> None:
        cases.append(case)

    collect()
    return cases


def test_javascript_answers_as_python_does_on_random_files() -> None:
    ours = PARTNERS.map(lambda partners: render(config_of(partners)))
    first = generated(st.tuples(BYTES, ours, CHOICES), 300)
    compare([*first, *generated(st.tuples(BYTES, HOSTILE, CHOICES), 300)])
    # And again on what has our block already, for which others were granted and more was written below.
    merged = [(content, *case[1:]) for case in first if (content := merge(*case).content)]
    assert len(merged) > 50
    later = generated(st.tuples(BYTES, ours, CHOICES), len(merged))
    compare([(old[0] + new[0], new[1], new[2]) for old, new in zip(merged, later, strict=False)])


def test_any_bytes_come_out_of_javascript_as_they_went_in() -> None:
    """Where nothing is granted and no block is there, the file is what it was."""
    cases = [(content, "", {}) for content in generated(st.binary(max_size=40), 300)]
    for (existing, _, _), found in zip(cases, merge_in_node(cases), strict=True):
        assert found["problems"] or base64.b64decode(found["content_base64"]) == existing
