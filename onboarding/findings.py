"""A diagnosis as a page shows it: who gets in, what stands in the way where, and the corrected policy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from onboarding import doctor_messages
from onboarding.core.doctor import Correction, Diagnosis, Excerpt, Finding, Severity, Turn
from onboarding.core.iam import Outcome
from onboarding.services import diagnosis as asking

# A page shows a policy, and of anything longer the part that matters.
_MOST_LINES, _WIDEST_LINE = 200, 2_000
_LOOKS = {Severity.BLOCKS: ("bad", "cross"), Severity.UNSAFE: ("bad", "warn"), Severity.ADVICE: ("wait", "ask")}
_LOOKS_OF_OUTCOMES = {
    Outcome.ALLOWED: ("ok", "check"),
    Outcome.IMPLICITLY_DENIED: ("bad", "cross"),
    Outcome.EXPLICITLY_DENIED: ("bad", "cross"),
    Outcome.UNKNOWN: ("warn", "ask"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Whether one of the two callers is let in."""

    who: str
    answer: str
    tone: str
    icon: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One thing to put right, whichever callers it stops."""

    word: str
    tone: str
    icon: str
    place: str
    cause: str
    remedy: str
    turn: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    tone: str
    headline: str
    # Of the first thing to put right; empty where there is none.
    turn: str
    entries: list[Entry]
    points: list[Point]
    excerpt: Excerpt
    # By line: wrong, or worth a look.
    marks: Mapping[int, str]
    correction: Correction | None

    @property
    def correction_marks(self) -> Mapping[int, str]:
        return dict.fromkeys(self.correction.changed_lines, "add") if self.correction else {}


def show(diagnosis: Diagnosis, *, turns: Mapping[Turn, str]) -> Shown:
    """`turns` says whose turn it is in the words of whoever reads."""
    tone, headline = _headline(diagnosis)
    marks = _marks(diagnosis.findings)
    points = list(dict.fromkeys(_point(finding, turns) for finding in diagnosis.findings))
    return Shown(
        tone=tone,
        headline=headline,
        turn=points[0].turn if points else "",
        entries=_entries(diagnosis),
        points=points,
        excerpt=_window(diagnosis.excerpt, marks),
        marks=marks,
        correction=diagnosis.whole_correction(),
    )


def _headline(diagnosis: Diagnosis) -> tuple[str, str]:
    refused = any(finding.severity is Severity.BLOCKS and not finding.caller for finding in diagnosis.findings)
    outcomes = set(diagnosis.outcomes)
    if refused:
        return "bad", _("IAM would not save this as a trust policy.")
    if outcomes <= {Outcome.IMPLICITLY_DENIED, Outcome.EXPLICITLY_DENIED}:
        return "bad", _("This policy does not let us in.")
    if Outcome.ALLOWED not in outcomes:
        return "warn", _("Whether this policy lets us in cannot be told from the policy alone.")
    if outcomes != {Outcome.ALLOWED}:
        return "bad", _("This policy lets only one of us in.")
    if diagnosis.is_unsafe:
        return "bad", _("This policy lets us in, but not safely.")
    return "ok", _("This policy holds: it lets us in and keeps others out.")


def _entries(diagnosis: Diagnosis) -> list[Entry]:
    names = {asking.EMPLOYEES: _("Our people"), asking.VALIDATOR: _("Our check of the door")}
    answers = {
        Outcome.ALLOWED: _("let in"),
        Outcome.IMPLICITLY_DENIED: _("not let in"),
        Outcome.EXPLICITLY_DENIED: _("shut out by a Deny"),
        Outcome.UNKNOWN: _("not certain"),
    }
    entries = []
    for caller, outcome in zip(diagnosis.question.callers, diagnosis.outcomes, strict=True):
        tone, icon = _LOOKS_OF_OUTCOMES[outcome]
        entries.append(Entry(who=names[caller.name], answer=answers[outcome], tone=tone, icon=icon))
    return entries


def _point(finding: Finding, turns: Mapping[Turn, str]) -> Point:
    tone, icon = _LOOKS[finding.severity]
    words = doctor_messages.explain(finding)
    return Point(
        word=doctor_messages.severity_words(finding.severity),
        tone=tone,
        icon=icon,
        place=doctor_messages.line_words(finding),
        cause=words.cause,
        remedy=words.remedy,
        turn=turns[finding.turn],
    )


def _marks(findings: Sequence[Finding]) -> dict[int, str]:
    lines = {severity: {f.line: "" for f in findings if f.severity is severity and f.line} for severity in Severity}
    wrong = [*lines[Severity.BLOCKS], *lines[Severity.UNSAFE]]
    return {**dict.fromkeys(lines[Severity.ADVICE], "live"), **dict.fromkeys(wrong, "hot")}


def _window(excerpt: Excerpt, marks: Mapping[int, str]) -> Excerpt:
    lines = [line if len(line) <= _WIDEST_LINE else f"{line[:_WIDEST_LINE]}…" for line in excerpt.text.split("\n")]
    start = 0
    if len(lines) > _MOST_LINES:
        wrong = [line for line, mark in marks.items() if mark == "hot"]
        start = max(min(wrong or marks, default=excerpt.first) - excerpt.first - _MOST_LINES // 4, 0)
    return Excerpt(excerpt.first + start, "\n".join(lines[start : start + _MOST_LINES]))
