"""Each finding becomes sentences, and the whole a letter."""

from dataclasses import fields
from pathlib import Path

import pytest

from onboarding.core.doctor import Code, Finding, Turn
from onboarding.core.doctor.findings import severity_of
from onboarding.core.iam import FaultCode
from onboarding.core.policy_text import Slip
from onboarding.doctor_messages import explain
from tests.core.test_doctor_cases import CASES, read_case


@pytest.mark.parametrize("code", Code)
@pytest.mark.parametrize("turn", Turn)
def test_each_code_has_a_cause_a_turn_and_a_remedy(code: Code, turn: Turn) -> None:
    words = explain(Finding(code=code, severity=severity_of(code), turn=turn, found="100 %", expected="%(x)s"))

    assert all(getattr(words, field.name) for field in fields(words))


# A text without end is told as a document that is too long.
@pytest.mark.parametrize("reason", [*(slip for slip in Slip if slip is not Slip.TOO_LONG), *FaultCode])
def test_each_slip_and_each_fault_is_told_in_its_own_words(reason: Slip | FaultCode) -> None:
    code = Code.NOT_JSON if isinstance(reason, Slip) else Code.MALFORMED_ELEMENT
    plain = explain(Finding(code=code, severity=severity_of(code)))
    told = explain(Finding(code=code, severity=severity_of(code), reason=reason))

    assert told.cause != plain.cause or reason in (Slip.UNEXPECTED, FaultCode.WRONG_TYPE)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_every_case_can_be_told_in_one_line_each(path: Path) -> None:
    _, diagnosis = read_case(path)

    for finding in diagnosis.findings:
        words = explain(finding)
        assert "\n" not in words.cause + words.remedy
        assert "%(" not in words.cause + words.remedy
