"""Mails to be sent: the row is the truth about each, whatever broker and mail server do."""

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from onboarding.models.base import Addressed
from onboarding.models.invitation import Invitation
from onboarding.models.partner import ExternalRole


class MailKind(models.TextChoices):
    # To the partner's registered address; what opens something is made at the moment of sending.
    LINK = "link", _("Hand-off link")
    CODE = "code", _("Code for the recipient")
    # To a platform admin.
    REMINDER = "reminder", _("Link about to end")
    WITHDRAWAL = "withdrawal", _("Role withdrawn")


OPENING = (MailKind.LINK, MailKind.CODE)


class MailQuerySet(models.QuerySet["Mail"]):
    def due(self, now: datetime) -> Self:
        return self.filter(next_try_at__lte=now)

    def waiting(self) -> Self:
        return self.filter(next_try_at__isnull=False)

    def put_off(self) -> Self:
        """Refused by the mail server, and not being tried at this moment."""
        return self.waiting().exclude(trouble="")

    def stuck(self, *, asked_before: datetime) -> Self:
        """Links that the mail server has not taken, still tried or given up, and that the partner still has to use."""
        newer = self.model.objects.filter(
            invitation=OuterRef("invitation"), kind=OuterRef("kind"), pk__gt=OuterRef("pk")
        )
        wanted = Invitation.objects.waiting_for_partner()
        links = self.filter(kind=MailKind.LINK, sent_at=None, asked_at__lt=asked_before, invitation__in=wanted)
        return links.exclude(trouble="").exclude(Exists(newer))


class Mail(Addressed):
    kind = models.CharField(max_length=12, choices=MailKind.choices)
    invitation = models.ForeignKey(Invitation, on_delete=models.PROTECT, related_name="mails")
    external_role = models.ForeignKey(
        ExternalRole, on_delete=models.PROTECT, null=True, blank=True, related_name="mails"
    )
    # The admin who is told; null where it goes to the partner's registered address.
    to = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    asked_at = models.DateTimeField()
    # When to try next, or until when the worker that tries is believed to live; null once sent or given up.
    next_try_at = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveIntegerField(default=0)
    sent_at = models.DateTimeField(null=True, blank=True)
    # What the mail server's last refusal was, by the name of its class; empty while a worker tries.
    trouble = models.CharField(max_length=80, blank=True)

    objects = MailQuerySet.as_manager()

    class Meta:
        constraints = [
            # Each of these ends what the one before opened: a second one under way would do so at once.
            models.UniqueConstraint(
                fields=["invitation", "kind"],
                condition=Q(next_try_at__isnull=False, kind__in=OPENING),
                name="one_waiting_mail_per_link_and_kind",
            ),
        ]
        indexes = [
            models.Index(fields=["next_try_at"], condition=Q(next_try_at__isnull=False), name="mail_due"),
            models.Index(fields=["invitation", "-asked_at"], name="mail_of_link"),
        ]
        ordering = ["-asked_at", "-id"]

    def __str__(self) -> str:
        return f"{self.kind} {self.asked_at:%Y-%m-%d %H:%M:%S}"

    @property
    def is_given_up(self) -> bool:
        return self.sent_at is None and self.next_try_at is None
