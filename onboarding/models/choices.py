"""How each person wants their config; without a row, everything is as the admins set it."""

from django.conf import settings
from django.db import models

from onboarding.core.awsconfig import OutputFormat
from onboarding.models.partner import ExternalRole


class ConfigChoices(models.Model):
    person = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="config_choices")
    output = models.CharField(max_length=16, choices=[(f.value, f.value) for f in OutputFormat], blank=True)
    name_prefix = models.CharField(max_length=16, blank=True)
    # A full set takes in what is granted later by itself; a short one waits until the person has ticked it.
    is_short_set = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"{self.person}"


class ProfileChoice(models.Model):
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="profile_choices")
    external_role = models.ForeignKey(ExternalRole, on_delete=models.CASCADE, related_name="+")
    is_taken = models.BooleanField()
    # Empty: the role's own.
    region = models.CharField(max_length=32, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person", "external_role"], name="one_profile_choice_per_role"),
        ]

    def __str__(self) -> str:
        return f"{self.person}: {self.external_role}"
