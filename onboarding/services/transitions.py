"""Moving external roles from state to state: a conditional UPDATE, so that two at once cannot both win."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from onboarding.core.states import PROBED, Event, State, next_state
from onboarding.models import ExternalRole


def move(role: ExternalRole, event: Event, *, at: datetime, **columns: Any) -> bool:
    """Apply `event` and `columns` to the row, if its state and ARN are still those that the caller decided on.

    False where somebody was faster; the caller's `role` is then stale. Raises `IllegalTransition`.
    """
    columns = _columns(State(role.state), event, at, columns)
    if not columns:
        return True
    unchanged = ExternalRole.objects.filter(pk=role.pk, state=role.state, role_arn=role.role_arn)
    if not unchanged.update(**columns):
        return False
    for name, value in columns.items():
        setattr(role, name, value)
    return True


def move_all(roles: Sequence[ExternalRole], event: Event, *, at: datetime, **columns: Any) -> None:
    """The same for many that are in one state and that the caller has locked; `columns` may be expressions.

    Of the caller's `roles`, only the state is brought up to date. Raises `IllegalTransition`.
    """
    before = State(roles[0].state)
    columns = _columns(before, event, at, columns)
    ExternalRole.objects.filter(pk__in=[role.pk for role in roles], state=before).update(**columns)
    for role in roles:
        role.state = columns.get("state", before)


def _columns(before: State, event: Event, at: datetime, columns: dict[str, Any]) -> dict[str, Any]:
    after = next_state(before, event)
    if after is before:
        return columns
    # What has to be looked at is due at once where the caller plans nothing better.
    planned = (columns.get("next_check_at") or at) if after in PROBED else None
    return {**columns, "state": after, "state_since": at, "next_check_at": planned}
