"""The tag by which a laptop asks: another config always has another tag, and to tell it nothing is rendered."""

from typing import Any

import pytest
from django.db import IntegrityError, models, transaction
from django.utils import timezone

from onboarding.core import states
from onboarding.core.errors import OnboardingError
from onboarding.models import (
    Bastion,
    ConfigChoices,
    ExternalRole,
    Grant,
    PermissionSet,
    Person,
    ProfileChoice,
)
from onboarding.services import access
from onboarding.services.config import config_snippet
from onboarding.services.config_tag import config_tag
from tests.factories import make_account, make_bastion, make_checked_role, make_grant, make_permission_set, make_role

pytestmark = pytest.mark.django_db
# In the order of what a column could be changed to, and still be a legal value somewhere.
OTHERS = (
    "us-west-2",
    "other-name",
    "555566667777",
    "arn:aws:iam::222233334444:role/Other",
    "https://d-1111111111.awsapps.com/start",
    "other@hoshino.example",
    "json",
    "my-",
    *states.State,
)


@pytest.fixture
def world(carol: Person) -> dict[type[models.Model], models.Model]:
    """Two of everything, so that the order and the names of each depend on the other."""
    second = make_permission_set("Second", bastion=make_bastion(account_id="999900001111", sso_session_name="hoshino"))
    role = make_checked_role(make_role(profile_name="hoshino-bastion-x"))
    other = make_checked_role(make_role(make_account(bastion=second.bastion), permission_set=second))
    grants = [make_grant(found, carol) for found in (role, other)]
    return {
        Person: carol,
        ExternalRole: role,
        Grant: grants[0],
        PermissionSet: role.permission_set,
        Bastion: role.permission_set.bastion,
        ConfigChoices: ConfigChoices.objects.create(person=carol),
        ProfileChoice: ProfileChoice.objects.create(person=carol, external_role=role, is_taken=True),
    }


def told(person: Person) -> tuple[str, str]:
    """The text and its tag; a text that is withheld has none."""
    person = Person.objects.get(pk=person.pk)
    entitled = access.entitled_roles(person, at=timezone.now())
    tag = config_tag(person, entitled)
    try:
        return config_snippet(person, entitled).text, tag
    except (OnboardingError, ValueError) as error:
        return type(error).__name__, tag


COLUMNS = [
    (model, field.name)
    for model in (Person, ExternalRole, Grant, PermissionSet, Bastion, ConfigChoices, ProfileChoice)
    for field in model._meta.concrete_fields
    if not field.primary_key
]


def test_whatever_changes_the_text_changes_its_tag(
    world: dict[type[models.Model], models.Model], carol: Person
) -> None:
    text, tag = told(carol)
    for model, name in COLUMNS:
        row = model._default_manager.filter(pk=world[model].pk)
        before = row.values_list(name, flat=True).get()
        for value in others(model._meta.get_field(name), before):
            if not changed(row, name, value):
                continue
            changed_text, changed_tag = told(carol)
            assert (changed_text == text) or (changed_tag != tag), f"{model.__name__}.{name} = {value}"
        row.update(**{name: before})
    assert told(carol) == (text, tag)


def changed(row: Any, name: str, value: Any) -> bool:
    """False where the database does not take such a value."""
    try:
        with transaction.atomic():
            row.update(**{name: value})
    except IntegrityError:
        return False
    return True


def others(field: Any, before: Any) -> list[Any]:
    """Values that the column takes besides its own."""
    if isinstance(field, models.ForeignKey):
        return list(field.related_model._default_manager.exclude(pk=before).values_list("pk", flat=True))
    if isinstance(field, models.BooleanField):
        return [not before]
    if isinstance(field, models.DateTimeField):
        return [timezone.now()]
    if isinstance(field, models.UUIDField):
        return ["00000000-0000-4000-8000-000000000000"]
    if isinstance(field, models.IntegerField):
        return [7]
    return [str(value) for value in OTHERS if value != before and len(value) <= (field.max_length or 1000)]


def test_the_tag_does_not_change_with_what_the_text_does_not_hold(
    world: dict[type[models.Model], models.Model], carol: Person
) -> None:
    _, tag = told(carol)
    ExternalRole.objects.update(
        last_proven_at=timezone.now(), first_used_at=timezone.now(), failing_since=timezone.now()
    )
    assert told(carol)[1] == tag


def test_a_new_grant_a_new_permission_set_and_a_revoked_grant_change_it(
    world: dict[type[models.Model], models.Model], carol: Person
) -> None:
    tags = [told(carol)[1]]
    make_grant(make_checked_role(), carol)
    tags.append(told(carol)[1])
    Grant.objects.filter(pk=world[Grant].pk).update(revoked_at=timezone.now())
    tags.append(told(carol)[1])
    assert len(set(tags)) == 3


def test_another_person_has_another_tag_and_many_roles_cost_as_many_queries_as_one(
    world: dict[type[models.Model], models.Model], carol: Person, dave: Person, django_assert_num_queries: Any
) -> None:
    for role in ExternalRole.objects.all():
        make_grant(role, dave)
    assert told(carol)[1] != told(dave)[1]
    with django_assert_num_queries(4):
        config_tag(carol, access.entitled_roles(carol, at=timezone.now()))
