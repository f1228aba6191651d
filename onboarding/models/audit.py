"""The audit log: append-only, each event bound to the one before it by a digest."""

import hashlib
import json
import uuid
from typing import Any, NoReturn, Self

from django.conf import settings
from django.db import models

from onboarding.models.base import Addressed


class AuditLogIsAppendOnly(Exception):
    """Somebody tried to change or remove an event; a programming error, never a person's."""


class AuditHead(models.Model):
    """One row: the digest of the newest event. Locking it puts appends in one order."""

    digest = models.CharField(max_length=64)

    def __str__(self) -> str:
        return self.digest


class AuditEventQuerySet(models.QuerySet["AuditEvent"]):
    def told(self, *, action: str = "", actor: str = "", subject: str = "") -> Self:
        """Filtered by what is given; `subject` is a UUID, as links carry it, or a part of a name."""
        found = self.filter(action=action) if action else self
        found = found.filter(actor_label__icontains=actor) if actor else found
        if not subject:
            return found
        try:
            return found.filter(subject_uuid=uuid.UUID(subject))
        except ValueError:
            return found.filter(subject__icontains=subject)


class AuditEvent(Addressed):
    at = models.DateTimeField()
    # Null for the portal itself and for a partner, who has no account; `actor_label` says which.
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="audit_events"
    )
    actor_label = models.CharField(max_length=254)
    action = models.CharField(max_length=40, db_index=True)
    subject = models.CharField(max_length=200)
    subject_uuid = models.UUIDField(null=True, blank=True, db_index=True)
    facts = models.JSONField(default=dict)
    previous_digest = models.CharField(max_length=64)
    digest = models.CharField(max_length=64, unique=True)

    objects = AuditEventQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.action} {self.subject}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.pk:
            raise AuditLogIsAppendOnly
        super().save(*args, **kwargs)

    def delete(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        raise AuditLogIsAppendOnly

    def computed_digest(self) -> str:
        told = {
            "uuid": str(self.uuid),
            "at": self.at.isoformat(),
            "actor": self.actor_label,
            "action": self.action,
            "subject": self.subject,
            "subject_uuid": str(self.subject_uuid or ""),
            "facts": self.facts,
            "previous": self.previous_digest,
        }
        canonical = json.dumps(told, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()
