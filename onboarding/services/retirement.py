"""A role that is being retired: what a try at its door does to it, and what is known of both ways in."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import F, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce

from onboarding.core import retirement
from onboarding.core.iam import Outcome
from onboarding.core.probes import Verdict
from onboarding.core.retirement import Sight
from onboarding.core.states import Event, State
from onboarding.models import ExternalRole, ReadingSource
from onboarding.services import diagnosis


def event_of_try(role: ExternalRole, verdict: Verdict, *, controls_hold: bool, at: datetime) -> Event | None:
    """What a try at the door does: two denials, far enough apart and with no opening between them, end it.

    None where nothing was learnt.
    """
    seen = retirement.sight(verdict, controls_hold=controls_hold)
    first = retirement.first_seen_shut(seen, role.seen_shut_at, at=at)
    if retirement.is_shown_shut(seen, first, at=at, apart=settings.SHUT_AGAIN_AFTER):
        return Event.SHOWN_SHUT
    return {Sight.OPEN: Event.OPENED_TOO_WIDE, Sight.SHUT: Event.DENIED, Sight.UNCLEAR: None}[seen]


def columns_of(event: Event, *, at: datetime) -> dict[str, Combinable | None]:
    """What goes with the event into the rows of the roles that it befalls."""
    return {"seen_shut_at": None if event is Event.OPENED_TOO_WIDE else Coalesce(F("seen_shut_at"), Value(at))}


def next_try(event: Event, role: ExternalRole, *, at: datetime) -> datetime | None:
    """After a first denial, the second is tried as soon as it counts; after anything else, as with other roles."""
    return (role.seen_shut_at or at) + settings.SHUT_AGAIN_AFTER if event is Event.DENIED else None


@dataclass(frozen=True, slots=True)
class EmployeePath:
    """What is known of the employees' way in, which our probes cannot go: from one of these, or from nothing."""

    said_deleted_at: datetime | None = None
    pasted_at: datetime | None = None
    is_shut: bool = False


@dataclass(frozen=True, slots=True)
class DoorShown:
    """What is known of the door of a role whose work has ended: the validator's way in, and the employees'."""

    role: ExternalRole
    employees: EmployeePath

    @property
    def is_shut(self) -> bool:
        return self.role.state == State.RETIRED

    @property
    def tried_again_at(self) -> datetime | None:
        """When a second denial may follow the first."""
        first = self.role.seen_shut_at
        return first + settings.SHUT_AGAIN_AFTER if first and not self.is_shut else None

    @property
    def sessions_end_at(self) -> datetime | None:
        """Until when a session may live that was issued before the door was seen shut."""
        return retirement.sessions_end_at(self.role.seen_shut_at) if self.role.seen_shut_at else None


def door_of(role: ExternalRole) -> DoorShown | None:
    """None for a role that is in use, or that was never returned, so that there is no door."""
    if not role.role_arn or role.state not in {State.RETIRING, State.RETIRED}:
        return None
    return DoorShown(role, _employee_path(role))


def _employee_path(role: ExternalRole) -> EmployeePath:
    """By what the partner said or pasted since the work ended."""
    if role.said_deleted_at:
        return EmployeePath(said_deleted_at=role.said_deleted_at, is_shut=True)
    if not role.retirement_begun_at:
        return EmployeePath()
    pasted = role.trust_readings.filter(source=ReadingSource.PASTED, read_at__gte=role.retirement_begun_at)
    reading = pasted.newest_first().first()
    if reading is None:
        return EmployeePath()
    # The first of the doctor's callers are the employees.
    outcome = diagnosis.diagnose_for(role, reading.text).outcomes[0]
    return EmployeePath(pasted_at=reading.read_at, is_shut=outcome in _DENIED)


_DENIED = frozenset({Outcome.IMPLICITLY_DENIED, Outcome.EXPLICITLY_DENIED})
