"""Grants: to which person or group the portal shows a role and hands it out."""

from datetime import datetime
from typing import Self

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models
from django.db.models import Q

from onboarding.models.base import Addressed
from onboarding.models.partner import ExternalRole


class GrantQuerySet(models.QuerySet["Grant"]):
    def live(self, at: datetime) -> Self:
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=at), revoked_at=None)


class Grant(Addressed):
    external_role = models.ForeignKey(ExternalRole, on_delete=models.PROTECT, related_name="grants")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="grants"
    )
    group = models.ForeignKey(Group, on_delete=models.PROTECT, null=True, blank=True, related_name="grants")
    reason = models.CharField(max_length=300, blank=True)
    granted_at = models.DateTimeField()
    granted_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = GrantQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(person__isnull=False, group__isnull=True) | Q(person__isnull=True, group__isnull=False),
                name="granted_to_a_person_or_a_group",
            ),
            models.UniqueConstraint(
                fields=["external_role", "person"],
                condition=Q(revoked_at=None, person__isnull=False),
                name="one_unrevoked_grant_per_person",
            ),
            models.UniqueConstraint(
                fields=["external_role", "group"],
                condition=Q(revoked_at=None, group__isnull=False),
                name="one_unrevoked_grant_per_group",
            ),
        ]
        ordering = ["granted_at"]

    def __str__(self) -> str:
        return f"{self.person or self.group}"
