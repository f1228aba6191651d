"""The trust doctor from the terminal: JSON on standard input, a readable report or JSON out. Stores nothing."""

import json
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from datetime import UTC, datetime

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from onboarding.core.doctor import Caller, Correction, Diagnosis, Finding, Question, diagnose
from onboarding.core.iam import clock
from onboarding.core.policy_text import Reading, Slip, indented, json_path, read_outline
from onboarding.doctor_messages import explain, outcome_words, place_words, severity_words

_CLOCK_KEYS = ("aws:currenttime", "aws:epochtime")
_LINES_AROUND = 2
_WIDEST_LINE = 160


class InvalidQuestion(Exception):
    """The input is not what the command reads; the text says what is wrong where."""


class Command(BaseCommand):
    help = (
        "Say why a trust policy lets our callers in or not. Reads JSON: "
        '{"trust_policy": <object or text>, "role_arn": "…", "external_id": "…", '
        '"callers": [{"name": "employees", "principal_arn": "…", "session_name": "…"}], '
        '"context": {…}, "console_access": false}'
    )
    # It needs neither a database nor a broker.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="Answer in JSON.")
        parser.add_argument("--lines", action="store_true", help="Read one document a line, answer one line each.")

    def handle(self, *_args: object, **options: object) -> None:
        as_json = bool(options["json"])
        if not options["lines"]:
            self._answer(sys.stdin.buffer.read(), as_json=as_json)
            return
        for line in sys.stdin.buffer:
            if line.strip():
                self._answer_line(line, as_json=as_json)

    def _answer(self, raw: bytes, *, as_json: bool) -> None:
        try:
            diagnosis = diagnose(_question(raw))
        except InvalidQuestion as error:
            raise CommandError(str(error)) from None
        self._write(json.dumps(_as_json(diagnosis), indent=2) if as_json else "\n".join(_report(diagnosis)))

    def _answer_line(self, raw: bytes, *, as_json: bool) -> None:
        """A line that cannot be read is answered as such, so that answers and questions stay in step."""
        try:
            diagnosis = diagnose(_question(raw))
        except InvalidQuestion as error:
            nothing = {"callers": [], "unsafe": False, "findings": [], "error": str(error)}
            self._write(json.dumps(nothing) if as_json else str(error))
        else:
            self._write(json.dumps(_as_json(diagnosis)) if as_json else "\n".join([*_report(diagnosis), ""]))

    def _write(self, text: str) -> None:
        # A lone surrogate may have been pasted, and no terminal takes one.
        self.stdout.write(text.encode("utf-8", "replace").decode())


# --- In -------------------------------------------------------------------------------------------------------------


def _question(raw: bytes) -> Question:
    reading = read_outline(raw.decode("utf-8-sig", "replace"))
    asked = reading.value
    if not isinstance(asked, dict):
        if reading.problem and reading.problem.slip is Slip.TOO_LONG:
            # Of whom it was asked stands behind a document without end; that it is too long is an answer, too.
            return Question(text=reading.text, callers=())
        if reading.problem:
            line, column = reading.line_and_column(reading.problem.offset)
            raise InvalidQuestion(_("Line %(line)d, column %(column)d: not JSON.") % {"line": line, "column": column})
        raise InvalidQuestion(_("A JSON object is wanted."))
    callers = asked.get("callers", [])
    context = asked.get("context")
    if not isinstance(callers, list) or not isinstance(context or {}, dict):
        raise InvalidQuestion(_("“callers” must be a list and “context” an object."))
    return Question(
        text=_policy_text(asked, reading),
        callers=tuple(_caller(entry) for entry in callers),
        external_id=_text(asked, "external_id") or None,
        role_arn=_text(asked, "role_arn"),
        context=_with_clock(context or {}),
        console_access=asked.get("console_access") is True,
    )


def _policy_text(asked: dict[str, object], reading: Reading) -> str:
    policy = asked.get("trust_policy")
    if isinstance(policy, str):
        return policy
    if policy is None and ("trust_policy",) not in reading.spans:
        raise InvalidQuestion(_("“trust_policy” is missing."))
    # An object has no lines of its own: they are those of its usual form. Equal keys are kept.
    source = reading.source(("trust_policy",))
    return source if reading.problem else indented(source)


def _caller(entry: object) -> Caller:
    if not isinstance(entry, dict) or not _text(entry, "principal_arn"):
        raise InvalidQuestion(_("Each caller must be an object with a “principal_arn”."))
    arn = _text(entry, "principal_arn")
    return Caller(_text(entry, "name") or arn, arn, _text(entry, "session_name"))


def _text(asked: dict[str, object], key: str) -> str:
    value = asked.get(key)
    if value is not None and not isinstance(value, str):
        raise InvalidQuestion(_("“%(key)s” must be a text.") % {"key": key})
    return value or ""


def _with_clock(context: dict[str, object]) -> dict[str, object]:
    if any(key.lower() in _CLOCK_KEYS for key in context):
        return context
    return {**clock(datetime.now(UTC)), **context}


# --- Out ------------------------------------------------------------------------------------------------------------


def _as_json(diagnosis: Diagnosis) -> dict[str, object]:
    return {
        "callers": [
            {"name": caller.name, "decision": str(outcome)}
            for caller, outcome in zip(diagnosis.question.callers, diagnosis.outcomes, strict=True)
        ],
        "unsafe": diagnosis.is_unsafe,
        "findings": [_finding_as_json(diagnosis, finding) for finding in diagnosis.findings],
        "corrected": _correction_as_json(diagnosis.whole_correction()),
    }


def _finding_as_json(diagnosis: Diagnosis, finding: Finding) -> dict[str, object]:
    words = explain(finding)
    return {
        "code": str(finding.code),
        "severity": str(finding.severity),
        "caller": finding.caller or None,
        "statement": finding.statement,
        "path": json_path(finding.path),
        "line": finding.line,
        "column": finding.column,
        "expected": finding.expected,
        "found": finding.found,
        "reason": str(finding.reason),
        "cause": words.cause,
        "turn": str(finding.turn),
        "remedy": words.remedy,
        "corrected": _correction_as_json(diagnosis.correction(finding)),
    }


def _correction_as_json(correction: Correction | None) -> dict[str, object] | None:
    return {"policy": correction.text, "changed_lines": list(correction.changed_lines)} if correction else None


def _report(diagnosis: Diagnosis) -> Iterator[str]:
    for caller, outcome in zip(diagnosis.question.callers, diagnosis.outcomes, strict=True):
        yield _plain(f"{caller.name}: {outcome_words(outcome)}")
    if not diagnosis.findings:
        yield _("Nothing is wrong with this policy.")
    lines = diagnosis.question.text.split("\n")
    for finding in diagnosis.findings:
        yield from _finding_report(finding, lines)
    correction = diagnosis.whole_correction()
    if correction:
        yield ""
        yield _("Corrected policy; new lines are marked +, lines to take out -:")
        for sign, line in correction.lines:
            yield f"{sign} {_plain(line)}"


def _finding_report(finding: Finding, lines: list[str]) -> Iterator[str]:
    words = explain(finding)
    place = ", ".join(filter(None, [finding.caller, place_words(finding)]))
    yield ""
    yield _plain(f"{severity_words(finding.severity)}: {finding.code}" + (f" ({place})" if place else ""))
    for sentence in (words.cause, words.turn, words.remedy):
        yield _plain(f"  {sentence}")
    if finding.line:
        first = max(finding.line - 1 - _LINES_AROUND, 0)
        for number, line in enumerate(lines[first : finding.line + _LINES_AROUND], first + 1):
            yield _numbered(number, line, is_marked=number == finding.line)


def _numbered(number: int, line: str, *, is_marked: bool) -> str:
    return f"{'>' if is_marked else ' '} {number:4} | {_plain(line)}"


def _plain(text: str) -> str:
    """What was pasted must not steer the terminal, nor fill it."""
    shown = "".join(character if character.isprintable() else " " for character in text[:_WIDEST_LINE])
    return f"{shown}…" if len(text) > _WIDEST_LINE else shown
