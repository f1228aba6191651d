"""Mails about links: to the partner, or to the platform admins."""

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from onboarding.models.invitation import Invitation
from onboarding.models.outgoing import UNDER_WAY, Outgoing, OutgoingQuerySet
from onboarding.models.partner import ExternalRole


class MailKind(models.TextChoices):
    # To the partner's registered address; what opens something is made at the moment of sending.
    LINK = "link", _("Hand-off link")
    CODE = "code", _("Code for the recipient")
    # To a platform admin.
    REMINDER = "reminder", _("Link about to end")
    WITHDRAWAL = "withdrawal", _("Role withdrawn")


OPENING = (MailKind.LINK, MailKind.CODE)


class MailQuerySet(OutgoingQuerySet["Mail"]):
    def stuck(self, *, asked_before: datetime) -> Self:
        """Links that the mail server has not taken, still tried or given up, and that the partner still has to use."""
        newer = self.model.objects.filter(
            invitation=OuterRef("invitation"), kind=OuterRef("kind"), pk__gt=OuterRef("pk")
        )
        wanted = Invitation.objects.waiting_for_partner()
        links = self.filter(kind=MailKind.LINK, acknowledged_at=None, asked_at__lt=asked_before, invitation__in=wanted)
        return links.exclude(trouble="").exclude(Exists(newer))


class Mail(Outgoing):
    kind = models.CharField(max_length=12, choices=MailKind.choices)
    invitation = models.ForeignKey(Invitation, on_delete=models.PROTECT, related_name="mails")
    external_role = models.ForeignKey(
        ExternalRole, on_delete=models.PROTECT, null=True, blank=True, related_name="mails"
    )
    # The admin who is told; null where it goes to the partner's registered address.
    to = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    objects = MailQuerySet.as_manager()

    class Meta:
        constraints = [
            # Each of these ends what the one before opened: a second one under way would do so at once.
            models.UniqueConstraint(
                fields=["invitation", "kind"],
                condition=UNDER_WAY & Q(kind__in=OPENING),
                name="one_waiting_mail_per_link_and_kind",
            ),
        ]
        indexes = [
            models.Index(fields=["next_try_at"], condition=UNDER_WAY, name="mail_under_way"),
            models.Index(fields=["invitation", "-asked_at"], name="mail_of_link"),
        ]
        ordering = ["-asked_at", "-id"]

    def __str__(self) -> str:
        return f"{self.kind} {self.asked_at:%Y-%m-%d %H:%M:%S}"
