"""What can be refused: one base, and a few leaves that carry facts for `onboarding.messages`."""


class OnboardingError(Exception):
    """Something a person can put right; `onboarding.messages` turns it into a sentence."""


class InvalidAccountId(OnboardingError):
    def __init__(self, found: str) -> None:
        super().__init__(found)
        self.found = found


class InvalidRoleArn(OnboardingError):
    """`reason` says what was pasted instead; see `RoleArn.parse` for the reasons."""

    def __init__(self, reason: str, found: str) -> None:
        super().__init__(reason, found)
        self.reason = reason
        self.found = found


class WrongAccount(OnboardingError):
    def __init__(self, *, expected: str, found: str) -> None:
        super().__init__(expected, found)
        self.expected = expected
        self.found = found


class WrongPartition(OnboardingError):
    """AWS: "You cannot delegate access between accounts in different partitions" (IAM, reference_identifiers)."""

    def __init__(self, *, expected: str, found: str) -> None:
        super().__init__(expected, found)
        self.expected = expected
        self.found = found


class BastionsOwnAccount(OnboardingError):
    """A role of our own bastion account was offered as a partner's role."""


class IllegalName(OnboardingError):
    """A name does not fit the grammar of `kind`, for example `role_name` or `profile_name`."""

    def __init__(self, kind: str, found: str) -> None:
        super().__init__(kind, found)
        self.kind = kind
        self.found = found


class PolicyTooLong(OnboardingError):
    def __init__(self, *, length: int, limit: int) -> None:
        super().__init__(length, limit)
        self.length = length
        self.limit = limit
