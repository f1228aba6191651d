"""Mails and alerts are one kind of row: what is to leave, and whether it was taken."""

from django.db import migrations, models
from django.db.models import F

UNDER_WAY = models.Q(acknowledged_at=None, given_up_at=None)


def say_what_ended(apps, _editor):
    """A mail without a next try was sent or given up. Each row is written once, or PostgreSQL would refuse the rest."""
    mails, asked = apps.get_model("onboarding", "Mail").objects, F("asked_at")
    ended = mails.filter(next_try_at=None)
    ended.filter(acknowledged_at=None).update(queued_at=asked, next_try_at=asked, given_up_at=asked)
    ended.update(queued_at=asked, next_try_at=asked)
    mails.filter(queued_at=None).update(queued_at=asked)


def plan_no_try_of_what_ended(apps, _editor):
    """Or the release before would send it once more."""
    mails = apps.get_model("onboarding", "Mail").objects
    mails.exclude(UNDER_WAY).update(next_try_at=None)


class Migration(migrations.Migration):

    dependencies = [
        ('onboarding', '0012_validation_that_stays_true'),
    ]

    operations = [
        migrations.RemoveConstraint(model_name='mail', name='one_waiting_mail_per_link_and_kind'),
        migrations.RemoveIndex(model_name='mail', name='mail_due'),
        migrations.RemoveIndex(model_name='delivery', name='delivery_newest'),
        migrations.RenameField(model_name='delivery', old_name='made_at', new_name='asked_at'),
        migrations.RenameField(model_name='mail', old_name='sent_at', new_name='acknowledged_at'),
        migrations.RenameField(model_name='mail', old_name='tries', new_name='attempts'),
        # Before the rows are written: taken back, it makes them anew, and PostgreSQL would refuse what comes after.
        migrations.AlterField(
            model_name='mail', name='trouble', field=models.CharField(blank=True, max_length=100)
        ),
        migrations.AddField(
            model_name='mail', name='claimed_until', field=models.DateTimeField(blank=True, null=True)
        ),
        migrations.AddField(
            model_name='mail', name='given_up_at', field=models.DateTimeField(blank=True, null=True)
        ),
        migrations.AddField(model_name='mail', name='queued_at', field=models.DateTimeField(null=True)),
        migrations.RunPython(say_what_ended, plan_no_try_of_what_ended),
        migrations.AlterField(model_name='mail', name='queued_at', field=models.DateTimeField()),
        migrations.AlterField(model_name='mail', name='next_try_at', field=models.DateTimeField()),
        migrations.AlterModelOptions(name='delivery', options={'ordering': ['-asked_at', '-id']}),
        migrations.AddIndex(
            model_name='delivery', index=models.Index(fields=['-asked_at', '-id'], name='delivery_newest')
        ),
        migrations.AddIndex(
            model_name='mail',
            index=models.Index(condition=UNDER_WAY, fields=['next_try_at'], name='mail_under_way'),
        ),
        migrations.AddConstraint(
            model_name='mail',
            constraint=models.UniqueConstraint(
                condition=UNDER_WAY & models.Q(kind__in=('link', 'code')),
                fields=('invitation', 'kind'),
                name='one_waiting_mail_per_link_and_kind',
            ),
        ),
    ]
