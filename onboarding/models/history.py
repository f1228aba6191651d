"""How far the history has been thinned, so that no day is gone through twice."""

from django.db import models


class ThinnedHistory(models.Model):
    """One row. Days of validations, in UTC, before which the rule was applied."""

    daily_before = models.DateField(null=True)
    changes_before = models.DateField(null=True)

    def __str__(self) -> str:
        return f"{self.daily_before} {self.changes_before}"
