"""How a person wants their config: which roles, their regions, the output format, a prefix before the names."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from django.db import transaction

from onboarding.core.awsconfig import OutputFormat
from onboarding.models import ConfigChoices, ExternalRole, Person, ProfileChoice


@dataclass(frozen=True, slots=True)
class Wish:
    """For one role; without a region it follows the role's own."""

    is_taken: bool
    region: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """`wishes` go by the role's key; a full set takes in the roles without one, a short set leaves them out."""

    output: OutputFormat | None = None
    name_prefix: str = ""
    is_short_set: bool = False
    wishes: Mapping[int, Wish] = field(default_factory=dict)

    def takes(self, role: ExternalRole) -> bool:
        return self.wish(role).is_taken

    def region(self, role: ExternalRole) -> str:
        return self.wish(role).region or role.region

    def wish(self, role: ExternalRole) -> Wish:
        return self.wishes.get(role.pk) or Wish(is_taken=not self.is_short_set)


def choices_of(person: Person) -> Choices:
    wishes = {
        choice.external_role_id: Wish(choice.is_taken, choice.region)
        for choice in ProfileChoice.objects.filter(person=person)
    }
    row = ConfigChoices.objects.filter(person=person).first() or ConfigChoices()
    return Choices(
        output=OutputFormat(row.output) if row.output else None,
        name_prefix=row.name_prefix,
        is_short_set=row.is_short_set,
        wishes=wishes,
    )


@transaction.atomic
def choose(person: Person, choices: Choices, *, seen: Collection[ExternalRole]) -> None:
    """Keep what the person chose; `seen` are the roles that they could have ticked by now.

    Of these each gets a row, also those that `choices` says nothing about: what stands in a config today does not
    leave it because somebody goes from the full set to the short one. A preference, as language and theme are: the
    audit log tells what was taken, not how it was wished for.
    """
    before = choices_of(person)
    wishes = {role: choices.wishes.get(role.pk) or before.wish(role) for role in seen}
    general = {
        "output": choices.output or "",
        "name_prefix": choices.name_prefix,
        "is_short_set": choices.is_short_set,
    }
    ConfigChoices.objects.update_or_create(person=person, defaults=general)
    ProfileChoice.objects.bulk_create(
        [
            ProfileChoice(
                person=person,
                external_role=role,
                is_taken=wish.is_taken,
                region="" if wish.region == role.region else wish.region,
            )
            for role, wish in wishes.items()
        ],
        update_conflicts=True,
        unique_fields=["person", "external_role"],
        update_fields=["is_taken", "region"],
    )
