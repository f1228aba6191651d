"""What is wrong with the document itself: not JSON, not a trust policy, an element that IAM refuses, too long."""

from collections.abc import Iterator
from itertools import islice

from onboarding.core.doctor.edits import Edit, EditKind
from onboarding.core.doctor.findings import Code, Finding, Severity
from onboarding.core.doctor.pasted import Pasted
from onboarding.core.iam import Fault, FaultCode, faults
from onboarding.core.iam.evaluation import statements
from onboarding.core.policy_text import Path, Problem, Slip, minified_length

# Quota "role trust policy length": the default, and the most that AWS raises it to.
DEFAULT_LENGTH = 2048
MOST_LENGTH = 4096
# Where there are more, the document is something else than a policy with slips.
_MOST_FAULTS = 200

_RENAMED = frozenset({FaultCode.UNKNOWN_ELEMENT, FaultCode.UNKNOWN_OPERATOR, FaultCode.UNKNOWN_PRINCIPAL_TYPE,
                      FaultCode.KEY_WITHOUT_PREFIX})  # fmt: skip
_REPLACED = frozenset({FaultCode.UNKNOWN_EFFECT, FaultCode.UNKNOWN_VERSION, FaultCode.SID_CHARACTERS})


def unreadable(pasted: Pasted, problem: Problem) -> Finding:
    if problem.slip is Slip.TOO_LONG:
        return _too_long(len(pasted.reading.text))
    line, column = pasted.reading.line_and_column(problem.offset)
    return Finding(
        code=Code.NOT_JSON,
        severity=Severity.BLOCKS,
        line=pasted.fixed_line or line,
        column=None if pasted.fixed_line else column,
        reason=problem.slip,
        found=problem.found,
    )


def document_findings(pasted: Pasted) -> Iterator[Finding]:
    """Those that make IAM refuse the document come first; `refuses` tells them."""
    if _is_permissions_policy(pasted.document):
        yield _finding(Code.PERMISSIONS_POLICY_PASTED, _permissions_path(pasted.document), expected="Principal")
    else:
        yield from _malformed(pasted)
    length = minified_length(pasted.policy_text)
    if length > DEFAULT_LENGTH:
        yield _too_long(length)


def _too_long(length: int) -> Finding:
    return Finding(
        code=Code.DOCUMENT_TOO_LONG,
        # Between the two a raised quota may let it pass.
        severity=Severity.BLOCKS if length > MOST_LENGTH else Severity.ADVICE,
        reason="" if length > MOST_LENGTH else "default_quota",
        expected=str(MOST_LENGTH if length > MOST_LENGTH else DEFAULT_LENGTH),
        found=str(length),
    )


def refuses(finding: Finding) -> bool:
    return finding.code in (Code.NOT_JSON, Code.PERMISSIONS_POLICY_PASTED, Code.MALFORMED_ELEMENT)


def _malformed(pasted: Pasted) -> Iterator[Finding]:
    if isinstance(pasted.document, dict) and "Statement" not in pasted.document and "Effect" in pasted.document:
        yield _finding(Code.MALFORMED_ELEMENT, (), expected="Statement", reason="bare_statement")
        return
    for reason, places in (
        ("duplicate_key", pasted.reading.duplicates),
        ("illegal_character", pasted.reading.illegal_characters),
    ):
        for place in places:
            path = pasted.own(place)
            if path is not None:
                yield _finding(Code.MALFORMED_ELEMENT, path, found=str(place[-1]) if place else "", reason=reason)
    for fault in islice(faults(pasted.document), _MOST_FAULTS):
        yield _finding(
            Code.MALFORMED_ELEMENT,
            fault.path,
            expected=fault.expected,
            found=fault.found,
            reason=fault.code,
            edits=_cure(fault),
        )


def _cure(fault: Fault) -> tuple[Edit, ...]:
    """The change that surely was meant; none where a person has to say."""
    has_text = not fault.found.startswith("<")
    if fault.code is FaultCode.PROHIBITED_ELEMENT:
        return (Edit(EditKind.DELETE, fault.path),)
    if fault.code in _RENAMED and fault.expected:
        return (Edit(EditKind.RENAME, fault.path, fault.expected),)
    if fault.code in _REPLACED and (fault.expected or (fault.code is FaultCode.SID_CHARACTERS and has_text)):
        return (Edit(EditKind.SET, fault.path, fault.expected),)
    if fault.code is FaultCode.BARE_PRINCIPAL and has_text:
        return (Edit(EditKind.SET, fault.path, {"AWS": fault.found}),)
    if fault.code is FaultCode.MISSING_ELEMENT and fault.expected == "Action":
        return (Edit(EditKind.SET, (*fault.path, "Action"), "sts:AssumeRole"),)
    return ()


def _is_permissions_policy(document: object) -> bool:
    """What a role may do has a Resource and no Principal; who may enter has it the other way round."""
    entries = [statement for _, _, statement in statements(document)]
    about_resources = any("Resource" in entry or "NotResource" in entry for entry in entries)
    return about_resources and not any("Principal" in entry or "NotPrincipal" in entry for entry in entries)


def _permissions_path(document: object) -> Path:
    return next(
        (*path, key) for _, path, statement in statements(document) for key in ("Resource", "NotResource")
        if key in statement
    )  # fmt: skip


def _finding(code: Code, path: Path, **facts: object) -> Finding:
    index = path[1] if len(path) > 1 and isinstance(path[1], int) else 0 if path[:1] == ("Statement",) else None
    return Finding(
        code=code,
        severity=Severity.BLOCKS,
        statement=index,
        path=path,
        **facts,  # type: ignore[arg-type]
    )
