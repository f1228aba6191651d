import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor


@pytest.mark.django_db
def test_the_models_have_no_change_without_a_migration():
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


@pytest.mark.django_db(transaction=True)
def test_the_newest_migration_can_be_taken_back_and_applied_again():
    executor = MigrationExecutor(connection)
    newest = executor.loader.graph.leaf_nodes("onboarding")[0]
    before = executor.loader.graph.node_map[newest].parents
    call_command("migrate", "onboarding", next(iter(before)).key[1], verbosity=0)
    call_command("migrate", "onboarding", verbosity=0)
