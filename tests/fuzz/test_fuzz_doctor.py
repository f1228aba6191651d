"""A long run of strange documents through the whole doctor: nothing raises."""

import json
import random

import pytest

from onboarding.core.doctor import Caller, Question, diagnose
from onboarding.doctor_messages import explain
from tests.core.test_doctor import CALLERS, EXTERNAL_ID
from tests.core.test_doctor_cases import CASES, asked

RUNS, PARTS = 100_000, 4
_PIECES = [
    '"', "{", "}", "[", "]", ",", ":", "\\", "\\u", "null", "*", "?", "${", "\u201c", "\ud800", "//", "0", " ", "\n",
]  # fmt: skip


def _spoilt(text: str, chance: random.Random) -> str:
    for _ in range(chance.randint(1, 4)):
        start = chance.randrange(len(text) + 1)
        end = min(len(text), start + chance.choice([0, 0, 1, 3, 20]))
        text = text[:start] + "".join(chance.choices(_PIECES, k=chance.randint(0, 2))) + text[end:]
    return text


def _swapped(value: object, chance: random.Random) -> object:
    """The same document with elements exchanged for others of any type."""
    if chance.random() < 0.03:
        return chance.choice([None, True, 0, 1e400, "", "*", [], {}, ["*"], {"AWS": 1}, CALLERS[0].principal_arn])
    if isinstance(value, dict):
        return {key: _swapped(entry, chance) for key, entry in value.items()}
    return [_swapped(entry, chance) for entry in value] if isinstance(value, list) else value


@pytest.mark.fuzz
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("part", range(PARTS))
def test_nothing_raises_for_a_hundred_thousand_documents(part: int) -> None:
    chance = random.Random(20261124 + part)  # noqa: S311  a repeatable run, no secret
    cases = [json.loads(path.read_text(encoding="utf-8")) for path in CASES]
    texts = [asked(case).text for case in cases]
    documents = [case["asked"]["trust_policy"] for case in cases]
    for run in range(RUNS // PARTS):
        source = (
            _spoilt(chance.choice(texts), chance) if run % 2 else json.dumps(_swapped(chance.choice(documents), chance))
        )
        callers = CALLERS if run % 10 else (Caller("", source[:40], source[:9]),)
        diagnosis = diagnose(Question(text=source, callers=callers, external_id=EXTERNAL_ID))
        assert len(diagnosis.outcomes) == len(callers)
        assert diagnosis.excerpt
        if not run % 10:
            diagnosis.whole_correction()
        for finding in diagnosis.findings[:3]:
            assert explain(finding).cause
