"""What the role is to be given, and the path and tags that it is to have."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("onboarding", "0005_trust_reading_role_arn")]

    operations = [
        migrations.AddField("externalrole", "role_path", models.CharField(default="/", max_length=512)),
        migrations.AddField("externalrole", "managed_policy", models.CharField(blank=True, max_length=700)),
        migrations.AddField("externalrole", "permissions_policy", models.TextField(blank=True)),
        migrations.AddField("externalrole", "permissions_boundary", models.CharField(blank=True, max_length=700)),
        migrations.AddField("externalrole", "tags", models.JSONField(blank=True, default=dict)),
        migrations.AddConstraint(
            "externalrole",
            models.CheckConstraint(
                condition=Q(managed_policy="") | Q(permissions_policy=""), name="one_kind_of_permissions_per_role"
            ),
        ),
    ]
