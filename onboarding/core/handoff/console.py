"""The steps in the IAM console, as codes: the page has the words, and the console's own names for its buttons."""

from collections.abc import Iterator
from enum import StrEnum

from onboarding.core.handoff.wanted import WantedRole, Way


class Step(StrEnum):
    CREATE_WITH_CUSTOM_TRUST = "create_with_custom_trust"
    PASTE_POLICY = "paste_policy"
    ATTACH_PERMISSIONS = "attach_permissions"
    ATTACH_MANAGED_POLICY = "attach_managed_policy"
    SET_BOUNDARY = "set_boundary"
    NAME_AND_CREATE = "name_and_create"
    ADD_INLINE_POLICY = "add_inline_policy"
    OPEN_TRUST = "open_trust"
    KEEP_OLD_POLICY = "keep_old_policy"
    SAVE_POLICY = "save_policy"
    COPY_ARN = "copy_arn"


def makes(wanted: WantedRole) -> bool:
    """Whether the console can make this role: it gives no role a path."""
    return wanted.arn.path == "/"


def steps(wanted: WantedRole, way: Way) -> tuple[Step, ...]:
    # For a role that is there already: its trust policy is put right, all else stays.
    if way is Way.CHANGE:
        return (Step.OPEN_TRUST, Step.KEEP_OLD_POLICY, Step.PASTE_POLICY, Step.SAVE_POLICY, Step.COPY_ARN)
    return tuple(_create(wanted))


def _create(wanted: WantedRole) -> Iterator[Step]:
    permissions = wanted.permissions
    yield Step.CREATE_WITH_CUSTOM_TRUST
    yield Step.PASTE_POLICY
    if permissions.managed_policy:
        yield Step.ATTACH_MANAGED_POLICY
    elif not permissions.document:
        yield Step.ATTACH_PERMISSIONS
    if permissions.boundary:
        yield Step.SET_BOUNDARY
    yield Step.NAME_AND_CREATE
    if permissions.document:
        # Only a role that is there takes a policy of its own in the console.
        yield Step.ADD_INLINE_POLICY
    yield Step.COPY_ARN
