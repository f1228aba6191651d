"""From a trust policy as pasted, and what it was meant to be, to findings: what is wrong, where, whose turn."""

from onboarding.core.doctor.comparison import compare
from onboarding.core.doctor.diagnosis import Correction, Diagnosis, Excerpt, Question, diagnose
from onboarding.core.doctor.edits import Edit, EditKind
from onboarding.core.doctor.findings import Caller, Code, Finding, Severity, Turn

__all__ = [
    "Caller",
    "Code",
    "Correction",
    "Diagnosis",
    "Edit",
    "EditKind",
    "Excerpt",
    "Finding",
    "Question",
    "Severity",
    "Turn",
    "compare",
    "diagnose",
]
