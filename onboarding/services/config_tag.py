"""The tag of a person's config: told from what the config is made of, without making it."""

import hashlib
import json

from django.conf import settings

from onboarding.models import ConfigChoices, PermissionSet, Person, ProfileChoice
from onboarding.models.partner import ExternalRoleQuerySet

_ROLE_COLUMNS = ("pk", "profile_name", "state", "role_arn", "external_id", "region", "permission_set")
_BASTION_COLUMNS = ("pk", "uuid", "account_id", "region", "sso_session_name", "sso_start_url", "sso_region")
_CHOICES_COLUMNS = ("output", "name_prefix", "is_short_set")
_PROFILE_COLUMNS = ("external_role", "is_taken", "region")
_WAY_COLUMNS = ("pk", "uuid", "name", *(f"bastion__{name}" for name in _BASTION_COLUMNS))


def config_tag(person: Person, roles: ExternalRoleQuerySet) -> str:
    """Another one whenever the text of these roles would be another; a test changes every column to hold it to that."""
    made_of = [
        settings.PRODUCT_VERSION,
        person.email,
        sorted(roles.values_list(*_ROLE_COLUMNS)),
        list(PermissionSet.objects.order_by("pk").values_list(*_WAY_COLUMNS)),
        list(ConfigChoices.objects.filter(person=person).values_list(*_CHOICES_COLUMNS)),
        sorted(ProfileChoice.objects.filter(person=person).values_list(*_PROFILE_COLUMNS)),
    ]
    return hashlib.sha256(json.dumps(made_of, default=str).encode()).hexdigest()
