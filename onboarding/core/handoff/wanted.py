"""What every form makes: one role in one account, each value checked again before it enters somebody's shell."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from onboarding.core import permissions_policy, trust
from onboarding.core.arns import PolicyArn, RoleArn
from onboarding.core.identifiers import check_tag

# Employees come by role chaining, which AWS ends after an hour whatever the role allows.
MAX_SESSION_SECONDS = 3600
# The name of the policy inside the role, where we ask for a document of our own.
INLINE_POLICY = "permissions"

# Said once more here, and not taken from the parser: this is the door to other people's shells and templates. The
# description is narrower than IAM's own rule, which takes most of Latin-1.
_PLAIN = {
    "account": re.compile(r"[0-9]{12}"),
    "path": re.compile(r"/(?:[A-Za-z0-9_+=,.@-]+/)*"),
    "name": re.compile(r"[A-Za-z0-9_+=,.@-]{1,64}"),
    "description": re.compile(r"[A-Za-z0-9 .,:@_-]{1,200}"),
    "managed policy": re.compile(r"arn:[a-z-]+:iam::(?:aws|[0-9]{12}):policy/[A-Za-z0-9_+=,.@/-]+|"),
    "boundary": re.compile(r"arn:[a-z-]+:iam::(?:aws|[0-9]{12}):policy/[A-Za-z0-9_+=,.@/-]+|"),
}


class Way(StrEnum):
    """Whether the form makes the role, or changes the trust policy of one that is there."""

    CREATE = "create"
    CHANGE = "change"


@dataclass(frozen=True, slots=True, kw_only=True)
class Permissions:
    """What the role may do once entered; with neither a managed policy nor a document that is the partner's to say."""

    managed_policy: PolicyArn | None = None
    document: trust.Document | None = None
    boundary: PolicyArn | None = None

    @property
    def document_text(self) -> str:
        return trust.policy_text(self.document) if self.document else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedRole:
    """Raises `ValueError` for what a form could not carry safely; the edges let none of it in."""

    arn: RoleArn
    description: str
    trust_policy: trust.Document
    permissions: Permissions = Permissions()
    tags: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        found = {
            "account": self.arn.account_id,
            "path": self.arn.path,
            "name": self.arn.name,
            "description": self.description,
            "managed policy": str(self.permissions.managed_policy or ""),
            "boundary": str(self.permissions.boundary or ""),
        }
        for what, pattern in _PLAIN.items():
            if not pattern.fullmatch(found[what]):
                raise ValueError(f"not a plain {what}: {found[what]!r}")
        for document in (self.trust_policy, self.permissions.document):
            if not all(permissions_policy.is_plain(text) for _, text in permissions_policy.strings(document)):
                raise ValueError(f"not a plain policy: {document!r}")
        for key, value in self.tags.items():
            check_tag(key, value)

    @property
    def policy_text(self) -> str:
        return trust.policy_text(self.trust_policy)

    @property
    def policy_file(self) -> str:
        return f"trust-policy-{self.arn.name}.json"

    @property
    def permissions_file(self) -> str:
        return f"permissions-{self.arn.name}.json"

    @property
    def own_sids(self) -> str:
        """The names of our statements, for those who keep statements of their own beside them."""
        return " and ".join(statement["Sid"] for statement in self.trust_policy["Statement"])  # type: ignore[attr-defined]

    @property
    def own_principals(self) -> list[object]:
        """What `Principal` holds in a statement that is ours, also as IAM answers a list of one."""
        found: list[object] = []
        for statement in self.trust_policy["Statement"]:  # type: ignore[attr-defined]
            names = statement["Principal"]["AWS"]
            found += [{"AWS": names}, *([{"AWS": names[0]}] if isinstance(names, list) and len(names) == 1 else [])]
        return [principal for index, principal in enumerate(found) if principal not in found[:index]]
