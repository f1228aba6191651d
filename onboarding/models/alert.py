"""Alerts: what is told of which roles, to whom, and whether it has arrived."""

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Count, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from onboarding.core.alerts import LASTING, AlertKind
from onboarding.models.base import Addressed
from onboarding.models.outgoing import UNDER_WAY, Outgoing, OutgoingQuerySet
from onboarding.models.partner import ExternalRole, Partner


class AlertRoute(Addressed):
    """One row: where alerts go. The webhook's secret is made of `webhook_salt` and SECRET_KEY, and stored nowhere."""

    mails_admins = models.BooleanField(default=True)
    # What follows the host often is the receiver's secret.
    webhook_url = models.CharField(max_length=500, blank=True)
    webhook_salt = models.CharField(max_length=64, blank=True)
    webhook_salt_made_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return str(_("Alerts"))


class AlertQuerySet(models.QuerySet["Alert"]):
    def open(self) -> Self:
        return self.filter(closed_at=None)

    def counted(self) -> Self:
        """With how many roles each has, how many deliveries, and how many of those have arrived."""
        entries = AlertEntry.objects.filter(alert=OuterRef("pk")).order_by().values("alert")
        sent = Delivery.objects.filter(alert=OuterRef("pk")).order_by().values("alert")
        arrived = sent.filter(acknowledged_at__isnull=False)
        return self.annotate(
            **{
                name: Coalesce(Subquery(rows.annotate(n=Count("pk")).values("n")), 0)
                for name, rows in {"roles": entries, "sent": sent, "arrived": arrived}.items()
            }
        )

    def to_tell(self, now: datetime) -> Self:
        return self.filter(told_at=None, due_at__lte=now)


class Alert(Addressed):
    """Collects from `opened_at` to `due_at`, and is told once, at `told_at`."""

    kind = models.CharField(max_length=20, choices=[(kind, kind) for kind in AlertKind])
    # What is one matter: only one alert of a key is open.
    key = models.CharField(max_length=60)
    facts = models.JSONField(default=dict)
    opened_at = models.DateTimeField()
    due_at = models.DateTimeField()
    last_at = models.DateTimeField()
    told_at = models.DateTimeField(null=True, blank=True)
    # Takes no further entries. One that lasts is closed when it is over, all others when they are told.
    closed_at = models.DateTimeField(null=True, blank=True)

    objects = AlertQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["key"], condition=Q(closed_at=None), name="one_open_alert_per_key"),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(told_at=None), name="alert_to_tell"),
            models.Index(fields=["key", "told_at"], name="alert_told"),
            models.Index(fields=["-opened_at", "-id"], name="alert_newest"),
        ]
        ordering = ["-opened_at", "-id"]

    def __str__(self) -> str:
        return self.kind

    @property
    def is_lasting(self) -> bool:
        """Told, and not over yet."""
        return self.kind in LASTING and self.closed_at is None


class AlertEntryQuerySet(models.QuerySet["AlertEntry"]):
    def with_owner(self) -> Self:
        return self.select_related("external_role__account__partner")


class AlertEntry(models.Model):
    """One role that an alert is about, once."""

    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="entries")
    external_role = models.ForeignKey(ExternalRole, on_delete=models.PROTECT, related_name="alert_entries")
    kind = models.CharField(max_length=20, choices=[(kind, kind) for kind in AlertKind])
    at = models.DateTimeField()
    detail = models.CharField(max_length=200, blank=True)

    objects = AlertEntryQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["alert", "external_role"], name="one_entry_per_role")]
        indexes = [models.Index(fields=["external_role", "kind", "-at"], name="alert_entry_of_role")]
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return f"{self.alert_id} {self.external_role_id}"


class Channel(models.TextChoices):
    MAIL = "mail", _("Mail")
    WEBHOOK = "webhook", _("Webhook")


class Delivery(Outgoing):
    """One alert to one address. Its UUID is the Message-ID or the webhook's ID, the same at each try."""

    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="deliveries")
    channel = models.CharField(max_length=8, choices=Channel.choices)
    # A mail goes to one of these two.
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, null=True, related_name="+")
    # Where it went: an address, or the host of the webhook.
    place = models.CharField(max_length=300)

    objects = OutgoingQuerySet["Delivery"].as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(channel="mail", person__isnull=False, partner=None)
                | Q(channel="mail", person=None, partner__isnull=False)
                | Q(channel="webhook", person=None, partner=None),
                name="delivered_to_one",
            ),
        ]
        indexes = [
            models.Index(fields=["next_try_at"], condition=UNDER_WAY, name="delivery_under_way"),
            models.Index(fields=["-asked_at", "-id"], name="delivery_newest"),
        ]
        ordering = ["-asked_at", "-id"]

    def __str__(self) -> str:
        return f"{self.channel} {self.place}"
