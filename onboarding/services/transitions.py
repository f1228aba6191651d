"""Moving an external role from state to state: a conditional UPDATE, so that two at once cannot both win."""

from datetime import datetime
from typing import Any

from onboarding.core.states import Event, State, next_state
from onboarding.models import ExternalRole


def move(role: ExternalRole, event: Event, *, at: datetime, **columns: Any) -> bool:
    """Apply `event` and `columns` to the row, if its state and ARN are still those that the caller decided on.

    False where somebody was faster; the caller's `role` is then stale. Raises `IllegalTransition`.
    """
    before = State(role.state)
    after = next_state(before, event)
    if after is not before:
        columns = {"state": after, "state_since": at, **columns}
    if not columns:
        return True
    unchanged = ExternalRole.objects.filter(pk=role.pk, state=before, role_arn=role.role_arn)
    if not unchanged.update(**columns):
        return False
    for name, value in columns.items():
        setattr(role, name, value)
    return True
