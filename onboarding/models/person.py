"""People of our own organization: platform admins and employees."""

import zoneinfo
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractUser, UserManager
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Count, Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from onboarding.models.base import Addressed


class PortalRole(models.TextChoices):
    EMPLOYEE = "employee", _("Employee")
    PLATFORM_ADMIN = "platform_admin", _("Platform admin")


class Theme(models.TextChoices):
    SYSTEM = "", _("As the system")
    LIGHT = "light", _("Light")
    DARK = "dark", _("Dark")


def time_zone_exists(name: str) -> None:
    if name not in zoneinfo.available_timezones():
        raise ValidationError(_("There is no time zone with this name."))


_KINDS = {
    "admins": Q(is_active=True, portal_role=PortalRole.PLATFORM_ADMIN),
    "employees": Q(is_active=True, portal_role=PortalRole.EMPLOYEE),
    "inactive": Q(is_active=False),
}


class PersonManager(UserManager["Person"]):
    def matching(self, text: str, kind: str = "") -> "models.QuerySet[Person]":
        """By name or address, and by kind where one is named."""
        words = Q(email__icontains=text) | Q(first_name__icontains=text) | Q(last_name__icontains=text)
        return self.filter(words, _KINDS[kind]) if kind else self.filter(words)

    def platform_admins(self) -> "models.QuerySet[Person]":
        return self.filter(_KINDS["admins"])

    def counted_by_kind(self) -> dict[str, int]:
        counts: dict[str, int] = self.aggregate(**{kind: Count("pk", filter=q) for kind, q in _KINDS.items()})
        return counts | {"": sum(counts.values())}

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "Person":  # type: ignore[override]
        person = self.model(email=self.normalize_email(email).lower(), **fields)
        person.set_password(password)
        person.save(using=self._db)
        return person


class Person(Addressed, AbstractUser):
    """Signs in with the e-mail address, which is always stored in lower case."""

    username = None  # type: ignore[assignment]
    email = models.EmailField(_("e-mail address"))
    portal_role = models.CharField(max_length=20, choices=PortalRole.choices, default=PortalRole.EMPLOYEE)
    language = models.CharField(max_length=10, choices=settings.LANGUAGES, blank=True)
    time_zone = models.CharField(max_length=64, blank=True, validators=[time_zone_exists])
    theme = models.CharField(max_length=5, choices=Theme.choices, blank=True)

    objects: ClassVar[PersonManager] = PersonManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="one_person_per_email")]
        ordering = ["email"]

    def __str__(self) -> str:
        return self.email

    @property
    def is_platform_admin(self) -> bool:
        return self.is_active and self.portal_role == PortalRole.PLATFORM_ADMIN

    @property
    def display_name(self) -> str:
        return self.get_full_name() or self.email
