"""`manage.py verify_audit`: whether the audit log holds together, for cron and for auditors."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from onboarding.services import audit


class Command(BaseCommand):
    help = "Checks the audit log's chain of digests. Ends with 1 and names the first event that does not hold."

    def handle(self, *_args: Any, **_options: Any) -> None:
        found = audit.check_chain()
        if event := found.broken:
            raise CommandError(f"Broken at {event.uuid}: {event.at.isoformat()} {event.action} {event.subject}")
        if found.cut:
            raise CommandError(f"The newest events are missing; the {found.events} that are left hold together.")
        self.stdout.write(f"{found.events} events hold together.")
