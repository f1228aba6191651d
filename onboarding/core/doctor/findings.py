"""The words of a diagnosis: codes, severities, whose turn, and the finding itself. It makes no sentences."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from onboarding.core.doctor.edits import Edit

Path = tuple[str | int, ...]


class Severity(StrEnum):
    BLOCKS = "blocks"
    UNSAFE = "unsafe"
    ADVICE = "advice"


class Turn(StrEnum):
    PARTNER = "partner"
    US = "us"
    BOTH = "both"


class Code(StrEnum):
    """In the order in which findings of one rank are told."""

    NOT_JSON = "not_json"
    PERMISSIONS_POLICY_PASTED = "permissions_policy_pasted"
    MALFORMED_ELEMENT = "malformed_element"
    DOCUMENT_TOO_LONG = "document_too_long"

    EXPLICIT_DENY = "explicit_deny"
    WRONG_PARTITION = "wrong_partition"
    WRONG_BASTION_ACCOUNT = "wrong_bastion_account"
    WRONG_ROLE = "wrong_role"
    SESSION_ARN_AS_PRINCIPAL = "session_arn_as_principal"
    ROLE_PATH_MISSING = "role_path_missing"
    DELETED_PRINCIPAL = "deleted_principal"
    WILDCARD_IN_PRINCIPAL = "wildcard_in_principal"
    PRINCIPAL_WRONG_TYPE = "principal_wrong_type"
    ACTION_MISSING = "action_missing"
    EXTERNAL_ID_DIFFERS = "external_id_differs"
    PRINCIPAL_ARN_CONDITION_DIFFERS = "principal_arn_condition_differs"
    MFA_REQUIRED = "mfa_required"
    SOURCE_IDENTITY_REQUIRED = "source_identity_required"
    SESSION_NAME_CONDITION = "session_name_condition"
    DATE_CONDITION = "date_condition"
    NETWORK_CONDITION = "network_condition"
    ORG_CONDITION = "org_condition"
    TAG_CONDITION = "tag_condition"
    UNKNOWN_CONDITION = "unknown_condition"

    ANYONE = "anyone"
    EXTERNAL_ID_NOT_REQUIRED = "external_id_not_required"
    EXTERNAL_ID_PATTERN = "external_id_pattern"
    OTHER_PRINCIPALS_TRUSTED = "other_principals_trusted"

    EMPLOYEES_ONLY = "employees_only"
    VALIDATOR_ONLY = "validator_only"
    WHOLE_BASTION_ACCOUNT = "whole_bastion_account"
    ROLE_ARN_AS_PRINCIPAL = "role_arn_as_principal"


ORDER = {code: place for place, code in enumerate(Code)}
UNSAFE = frozenset(
    {Code.ANYONE, Code.EXTERNAL_ID_NOT_REQUIRED, Code.EXTERNAL_ID_PATTERN, Code.OTHER_PRINCIPALS_TRUSTED}
)
ADVICE = frozenset({Code.EMPLOYEES_ONLY, Code.VALIDATOR_ONLY, Code.WHOLE_BASTION_ACCOUNT, Code.ROLE_ARN_AS_PRINCIPAL})


def severity_of(code: Code) -> Severity:
    if code in UNSAFE:
        return Severity.UNSAFE
    return Severity.ADVICE if code in ADVICE else Severity.BLOCKS


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    code: Code
    severity: Severity
    turn: Turn = Turn.PARTNER
    # The name of the caller it concerns; empty where it concerns the document.
    caller: str = ""
    statement: int | None = None
    # In the policy; () is the policy itself.
    path: Path = ()
    line: int | None = None
    column: int | None = None
    expected: str = ""
    found: str = ""
    # What kind of difference it is, where the code has several; and the condition's operator and key.
    reason: str = ""
    operator: str = ""
    key: str = ""
    # What would put it right; empty where that is for a person to decide.
    edits: tuple[Edit, ...] = ()


@dataclass(frozen=True, slots=True)
class Caller:
    """Who wants to enter, under a name of the asker's own."""

    name: str
    principal_arn: str
    session_name: str = ""

    @property
    def is_employee(self) -> bool:
        """Identity Center's roles are the employees'; the validator is a role of our own."""
        return "AWSReservedSSO_" in self.principal_arn

    @property
    def role_arn_pattern(self) -> str:
        """As a condition on `aws:PrincipalArn` wants it: an SSO role's suffix changes when it is re-created."""
        stem, _, suffix = self.principal_arn.rpartition("_")
        return f"{stem}_{'?' * len(suffix)}" if self.is_employee and stem else self.principal_arn


def shown(values: Sequence[str] | None) -> str:
    return "" if values is None else ", ".join(values)
