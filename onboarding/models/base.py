"""What every stored thing with an address shares."""

import uuid

from django.db import models


class Addressed(models.Model):
    """Addresses carry a UUID, so that nobody can count or guess; keys inside the database stay small and ordered."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)

    class Meta:
        abstract = True
