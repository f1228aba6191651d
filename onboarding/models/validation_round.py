"""Rounds: all roles validated once more because an admin asked for it. The row is how far it has come."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from onboarding.models.base import Addressed


class ValidationRoundQuerySet(models.QuerySet["ValidationRound"]):
    def under_way(self) -> "ValidationRoundQuerySet":
        return self.filter(is_under_way=True)


class ValidationRound(Addressed):
    began_at = models.DateTimeField()
    began_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    # How many roles there were to check when it began.
    total = models.PositiveIntegerField()
    # The key of the last role that was asked for; all roles have one, so that a restart goes on from there.
    asked_up_to = models.PositiveBigIntegerField(default=0)
    # Roles whose check was under way already, and which were therefore not asked for a second time.
    under_way_anyhow = models.PositiveIntegerField(default=0)
    all_asked_at = models.DateTimeField(null=True, blank=True)
    # How many times it was looked after, and when last: one look leads to the next, and a second one at once to none.
    looks = models.PositiveIntegerField(default=0)
    looked_at = models.DateTimeField(null=True, blank=True)
    is_under_way = models.BooleanField(default=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    # None where it came to its end.
    stopped_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    objects = ValidationRoundQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["is_under_way"], condition=Q(is_under_way=True), name="one_validation_round_under_way"
            ),
            models.CheckConstraint(
                condition=Q(is_under_way=True, ended_at=None) | Q(is_under_way=False, ended_at__isnull=False),
                name="ended_rounds_say_when",
            ),
        ]
        ordering = ["-began_at"]

    def __str__(self) -> str:
        return f"{self.began_at:%Y-%m-%d %H:%M:%S}"
