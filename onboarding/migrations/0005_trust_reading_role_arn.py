from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("onboarding", "0004_trust_readings"),
    ]

    operations = [
        migrations.AddField(
            model_name="trustreading",
            name="role_arn",
            field=models.CharField(blank=True, default="", max_length=600),
            preserve_default=False,
        ),
    ]
