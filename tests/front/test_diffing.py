"""Side by side: both texts are there whole and in order, and what is alike stands beside itself."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

RUNNER = Path(__file__).parents[1] / "javascript" / "diff.mjs"
NODE = shutil.which("node")
pytestmark = pytest.mark.skipif(not NODE, reason="no Node on PATH")

Texts = tuple[list[str], list[str]]


def compared(asked: list[Texts]) -> list[dict[str, Any]]:
    done = subprocess.run([NODE, RUNNER], input=json.dumps(asked), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def column(rows: list[dict[str, Any]], side: str) -> list[str]:
    return [row[side]["text"] for row in rows if row[side]]


def in_short(rows: list[dict[str, Any]]) -> list[str]:
    """Each row as its two texts, with a sign for what goes and what comes."""
    return [
        f"{row['folded']} {row['kind']}"
        if "folded" in row
        else " | ".join({"": " ", "del": "-", "add": "+"}[side["mark"]] + side["text"] if side else "" for side in both)
        for row in rows
        for both in [(row.get("left"), row.get("right"))]
    ]


def test_both_texts_stand_there_whole_and_every_mark_is_true() -> None:
    asked: list[Texts] = []
    lines = st.lists(st.sampled_from("abcde"), max_size=14)

    @settings(max_examples=400, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(lines, lines)
    def collect(before: list[str], after: list[str]) -> None:
        asked.append((before, after))

    collect()
    for (before, after), found in zip(asked, compared(asked), strict=True):
        rows = found["rows"]
        assert column(rows, "left") == before
        assert column(rows, "right") == after
        for row in rows:
            if row["left"] and row["right"] and not row["left"]["mark"]:
                assert row["left"]["text"] == row["right"]["text"]
        assert (before == after) == all(row["left"] and not row["left"]["mark"] and row["right"] for row in rows)


@pytest.mark.parametrize(
    ("before", "after", "rows"),
    [
        ("ab", "ab", [" a |  a", " b |  b"]),
        ("abc", "axc", [" a |  a", "-b | +x", " c |  c"]),
        ("", "ab", [" | +a", " | +b"]),
        ("ab", "", ["-a | ", "-b | "]),
        ("xaybz", "aqb", ["-x | ", " a |  a", "-y | +q", " b |  b", "-z | "]),
    ],
)
def test_what_changed_stands_beside_what_it_became(before: str, after: str, rows: list[str]) -> None:
    (found,) = compared([(list(before), list(after))])
    assert in_short(found["rows"]) == rows


def test_what_stays_and_what_is_very_long_is_folded() -> None:
    (found,) = compared([(list("abcdefgh"), [*"abcd", "1", "2", "3", "4", "5", *"efgh"])])
    assert in_short(found["folded"]) == [
        "3 stay",
        " d |  d",
        " | +1",
        " | +2",
        "3 added",
        " e |  e",
        "3 stay",
    ]


def test_a_large_file_is_compared_at_once() -> None:
    before = [f"line {number}" for number in range(40_000)]
    after = [line for section in range(8_000) for line in (f"[{section}]", "same", "same", "", f"line {section}")]
    (found,) = compared([(before, after)])
    assert column(found["rows"], "left") == before
    assert column(found["rows"], "right") == after
