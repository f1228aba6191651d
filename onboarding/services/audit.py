"""Appending to the audit log."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from onboarding.models import AuditEvent, AuditHead, Person
from onboarding.models.base import Addressed

PORTAL = "Tobiishi"


@dataclass(frozen=True, slots=True)
class ChainCheck:
    """How many events were read, and the first that does not hold; `cut` says that the newest ones are missing."""

    events: int
    broken: AuditEvent | None
    cut: bool = False

    @property
    def holds(self) -> bool:
        return self.broken is None and not self.cut


def check_chain() -> ChainCheck:
    """Compute every digest anew, oldest first and a chunk at a time."""
    head = AuditHead.objects.filter(pk=1).first()
    previous, count = "", 0
    for event in AuditEvent.objects.order_by("pk").iterator(chunk_size=2_000):
        if event.previous_digest != previous or event.computed_digest() != event.digest:
            return ChainCheck(count, event)
        previous, count = event.digest, count + 1
    return ChainCheck(count, None, cut=previous != (head.digest if head else ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What is told. `label` names the actor where it is no person: the portal itself, or a partner by an invitation."""

    action: str
    subject: Addressed
    by: Person | None = None
    label: str = PORTAL
    facts: Mapping[str, object] = field(default_factory=dict)


def append(
    action: str,
    subject: Addressed,
    *,
    at: datetime,
    by: Person | None = None,
    label: str = PORTAL,
    facts: Mapping[str, object] | None = None,
) -> AuditEvent:
    """Append inside the transaction of what is told, as its last step: the head's row is locked until the commit."""
    entry = Entry(action=action, subject=subject, by=by, label=label, facts=facts or {})
    return append_all([entry], at=at)[0]


def append_all(entries: Iterable[Entry], *, at: datetime) -> list[AuditEvent]:
    """The same for many, in their order and in one append."""
    entries = list(entries)
    if not entries:
        return []
    head, _ = AuditHead.objects.select_for_update().get_or_create(pk=1)
    events, digest = [], head.digest
    for entry in entries:
        event = _event(entry, at=at, previous_digest=digest)
        digest = event.digest
        events.append(event)
    AuditEvent.objects.bulk_create(events)
    AuditHead.objects.filter(pk=1).update(digest=digest)
    return events


def _event(entry: Entry, *, at: datetime, previous_digest: str) -> AuditEvent:
    event = AuditEvent(
        at=at,
        actor=entry.by,
        actor_label=entry.by.email if entry.by else entry.label,
        action=entry.action,
        subject=str(entry.subject),
        subject_uuid=entry.subject.uuid,
        facts=dict(entry.facts),
        previous_digest=previous_digest,
    )
    event.digest = event.computed_digest()
    return event
