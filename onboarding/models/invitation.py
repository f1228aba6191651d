"""Invitations: the permission, for one external account and until a time, to return its roles."""

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q

from onboarding.core.states import State
from onboarding.models.base import Addressed
from onboarding.models.partner import ExternalAccount, ExternalRole


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def usable(self, at: datetime) -> Self:
        return self.filter(revoked_at=None, expires_at__gt=at)

    def waiting_for_partner(self) -> Self:
        """Unrevoked, of accounts where a role is still to be returned."""
        waiting = ExternalRole.objects.filter(account=OuterRef("account"), state=State.INVITED)
        return self.filter(Exists(waiting), revoked_at=None)

    def to_be_reminded_of(self, *, now: datetime, ending_before: datetime) -> Self:
        """Good still, soon no more, and nobody was told yet."""
        return self.usable(now).waiting_for_partner().filter(expires_at__lt=ending_before, reminded_at=None)


class Invitation(Addressed):
    """`expires_at` is a column; "expired" is a question."""

    account = models.ForeignKey(ExternalAccount, on_delete=models.PROTECT, related_name="invitations")
    # Null until the first mail goes out: its token is made at the moment of sending.
    token_digest = models.CharField(max_length=64, unique=True, null=True, editable=False)
    issued_at = models.DateTimeField()
    issued_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    # An observation, not a right: it may have been a mail scanner.
    opened_at = models.DateTimeField(null=True, blank=True)
    times_opened = models.PositiveIntegerField(default=0)
    copied_at = models.DateTimeField(null=True, blank=True)
    # When a partner asked, from the expired page, for a fresh link.
    new_link_asked_at = models.DateTimeField(null=True, blank=True)
    # When the admins were told that it ends soon and was not used; null again when it is given more time.
    reminded_at = models.DateTimeField(null=True, blank=True)
    # Whoever opens it proves first that mail to the registered address reaches them.
    verify_recipient = models.BooleanField(default=False)
    code_digest = models.CharField(max_length=64, blank=True, editable=False)
    code_expires_at = models.DateTimeField(null=True, blank=True)
    code_tries = models.PositiveIntegerField(default=0)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account"], condition=Q(revoked_at=None), name="one_unrevoked_invitation_per_account"
            ),
        ]
        ordering = ["-issued_at"]

    def __str__(self) -> str:
        return self.reference

    @property
    def reference(self) -> str:
        """What both sides compare over the phone to know that the request is genuine."""
        return f"TB-{self.issued_at.year}-{self.pk:04d}"

    def is_expired(self, *, at: datetime) -> bool:
        return self.expires_at <= at

    def is_usable(self, *, at: datetime) -> bool:
        return self.revoked_at is None and not self.is_expired(at=at)
