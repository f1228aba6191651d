"""A diagnosis as a page shows it."""

import json

import pytest

from onboarding.core.doctor import Caller, Diagnosis, Question, Turn, diagnose
from onboarding.findings import Shown, show
from onboarding.services.diagnosis import EMPLOYEES, VALIDATOR
from tests.core.test_doctor import _ENTRY, EXTERNAL_ID, SSO_ROLE
from tests.core.test_doctor import VALIDATOR as VALIDATOR_ROLE
from tests.core.test_doctor_cases import CASES, asked

CALLERS = (Caller(EMPLOYEES, SSO_ROLE, "jane@example.com"), Caller(VALIDATOR, VALIDATOR_ROLE, "tobiishi-probe"))
TURNS = {Turn.PARTNER: "theirs", Turn.US: "ours", Turn.BOTH: "both"}


def shown(text: str) -> Shown:
    return show(ask(text), turns=TURNS)


def ask(text: str) -> Diagnosis:
    return diagnose(Question(text=text, callers=CALLERS, external_id=EXTERNAL_ID))


def with_(**elements: object) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{**_ENTRY, **elements}]}, indent=2)


@pytest.mark.parametrize(
    ("text", "tone", "headline"),
    [
        ("{", "bad", "IAM would not save"),
        (with_(Effect="allow"), "bad", "IAM would not save"),
        (with_(Action="sts:TagSession"), "bad", "does not let us in"),
        (with_(Principal={"AWS": VALIDATOR_ROLE}), "bad", "only one of us"),
        (with_(Condition={"IpAddress": {"aws:SourceIp": "192.0.2.1"}}), "warn", "cannot be told"),
        (with_(Condition={}), "bad", "not safely"),
        (with_(), "ok", "holds"),
    ],
)
def test_the_headline_says_what_it_comes_to(text: str, tone: str, headline: str) -> None:
    told = shown(text)
    assert told.tone == tone
    assert headline in told.headline


def test_what_stops_both_callers_alike_is_one_point() -> None:
    told = shown(with_(Action="sts:TagSession"))
    assert len(told.points) == 1
    assert told.turn == "theirs"
    assert [entry.answer for entry in told.entries] == ["not let in", "not let in"]


def test_advice_is_marked_gently_and_comes_with_its_correction() -> None:
    told = shown(with_())
    assert list(told.marks.values()) == ["live"]
    assert told.correction
    assert set(told.correction_marks.values()) == {"add"}


def test_of_a_long_text_the_part_around_the_mistake_is_shown() -> None:
    document = json.loads(with_())
    document["Statement"] = [_ENTRY] * 100 + [{**_ENTRY, "Effect": "allow"}] + [_ENTRY] * 100
    told = shown(json.dumps(document, indent=2))
    line = next(line for line, mark in told.marks.items() if mark == "hot")
    lines = told.excerpt.text.split("\n")
    assert len(lines) == 200
    assert '"allow"' in lines[line - told.excerpt.first]


def test_a_line_without_end_is_cut() -> None:
    assert len(shown("x" * 50_000).excerpt.text) < 3_000


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_every_case_can_be_shown(path) -> None:  # type: ignore[no-untyped-def]
    told = shown(asked(json.loads(path.read_text(encoding="utf-8"))).text)
    first, lines = told.excerpt.first, told.excerpt.text.split("\n")
    assert all(first <= line < first + len(lines) for line in told.marks)
