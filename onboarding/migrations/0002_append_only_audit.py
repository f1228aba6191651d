"""The audit log is append-only in the database as well, whoever connects to it."""

from django.db import migrations

TABLE = "onboarding_auditevent"

# Django's test flush empties tables by TRUNCATE on PostgreSQL, which a row trigger does not see.
POSTGRESQL = f"""
CREATE FUNCTION audit_log_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$;
CREATE TRIGGER audit_log_is_append_only BEFORE UPDATE OR DELETE ON {TABLE}
FOR EACH ROW EXECUTE FUNCTION audit_log_is_append_only();
"""
POSTGRESQL_BACK = f"DROP TRIGGER audit_log_is_append_only ON {TABLE}; DROP FUNCTION audit_log_is_append_only();"

SQLITE = f"""
CREATE TRIGGER audit_log_is_append_only BEFORE UPDATE ON {TABLE}
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
"""
SQLITE_BACK = "DROP TRIGGER audit_log_is_append_only"


def guard(_apps, editor):
    editor.execute(POSTGRESQL if editor.connection.vendor == "postgresql" else SQLITE)


def unguard(_apps, editor):
    editor.execute(POSTGRESQL_BACK if editor.connection.vendor == "postgresql" else SQLITE_BACK)


class Migration(migrations.Migration):
    dependencies = [("onboarding", "0001_initial")]

    operations = [migrations.RunPython(guard, unguard)]
