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


class AlreadyRegistered(OnboardingError):
    """`what` is `partner`, `account`, `profile_name`, `bastion` or `permission_set`; `found` is what is taken."""

    def __init__(self, what: str, found: str) -> None:
        super().__init__(what, found)
        self.what = what
        self.found = found


class UnsafeConfigValue(OnboardingError):
    """A value does not fit its key's grammar, or names a section that is not there: no config is made from it.

    Section and key are empty where the text as a whole did not read back as it was meant.
    """

    def __init__(self, *, section: str, key: str, found: str) -> None:
        super().__init__(section, key, found)
        self.section = section
        self.key = key
        self.found = found


class DuplicateProfile(OnboardingError):
    """Two sections of one name: AWS CLI and boto3 would then refuse the whole file."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class InvalidPolicyArn(OnboardingError):
    """`reason` is `policy` for what names no managed policy, `partition`, or `administrator`."""

    def __init__(self, reason: str, found: str) -> None:
        super().__init__(reason, found)
        self.reason = reason
        self.found = found


class ForeignPolicy(OnboardingError):
    """A managed policy of another account than the one in which the role is wanted."""

    def __init__(self, *, expected: str, found: str) -> None:
        super().__init__(expected, found)
        self.expected = expected
        self.found = found


class InvalidPermissionsPolicy(OnboardingError):
    """`reason` says what keeps the text from being a permissions policy; see `permissions_policy.parse`."""

    def __init__(self, reason: str, *, line: int | None = None, found: str = "") -> None:
        super().__init__(reason, line, found)
        self.reason = reason
        self.line = line
        self.found = found


class InvalidTags(OnboardingError):
    """`reason` is `no_equals_sign`, `key`, `value`, `twice` or `too_many`; `found` is the line."""

    def __init__(self, reason: str, found: str) -> None:
        super().__init__(reason, found)
        self.reason = reason
        self.found = found


class InvalidReply(OnboardingError):
    """`reason` says why what was pasted as the answer to a hand-off names no role; see `handoff.returned`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
