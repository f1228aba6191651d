"""Validations: one recorded check of one external role. The row is the truth about it, whatever the broker says."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import OuterRef, Q, Subquery
from django.utils.translation import gettext_lazy as _

from onboarding.core.probes import Probe, VerdictCode
from onboarding.core.states import State
from onboarding.models.base import Addressed
from onboarding.models.partner import ExternalRole
from onboarding.models.validation_round import ValidationRound


class Trigger(models.TextChoices):
    RETURN = "return", _("Role returned")
    PARTNER = "partner", _("Asked for by the partner")
    ADMIN = "admin", _("Asked for by an admin")
    SCHEDULE = "schedule", _("Scheduled")
    ROUND = "round", _("With all others")


# Somebody waits for the answer.
URGENT = frozenset({Trigger.RETURN, Trigger.PARTNER, Trigger.ADMIN})
# Longer than a task may last: only a worker that is gone loses its claim.
LEASE = timedelta(seconds=1.25 * settings.CELERY_TASK_TIME_LIMIT)


class ValidationQuerySet(models.QuerySet["Validation"]):
    def open(self) -> Self:
        return self.filter(finished_at=None)

    def claimable(self, now: datetime) -> Self:
        """A lease that ends later than any that is given was given by a clock that was wrong."""
        ended = Q(claimed_until=None) | Q(claimed_until__lt=now) | Q(claimed_until__gt=now + LEASE)
        return self.open().filter(ended)

    def urgent(self) -> Self:
        return self.filter(trigger__in=URGENT)

    def finished(self) -> Self:
        return self.exclude(finished_at=None)

    def answered(self) -> Self:
        """Those that speak of a state that the role was in."""
        return self.finished().exclude(verdict=VerdictCode.SUPERSEDED)

    def latest_of(self, roles: Iterable[ExternalRole]) -> "dict[int, Validation]":
        """By role: the last finished validation, where it speaks of the role as it stands now."""
        asked = {role.pk: role for role in roles}
        newest = self.finished().filter(external_role=OuterRef("pk")).order_by("-requested_at", "-id").values("pk")[:1]
        keys = ExternalRole.objects.filter(pk__in=asked).values(newest=Subquery(newest))
        found = self.model.objects.filter(pk__in=[row["newest"] for row in keys if row["newest"]])
        return {row.external_role_id: row for row in found if row.speaks_of(asked[row.external_role_id])}


class Validation(Addressed):
    # `validation_of_role` begins with it; a second index would cost every sweep as much again.
    external_role = models.ForeignKey(ExternalRole, on_delete=models.PROTECT, related_name="validations")
    trigger = models.CharField(max_length=10, choices=Trigger.choices)
    requested_at = models.DateTimeField()
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    # When it was last handed to the broker; the sweeper hands it over again when nobody claimed it.
    queued_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    # A lease: a worker that died loses it, and another one may claim. Without a claim, the time before which nobody
    # shall take it: after an outage.
    claimed_until = models.DateTimeField(null=True, blank=True)
    # Whose lease it is: what this one writes is taken, and nobody else's.
    claim = models.UUIDField(null=True, blank=True, editable=False)
    # How often we learnt nothing, and how often a worker was lost with it in its hands.
    outages = models.PositiveSmallIntegerField(default=0)
    losses = models.PositiveSmallIntegerField(default=0)
    finished_at = models.DateTimeField(null=True, blank=True)
    # The ARN and external ID that were tried; the role's own may have changed since.
    role_arn = models.CharField(max_length=600)
    verdict = models.CharField(max_length=32, blank=True, choices=[(code, code) for code in VerdictCode])
    detail = models.CharField(max_length=200, blank=True)
    probes = models.JSONField(default=list)
    state_before = models.CharField(max_length=12, blank=True)
    state_after = models.CharField(max_length=12, blank=True)
    # For how many later ones, up to when, it speaks: they said the same and were thinned away.
    same_count = models.PositiveIntegerField(default=0)
    same_until = models.DateTimeField(null=True, blank=True)
    validation_round = models.ForeignKey(
        ValidationRound, on_delete=models.PROTECT, null=True, blank=True, related_name="validations", db_index=False
    )

    objects = ValidationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["external_role"], condition=Q(finished_at=None), name="one_open_validation_per_role"
            ),
        ]
        indexes = [
            models.Index(fields=["external_role", "-requested_at", "-id"], name="validation_of_role"),
            models.Index(fields=["-requested_at", "-id"], name="validation_newest"),
            models.Index(fields=["requested_by"], condition=~Q(requested_by=None), name="validation_asked_for_by"),
            models.Index(fields=["requested_at"], condition=Q(finished_at=None), name="validation_open"),
            models.Index(
                fields=["validation_round"], condition=Q(validation_round__isnull=False), name="validation_of_round"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.external_role_id} {self.requested_at:%Y-%m-%d %H:%M:%S}"

    @property
    def is_current(self) -> bool:
        """Not where another ARN was returned since it was asked for, or the role left the states that are checked."""
        return self.role_arn == self.external_role.role_arn and self.external_role.is_probed

    def speaks_of(self, role: ExternalRole) -> bool:
        """Not where the ARN was replaced since, or where the role begins anew and waits for its first verdict."""
        begins_anew = role.state == State.RETURNED and self.requested_at < role.state_since
        return self.role_arn == role.role_arn and not begins_anew

    @property
    def recorded_probes(self) -> list[Probe]:
        return [Probe.from_json(stored) for stored in self.probes]

    @property
    def duration_ms(self) -> int:
        return sum(probe.duration_ms for probe in self.recorded_probes)
