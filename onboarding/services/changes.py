"""What a chunk of verdicts has changed is told here, in the transaction that changes it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from onboarding.core.probes import Verdict
from onboarding.core.states import State, Told
from onboarding.models import ExternalRole
from onboarding.services import audit


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    role: ExternalRole
    before: State
    after: State
    told: Told
    verdict: Verdict


def publish(changes: Sequence[Change], *, at: datetime) -> None:
    """The last step of its transaction: the log's head is locked until the commit."""
    audit.append_all((_entry(change) for change in changes), at=at)


def _entry(change: Change) -> audit.Entry:
    verdict = change.verdict
    facts = {"before": change.before, "after": change.after, "verdict": verdict.code, "detail": verdict.detail}
    return audit.Entry(action="role_state_changed", subject=change.role, facts=facts)
