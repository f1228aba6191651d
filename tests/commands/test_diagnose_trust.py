"""`manage.py diagnose_trust`: JSON in; JSON or a readable report out; nothing ends a long run."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.core.test_doctor import CALLERS, EXTERNAL_ID

ROOT = Path(__file__).resolve().parents[2]
GOOD = {
    "Effect": "Allow", "Principal": {"AWS": [caller.principal_arn for caller in CALLERS]}, "Action": "sts:AssumeRole",
    "Condition": {"StringEquals": {"sts:ExternalId": EXTERNAL_ID}},
}  # fmt: skip


def question(statement: dict[str, Any] | None = None, **facts: Any) -> dict[str, Any]:
    return {
        "trust_policy": {"Version": "2012-10-17", "Statement": [statement or GOOD]},
        "role_arn": "arn:aws:iam::444455556666:role/R",
        "external_id": EXTERNAL_ID,
        "callers": [
            {"name": caller.name, "principal_arn": caller.principal_arn, "session_name": caller.session_name}
            for caller in CALLERS
        ],
        "context": {},
        **facts,
    }


@pytest.fixture
def diagnosed(monkeypatch: pytest.MonkeyPatch) -> Any:
    def run(asked: str | bytes | dict[str, Any], *options: str) -> str:
        text = json.dumps(asked) if isinstance(asked, dict) else asked
        raw = text.encode() if isinstance(text, str) else text
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw)))
        out = io.StringIO()
        call_command("diagnose_trust", *options, stdout=out)
        return out.getvalue()

    return run


def test_json_says_who_gets_in_and_what_to_do(diagnosed: Any) -> None:
    answer = json.loads(diagnosed(question({**GOOD, "Action": "sts:TagSession"}), "--json"))

    assert answer["callers"] == [
        {"name": "employees", "decision": "implicitly_denied"},
        {"name": "validator", "decision": "implicitly_denied"},
    ]
    assert answer["unsafe"] is False
    first = answer["findings"][0]
    assert (
        first.items()
        >= {
            "code": "action_missing",
            "severity": "blocks",
            "caller": "employees",
            "statement": 0,
            "path": "$.Statement[0].Action",
            "line": 12,
            "expected": "sts:AssumeRole",
            "found": "sts:TagSession",
        }.items()
    )
    assert first["cause"]
    assert first["remedy"]
    assert json.loads(answer["corrected"]["policy"])["Statement"][0]["Action"] == "sts:AssumeRole"


def test_a_text_keeps_its_own_lines(diagnosed: Any) -> None:
    text = '{"Version": "2012-10-17",\n\n\n"Statement": [' + json.dumps({**GOOD, "Effect": "allow"}) + "]}"
    answer = json.loads(diagnosed(question(trust_policy=text), "--json"))

    assert [(finding["code"], finding["line"]) for finding in answer["findings"]][:1] == [("malformed_element", 4)]


def test_equal_keys_in_an_object_are_not_lost(diagnosed: Any) -> None:
    text = json.dumps(question()).replace('"Effect": "Allow"', '"Effect": "Deny", "Effect": "Allow"')

    assert json.loads(diagnosed(text, "--json"))["findings"][0]["reason"] == "duplicate_key"


def test_the_clock_is_known_unless_it_is_given(diagnosed: Any) -> None:
    ended = {**GOOD, "Condition": {**GOOD["Condition"], "DateLessThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}}

    now = json.loads(diagnosed(question(ended), "--json"))
    then = json.loads(diagnosed(question(ended, context={"aws:currenttime": "2019-06-01T00:00:00Z"}), "--json"))
    assert (now["callers"][0]["decision"], now["findings"][0]["code"]) == ("implicitly_denied", "date_condition")
    assert then["callers"][0]["decision"] == "allowed"


def test_the_report_marks_the_line_and_shows_the_corrected_policy(diagnosed: Any) -> None:
    report = diagnosed(question({**GOOD, "Action": "sts:TagSession"}))

    assert "employees: does not get in" in report
    assert '>   12 |       "Action": "sts:TagSession",' in report
    assert '+       "Action": "sts:AssumeRole",' in report


def test_a_healthy_policy_is_reported_as_such(diagnosed: Any) -> None:
    by_account = {
        **GOOD, "Principal": {"AWS": "111122223333"},
        "Condition": {**GOOD["Condition"], "ArnLike": {"aws:PrincipalArn": GOOD["Principal"]["AWS"]}},
    }  # fmt: skip

    assert diagnosed(question(by_account)).splitlines() == [
        "employees: gets in", "validator: gets in", "Nothing is wrong with this policy.",
    ]  # fmt: skip


def test_what_was_pasted_cannot_steer_the_terminal(diagnosed: Any) -> None:
    report = diagnosed(question({**GOOD, "Action": "sts:\x1b[31mred"}))

    assert "\x1b" not in report


@pytest.mark.parametrize(
    "asked",
    ["", "nonsense", "[]", "{}", '{"trust_policy": "x", "callers": [1]}', '{"trust_policy": "x", "callers": {}}',
     '{"trust_policy": "x", "role_arn": 5}', '{"trust_policy": "x", "context": []  , "callers": [{}]}', b"\xff\xfe"],
)  # fmt: skip
def test_an_unreadable_question_is_refused_with_a_reason(diagnosed: Any, asked: str | bytes) -> None:
    with pytest.raises(CommandError, match=r"\w+"):
        diagnosed(asked, "--json")


def test_one_bad_line_never_ends_the_run(diagnosed: Any) -> None:
    good = json.dumps(question())
    deep = '{"trust_policy": ' + "[" * 100_000 + "]" * 100_000 + ', "callers": []}'
    answers = diagnosed(f'{good}\nnonsense\n\n{deep}\n"\\ud800"\n{good}\n', "--lines", "--json")

    parsed = [json.loads(line) for line in answers.splitlines()]
    assert [bool(answer.get("error")) for answer in parsed] == [False, True, False, True, False]
    assert parsed[2]["findings"][0]["code"] == "not_json"
    assert parsed[0] == parsed[4]


def test_it_needs_no_setting_but_the_secret_key() -> None:
    environment = {"PATH": os.environ["PATH"], "SECRET_KEY": "x" * 50, "ENV_FILE": os.devnull}
    done = subprocess.run(
        [sys.executable, "manage.py", "diagnose_trust", "--json"],
        cwd=ROOT,
        env=environment,
        input=json.dumps(question()),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["unsafe"] is False
