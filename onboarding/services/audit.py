"""Appending to the audit log."""

from collections.abc import Mapping
from dataclasses import dataclass
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


def append(
    action: str,
    subject: Addressed,
    *,
    at: datetime,
    by: Person | None = None,
    label: str = PORTAL,
    facts: Mapping[str, object] | None = None,
) -> AuditEvent:
    """Append inside the transaction of what is told, as its last step: the head's row is locked until the commit.

    `label` names the actor where it is no person of ours: the portal itself, or a partner by an invitation.
    """
    head, _ = AuditHead.objects.select_for_update().get_or_create(pk=1)
    event = AuditEvent(
        at=at,
        actor=by,
        actor_label=by.email if by else label,
        action=action,
        subject=str(subject),
        subject_uuid=subject.uuid,
        facts=dict(facts or {}),
        previous_digest=head.digest,
    )
    event.digest = event.computed_digest()
    event.save(force_insert=True)
    AuditHead.objects.filter(pk=1).update(digest=event.digest)
    return event
