"""`portal-config`: the codes by which it signs in, and the tokens that it keeps; only digests of both are stored."""

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models

from onboarding.core import client_access
from onboarding.models.base import Addressed


class ClientCodeQuerySet(models.QuerySet["ClientCode"]):
    def usable(self, at: datetime) -> Self:
        return self.filter(used_at=None, expires_at__gt=at)

    def waiting(self, at: datetime) -> Self:
        """Codes of computers that wait for a person to decide."""
        return self.usable(at).filter(person=None, denied_at=None)


class ClientCode(models.Model):
    """Either handed to a browser once a person has approved, or polled with until a person does."""

    code_digest = models.CharField(max_length=64, unique=True, editable=False)
    # What a person types; only a code that is polled with has one.
    user_code_digest = models.CharField(max_length=64, unique=True, null=True, editable=False)
    # PKCE, and the address that the code went to; only a code that a browser carried has them.
    challenge = models.CharField(max_length=43, blank=True)
    loopback = models.CharField(max_length=60, blank=True)
    computer = models.CharField(max_length=63)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    asked_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)
    denied_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True)
    polled_at = models.DateTimeField(null=True)

    objects = ClientCodeQuerySet.as_manager()

    def __str__(self) -> str:
        return self.computer


class ClientTokenQuerySet(models.QuerySet["ClientToken"]):
    def live(self, at: datetime) -> Self:
        """Of active people alone, so that a token ends with its person whatever else is forgotten."""
        used_since = at - client_access.TOKEN_UNUSED_LIFETIME
        return self.filter(revoked_at=None, expires_at__gt=at, last_used_at__gt=used_since, person__is_active=True)


class ClientToken(Addressed):
    """What one computer may ask in one person's name: their own config, and to send a proof."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="client_tokens")
    token_digest = models.CharField(max_length=64, unique=True, editable=False)
    # A code that comes a second time was stolen, or its answer got lost: either way its token ends.
    code_digest = models.CharField(max_length=64, unique=True, editable=False)
    computer = models.CharField(max_length=63)
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = ClientTokenQuerySet.as_manager()

    class Meta:
        ordering = ["-issued_at", "-id"]

    def __str__(self) -> str:
        return self.computer
