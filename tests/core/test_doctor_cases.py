"""The table of mistakes: one file each in trust_cases/, with what IAM's documentation says of it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from onboarding.core.doctor import Caller, Code, Diagnosis, Question, diagnose
from onboarding.core.policy_text import indented

CASES = sorted((Path(__file__).parent / "trust_cases").glob("*.json"))


def asked(case: dict) -> Question:
    ask = case["asked"]
    policy = ask["trust_policy"]
    return Question(
        text=policy if isinstance(policy, str) else indented(json.dumps(policy)),
        callers=tuple(Caller(**caller) for caller in ask["callers"]),
        external_id=ask["external_id"],
        role_arn=ask["role_arn"],
        context=ask.get("context", {}),
        console_access=ask.get("console_access", False),
    )


def read_case(path: Path) -> tuple[dict, Diagnosis]:
    case = json.loads(path.read_text(encoding="utf-8"))
    return case["expected"], diagnose(asked(case))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_mistake_is_found_for_what_it_is(path: Path) -> None:
    expected, diagnosis = read_case(path)

    outcomes = dict(zip(("employees", "validator"), map(str, diagnosis.outcomes), strict=True))
    first = diagnosis.findings[0] if diagnosis.findings else None
    assert outcomes == expected["decisions"]
    assert (str(first.code) if first else None) == expected["first"]
    assert diagnosis.is_unsafe == expected["unsafe"]
    if "line" in expected:
        assert first
        assert first.line == expected["line"]


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_whoever_asks_there_is_a_diagnosis(path: Path) -> None:
    question = asked(json.loads(path.read_text(encoding="utf-8")))
    for callers in ((), (Caller("x", "nonsense"),), (Caller("x", "arn:aws:iam::111122223333:root"),)):
        assert len(diagnose(replace(question, callers=callers, role_arn="")).outcomes) == len(callers)


def test_each_code_has_two_cases_at_least() -> None:
    codes = [finding.code for path in CASES for finding in {f.code: f for f in read_case(path)[1].findings}.values()]

    assert len(CASES) >= 150
    assert {code: codes.count(code) for code in Code if codes.count(code) < 2} == {}


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_whole_correction_opens_the_door_to_both_callers_and_to_nobody_else(path: Path) -> None:
    _, diagnosis = read_case(path)
    correction = diagnosis.whole_correction()
    if correction is None:
        return

    question = Question(
        text=correction.text,
        callers=diagnosis.question.callers,
        external_id=diagnosis.question.external_id,
        role_arn=diagnosis.question.role_arn,
        context=diagnosis.question.context,
        console_access=diagnosis.question.console_access,
    )
    again = diagnose(question)
    assert set(again.outcomes) == {"allowed"}
    assert again.is_healthy
    assert {sign for sign, _ in correction.lines} > {" "}


def test_most_blocking_mistakes_come_with_a_whole_correction() -> None:
    diagnoses = [read_case(path)[1] for path in CASES]
    wrong = [diagnosis for diagnosis in diagnoses if not diagnosis.is_healthy]

    assert sum(diagnosis.whole_correction() is not None for diagnosis in wrong) > len(wrong) / 2
