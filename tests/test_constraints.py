"""The invariants that the database holds: all of them are there when the migrations have run, on each database."""

import pytest
from django.apps import apps
from django.db import connection

pytestmark = pytest.mark.django_db
MODELS = list(apps.get_app_config("onboarding").get_models())


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_constraint_and_index_outlived_the_migrations(model):
    """PostgreSQL drops a partial unique index together with the index of its only column, without a word."""
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, model._meta.db_table)
    named = {item.name for item in [*model._meta.constraints, *model._meta.indexes]}
    assert named <= set(found)
