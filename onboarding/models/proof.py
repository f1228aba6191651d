"""Proofs of the employee path: that a person held a role's credentials, as STS said."""

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Max, Q

from onboarding.models.base import Addressed
from onboarding.models.partner import ExternalRole


class ProofQuerySet(models.QuerySet["Proof"]):
    def open(self, at: datetime) -> Self:
        return self.filter(consumed_at=None, expires_at__gt=at)

    def proven(self) -> Self:
        return self.exclude(proven_at=None)

    def last_of_each_role(self) -> Self:
        return self.filter(pk__in=self.values("external_role").annotate(last=Max("pk")).values("last"))


class Proof(Addressed):
    """Begins as a nonce for one person and one role, which is consumed before STS is asked; the token is never kept."""

    external_role = models.ForeignKey(ExternalRole, on_delete=models.PROTECT, related_name="proofs")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="proofs")
    # No secret: it is worth nothing without the credentials that sign it.
    nonce = models.CharField(max_length=300, unique=True, editable=False)
    asked_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    consumed_at = models.DateTimeField(null=True, blank=True)
    # Why it proved nothing; empty while open, and where it did.
    refusal = models.CharField(max_length=20, blank=True)
    proven_at = models.DateTimeField(null=True, blank=True)
    # As they were then: the partner's CloudTrail names the session by this ARN.
    role_arn = models.CharField(max_length=600, blank=True)
    session_arn = models.CharField(max_length=300, blank=True)

    objects = ProofQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["external_role", "person"], condition=Q(consumed_at=None), name="one_open_proof_per_person"
            ),
            models.CheckConstraint(
                condition=Q(proven_at=None) | (Q(consumed_at__isnull=False) & ~Q(session_arn="")),
                name="proven_by_a_session",
            ),
        ]
        indexes = [models.Index(fields=["external_role", "-proven_at"], name="proof_of_role")]

    def __str__(self) -> str:
        return f"{self.person_id} {self.external_role_id}"
