"""Trust policies of external roles as they were read: pasted by the partner, or saved in IAM."""

from collections.abc import Iterable
from typing import Self

from django.db import models
from django.db.models import OuterRef, Subquery
from django.utils.translation import gettext_lazy as _

from onboarding.models.base import Addressed
from onboarding.models.partner import ExternalRole


class ReadingSource(models.TextChoices):
    PASTED = "pasted", _("Pasted by the partner")
    SAVED = "saved", _("Read from IAM")


class TrustReadingQuerySet(models.QuerySet["TrustReading"]):
    def newest_first(self) -> Self:
        return self.order_by("-read_at", "-id")

    def latest_of(self, roles: Iterable[ExternalRole]) -> "dict[int, TrustReading]":
        """By role: the last reading, where it speaks of the role as it stands now."""
        asked = {role.pk: role for role in roles}
        newest = self.filter(external_role=OuterRef("pk")).newest_first().values("pk")[:1]
        keys = ExternalRole.objects.filter(pk__in=asked).values(newest=Subquery(newest))
        found = self.filter(pk__in=[row["newest"] for row in keys if row["newest"]])
        return {row.external_role_id: row for row in found if row.speaks_of(asked[row.external_role_id])}


class TrustReading(Addressed):
    """A policy that was parsed before it came here. What is wrong with it is told anew at each look."""

    external_role = models.ForeignKey(ExternalRole, on_delete=models.PROTECT, related_name="trust_readings")
    # The role's ARN at that time; empty where it was pasted before one was returned.
    role_arn = models.CharField(max_length=600, blank=True)
    source = models.CharField(max_length=6, choices=ReadingSource.choices)
    text = models.TextField()
    read_at = models.DateTimeField()

    objects = TrustReadingQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["external_role", "-read_at", "-id"], name="reading_of_role")]

    def __str__(self) -> str:
        return f"{self.external_role_id} {self.source}"

    def speaks_of(self, role: ExternalRole) -> bool:
        """Not where another role's ARN was returned since."""
        return self.role_arn in ("", role.role_arn)
