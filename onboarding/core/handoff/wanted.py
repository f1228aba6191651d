"""What every form makes: one role in one account, each value checked again before it enters somebody's shell."""

import re
from dataclasses import dataclass

from onboarding.core import trust
from onboarding.core.arns import RoleArn

# Said once more here, and not taken from the parser: this is the door to other people's shells and templates. The
# description is narrower than IAM's own rule, which takes most of Latin-1.
_PLAIN = {
    "account": re.compile(r"[0-9]{12}"),
    "path": re.compile(r"/(?:[A-Za-z0-9_+=,.@-]+/)*"),
    "name": re.compile(r"[A-Za-z0-9_+=,.@-]{1,64}"),
    "description": re.compile(r"[A-Za-z0-9 .,:@_-]{1,200}"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedRole:
    """Raises `ValueError` for what a form could not carry safely; the edges let none of it in."""

    arn: RoleArn
    description: str
    trust_policy: trust.Document

    def __post_init__(self) -> None:
        found = {
            "account": self.arn.account_id,
            "path": self.arn.path,
            "name": self.arn.name,
            "description": self.description,
        }
        for what, pattern in _PLAIN.items():
            if not pattern.fullmatch(found[what]):
                raise ValueError(f"not a plain {what}: {found[what]!r}")

    @property
    def policy_text(self) -> str:
        return trust.policy_text(self.trust_policy)

    @property
    def policy_file(self) -> str:
        return f"trust-policy-{self.arn.name}.json"
