"""The steps in the IAM console, as codes: the page has the words, and the console's own names for its buttons."""

from enum import StrEnum


class Step(StrEnum):
    CREATE_WITH_CUSTOM_TRUST = "create_with_custom_trust"
    PASTE_POLICY = "paste_policy"
    ATTACH_PERMISSIONS = "attach_permissions"
    NAME_AND_CREATE = "name_and_create"
    OPEN_TRUST = "open_trust"
    SAVE_POLICY = "save_policy"
    COPY_ARN = "copy_arn"


CREATE = (
    Step.CREATE_WITH_CUSTOM_TRUST,
    Step.PASTE_POLICY,
    Step.ATTACH_PERMISSIONS,
    Step.NAME_AND_CREATE,
    Step.COPY_ARN,
)
# For a role that is there already: its trust policy is put right, all else stays.
CHANGE = (Step.OPEN_TRUST, Step.PASTE_POLICY, Step.SAVE_POLICY, Step.COPY_ARN)


def steps(*, exists: bool) -> tuple[Step, ...]:
    return CHANGE if exists else CREATE
