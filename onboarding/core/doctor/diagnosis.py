"""One diagnosis: who gets in, what stands in the way, what is unsafe, in the order in which to tell it."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher

from onboarding.core.doctor.causes import Blocked, causes
from onboarding.core.doctor.documents import document_findings, refuses, unreadable
from onboarding.core.doctor.edits import edited
from onboarding.core.doctor.findings import ORDER, Caller, Code, Finding, Severity, Turn
from onboarding.core.doctor.pasted import Pasted, laid_out, locate, locate_mended
from onboarding.core.doctor.safety import Subject, unsafe_findings
from onboarding.core.iam import Outcome, Request, evaluate, faults

# A long document repeats itself; more findings of one kind help nobody.
_MOST_OF_A_KIND = 10
_LONGEST_CORRECTED = 20_000
_MOST_ROUNDS = 3
_LINES_AROUND = 8
_SEVERITIES = list(Severity)


@dataclass(frozen=True, kw_only=True)
class Question:
    """What was pasted, and what the policy was meant to be. `context` holds keys that the asker knows of the calls."""

    text: str
    callers: tuple[Caller, ...]
    external_id: str | None = None
    role_arn: str = ""
    context: Mapping[str, object] = field(default_factory=dict)
    console_access: bool = False

    @property
    def hints(self) -> tuple[str, ...]:
        """What tells the policy that is meant from others beside it: the external ID, then the callers' accounts."""
        arns = (caller.principal_arn.split(":", 5) for caller in self.callers)
        return (self.external_id or "", *(arn[4] for arn in arns if len(arn) > 4))

    @property
    def laid_out(self) -> "Question":
        """The same, with the policy on lines of its own where it stood in one string or on one line."""
        return replace(self, text=laid_out(self.text, self.hints))


@dataclass(frozen=True, slots=True)
class Correction:
    """The policy as it should be saved, beside what it was."""

    before: str
    text: str

    @property
    def lines(self) -> Iterator[tuple[str, str]]:
        """Each line with its sign: `+` new, `-` gone, a blank for one that stays."""
        before, after = self.before.splitlines(), self.text.splitlines()
        matcher = SequenceMatcher(None, before, after, autojunk=False)
        for tag, start, end, new_start, new_end in matcher.get_opcodes():
            if tag != "equal":
                yield from (("-", line) for line in before[start:end])
            yield from ((" " if tag == "equal" else "+", line) for line in after[new_start:new_end])

    @property
    def changed_lines(self) -> tuple[int, ...]:
        """The numbers (from 1) of the new lines in `text`."""
        signs = [sign for sign, _ in self.lines if sign != "-"]
        return tuple(number for number, sign in enumerate(signs, 1) if sign == "+")


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Some lines of what was pasted; `first` is the number of the first of them."""

    first: int
    text: str


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    question: Question
    # In the order of the question's callers.
    outcomes: tuple[Outcome, ...]
    findings: tuple[Finding, ...]
    document: object = None
    # The policy alone, out of whatever stood around it.
    policy_text: str = ""
    # The first and the last line of the text that hold the policy, or what there is in its place.
    lines: tuple[int, int] = (1, 1)
    # Set where the text became JSON only after slips of writing were put right.
    mended_text: str | None = None

    @property
    def is_unsafe(self) -> bool:
        return any(finding.severity is Severity.UNSAFE for finding in self.findings)

    @property
    def is_healthy(self) -> bool:
        """Everybody who should gets in, and nobody else. Advice may remain."""
        return all(finding.severity is Severity.ADVICE for finding in self.findings)

    def outcome_of(self, name: str) -> Outcome:
        """Of the caller with this name."""
        names = [caller.name for caller in self.question.callers]
        return self.outcomes[names.index(name)]

    @property
    def _is_too_long(self) -> bool:
        """However it is corrected, IAM does not save it."""
        too_long = (finding for finding in self.findings if finding.code is Code.DOCUMENT_TOO_LONG)
        return any(finding.severity is Severity.BLOCKS for finding in too_long)

    @property
    def excerpt(self) -> Excerpt:
        first, last = self.lines
        return Excerpt(first, "\n".join(self.question.text.split("\n")[first - 1 : last]))

    def correction(self, *findings: Finding) -> Correction | None:
        """The policy with these findings put right; None where that is for a person to decide."""
        if self.document is None or len(self.question.text) > _LONGEST_CORRECTED or self._is_too_long:
            return None
        is_mended = self.mended_text is not None and any(finding.code is Code.NOT_JSON for finding in findings)
        edits = [edit for finding in findings for edit in finding.edits]
        if not edits and not is_mended:
            return None
        before = self.question.text if is_mended else json.dumps(self.document, indent=2)
        after = json.dumps(edited(self.document, edits), indent=2)
        return Correction(before, after) if after != before else None

    def whole_correction(self) -> Correction | None:
        """All that blocks or is unsafe put right at once, or else what is advised; offered only where the result was
        tried and is healthy.
        """
        diagnosis, first = self, None
        for _ in range(_MOST_ROUNDS):
            wrong = [finding for finding in diagnosis.findings if finding.severity is not Severity.ADVICE]
            correction = diagnosis.correction(*(wrong or diagnosis.findings))
            if correction is None:
                return None
            first = first or correction
            # What was hidden behind one mistake shows once it is gone.
            diagnosis = diagnose(replace(self.question, text=correction.text))
            if diagnosis.is_healthy:
                return replace(correction, before=first.before)
        return None


def diagnose(question: Question) -> Diagnosis:
    """Total: any text gives a diagnosis."""
    pasted = locate(question.text, question.hints)
    problem = pasted.reading.problem
    if problem is None:
        return _diagnosis(question, pasted, [])
    first = unreadable(pasted, problem)
    pasted_again = locate_mended(question.text, question.hints)
    if pasted_again is None:
        around = _around(first.line or 1, question.text)
        return Diagnosis(question=question, outcomes=_refused(question), findings=(first,), lines=around)
    return _diagnosis(question, pasted_again, [first])


def _diagnosis(question: Question, pasted: Pasted, first: Sequence[Finding]) -> Diagnosis:
    document = pasted.document
    about_document = [*first, *document_findings(pasted)]
    outcomes: list[Outcome] = []
    found: list[Finding] = []
    readable = _readable(document, about_document)
    if readable is not None:
        for caller in question.callers:
            outcome, why = _judge(question, caller, readable)
            outcomes.append(outcome)
            found += why
        # What is told as somebody's mistaken principal is not told again as a harmless one.
        mistaken = {finding.path for finding in found}
        found += [
            finding
            for finding in unsafe_findings(_subject(question, readable))
            if finding.severity is not Severity.ADVICE or finding.path not in mistaken
        ]
        found += _one_caller_only(question, outcomes)
    findings = _ordered([*about_document, *found])
    return Diagnosis(
        question=question,
        outcomes=_refused(question) if any(map(refuses, about_document)) else tuple(outcomes),
        findings=tuple(_placed(pasted, findings)),
        document=document if isinstance(document, dict) else None,
        policy_text=question.text if first else pasted.policy_text,
        lines=(1, question.text.count("\n") + 1) if first else pasted.lines,
        mended_text=pasted.reading.text if first else None,
    )


def _around(line: int, text: str) -> tuple[int, int]:
    return max(line - _LINES_AROUND, 1), min(line + _LINES_AROUND, text.count("\n") + 1)


def _readable(document: object, about_document: Sequence[Finding]) -> dict[str, object] | None:
    """The document as IAM would take it, its slips of spelling put right; None where nothing can be said of it.

    Of two equal keys the reader kept one, and which was meant is not for us to say.
    """
    mended = edited(document, [edit for finding in about_document for edit in finding.edits])
    is_hidden = any(
        finding.code is Code.PERMISSIONS_POLICY_PASTED or finding.reason == "duplicate_key"
        for finding in about_document
    )
    return mended if isinstance(mended, dict) and not is_hidden and not any(faults(mended)) else None


def _refused(question: Question) -> tuple[Outcome, ...]:
    """What IAM does not save lets nobody in."""
    return (Outcome.IMPLICITLY_DENIED,) * len(question.callers)


def _judge(question: Question, caller: Caller, document: dict[str, object]) -> tuple[Outcome, list[Finding]]:
    request = Request.of_caller(
        caller.principal_arn,
        session_name=caller.session_name,
        external_id=question.external_id,
        role_arn=question.role_arn,
        context=question.context,
    )
    decision = evaluate(document, request)
    roles_partition = question.role_arn.split(":", 2)[1] if question.role_arn.startswith("arn:") else ""
    if roles_partition and request.partition and roles_partition != request.partition:
        return Outcome.IMPLICITLY_DENIED, [_other_partition(caller, request.partition, roles_partition)]
    if decision.outcome is Outcome.ALLOWED:
        return decision.outcome, []
    blocked = Blocked(
        caller=caller,
        request=request,
        decision=decision,
        document=document,
        external_id=question.external_id,
        others=frozenset(
            text
            for other in question.callers
            if other.principal_arn != caller.principal_arn
            for text in (other.principal_arn, other.role_arn_pattern)
        ),
    )
    return decision.outcome, list(causes(blocked))


def _other_partition(caller: Caller, ours: str, theirs: str) -> Finding:
    """AWS: "You cannot delegate access between accounts in different partitions"."""
    return Finding(
        code=Code.WRONG_PARTITION,
        severity=Severity.BLOCKS,
        turn=Turn.BOTH,
        caller=caller.name,
        expected=ours,
        found=theirs,
        reason="role",
    )


def _subject(question: Question, document: object) -> Subject:
    parts = question.role_arn.split(":", 5)
    return Subject(
        document=document,
        callers=question.callers,
        external_id=question.external_id,
        console_access=question.console_access,
        partner_account=parts[4] if len(parts) == 6 else "",
    )


def _one_caller_only(question: Question, outcomes: Sequence[Outcome]) -> Iterator[Finding]:
    inside = {
        caller.is_employee
        for caller, outcome in zip(question.callers, outcomes, strict=True)
        if outcome is Outcome.ALLOWED
    }
    everybody = {caller.is_employee for caller in question.callers}
    if len(inside) == 1 and len(everybody) == 2:
        code = Code.EMPLOYEES_ONLY if True in inside else Code.VALIDATOR_ONLY
        yield Finding(code=code, severity=Severity.ADVICE)


def _placed(pasted: Pasted, findings: Iterable[Finding]) -> Iterator[Finding]:
    for finding in findings:
        has_place = bool(finding.path) or finding.code is Code.MALFORMED_ELEMENT
        yield finding if finding.line or not has_place else replace(finding, line=pasted.line(finding.path))


def _ordered(findings: Sequence[Finding]) -> list[Finding]:
    """The document first, then what blocks (caller by caller, the cause first), then what is unsafe, then advice."""
    seen: dict[tuple[Code, str], int] = {}
    kept: list[Finding] = []
    for finding in findings:
        kind = (finding.code, finding.caller)
        seen[kind] = seen.get(kind, 0) + 1
        if seen[kind] <= _MOST_OF_A_KIND:
            kept.append(finding)
    return sorted(kept, key=_rank)


def _rank(finding: Finding) -> tuple[int, int]:
    severity = _SEVERITIES.index(finding.severity)
    if finding.severity is Severity.BLOCKS:
        # Those of the document keep to the front; the causes stay as they were ranked.
        return severity, 0 if not finding.caller else 1
    return severity, ORDER[finding.code] + (len(ORDER) if finding.reason == "kept_out" else 0)
