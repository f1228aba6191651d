
import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('onboarding', '0006_permissions_path_tags'),
    ]

    operations = [
        migrations.RemoveField(
            model_name='invitation',
            name='answers',
        ),
        migrations.RemoveField(
            model_name='invitation',
            name='new_link_sent_at',
        ),
        migrations.AddField(
            model_name='externalrole',
            name='withdrawn_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='invitation',
            name='code_digest',
            field=models.CharField(blank=True, editable=False, max_length=64),
        ),
        migrations.AddField(
            model_name='invitation',
            name='code_expires_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='invitation',
            name='code_tries',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='invitation',
            name='reminded_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='invitation',
            name='verify_recipient',
            field=models.BooleanField(default=False),
        ),
        migrations.AlterField(
            model_name='invitation',
            name='token_digest',
            field=models.CharField(editable=False, max_length=64, null=True, unique=True),
        ),
        migrations.AlterField(
            model_name='partner',
            name='language',
            field=models.CharField(blank=True, choices=[('en', 'English'), ('ja', 'Japanese')], default='en', max_length=10),
        ),
        migrations.CreateModel(
            name='Mail',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('kind', models.CharField(choices=[('link', 'Hand-off link'), ('code', 'Code for the recipient'), ('reminder', 'Link about to end'), ('withdrawal', 'Role withdrawn')], max_length=12)),
                ('asked_at', models.DateTimeField()),
                ('next_try_at', models.DateTimeField(blank=True, null=True)),
                ('tries', models.PositiveIntegerField(default=0)),
                ('sent_at', models.DateTimeField(blank=True, null=True)),
                ('trouble', models.CharField(blank=True, max_length=80)),
                ('external_role', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='mails', to='onboarding.externalrole')),
                ('invitation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='mails', to='onboarding.invitation')),
                ('to', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-asked_at', '-id'],
                'indexes': [models.Index(condition=models.Q(('next_try_at__isnull', False)), fields=['next_try_at'], name='mail_due'), models.Index(fields=['invitation', '-asked_at'], name='mail_of_link')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('kind__in', ('link', 'code')), ('next_try_at__isnull', False)), fields=('invitation', 'kind'), name='one_waiting_mail_per_link_and_kind')],
            },
        ),
    ]
