"""Trust policies of external roles as they were read: pasted by the partner, or saved in IAM."""

from typing import Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from onboarding.models.base import Addressed
from onboarding.models.partner import ExternalRole


class ReadingSource(models.TextChoices):
    PASTED = "pasted", _("Pasted by the partner")
    SAVED = "saved", _("Read from IAM")


class TrustReadingQuerySet(models.QuerySet["TrustReading"]):
    def newest_first(self) -> Self:
        return self.order_by("-read_at", "-id")


class TrustReading(Addressed):
    """A text that was parsed as JSON before it came here. What is wrong with it is told anew at each look."""

    external_role = models.ForeignKey(ExternalRole, on_delete=models.PROTECT, related_name="trust_readings")
    source = models.CharField(max_length=6, choices=ReadingSource.choices)
    text = models.TextField()
    read_at = models.DateTimeField()

    objects = TrustReadingQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["external_role", "-read_at", "-id"], name="reading_of_role")]

    def __str__(self) -> str:
        return f"{self.external_role_id} {self.source}"
