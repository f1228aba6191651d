import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from onboarding.models import Mail, MailKind
from tests.factories import make_invitation


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


@pytest.mark.django_db(transaction=True)
def test_mails_that_ended_stay_so_whichever_release_reads_them(alice):
    """Or an upgrade, or taking it back, would send links once more."""
    invitation, at = make_invitation().invitation, timezone.now()
    asked = {"invitation": invitation, "asked_at": at, "queued_at": at, "next_try_at": at}
    sent = Mail.objects.create(kind=MailKind.LINK, acknowledged_at=at, **asked)
    given_up = Mail.objects.create(kind=MailKind.LINK, given_up_at=at, **asked)
    waiting = Mail.objects.create(kind=MailKind.LINK, **asked)
    before = ("onboarding", "0012_validation_that_stays_true")
    call_command("migrate", *before, verbosity=0)
    older = MigrationExecutor(connection).loader.project_state(before).apps.get_model("onboarding", "Mail")
    assert set(older.objects.filter(next_try_at=None).values_list("pk", flat=True)) == {sent.pk, given_up.pk}
    call_command("migrate", "onboarding", verbosity=0)
    assert [mail.pk for mail in Mail.objects.under_way()] == [waiting.pk]
    assert [mail.pk for mail in Mail.objects.exclude(given_up_at=None)] == [given_up.pk]
