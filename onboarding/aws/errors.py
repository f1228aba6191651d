"""A denial is a result; everything here is an outage: we learnt nothing about the partner's role."""

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from onboarding.core.probes import OurPolicy

DENIALS = frozenset({"AccessDenied", "AccessDeniedException"})
# Answers about the request that are no plain denial, for example a region that is switched off.
REFUSALS = frozenset({"RegionDisabledException", "ValidationError", "InvalidParameterValue"})
# The worker's own keys are not taken any more, so newer ones have to be read.
STALE_KEYS = frozenset(
    {"ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException"}
    | {"SignatureDoesNotMatch", "NoCredentialsError", "CredentialRetrievalError"}
)
# What may come instead of an answer. The last four are how botocore's parser stumbles over what only looks like one.
_MISREAD = (KeyError, TypeError, ValueError, AttributeError)
Failure = ClientError | BotoCoreError | ResponseParserError | KeyError | TypeError | ValueError | AttributeError
FAILURES = (ClientError, BotoCoreError, ResponseParserError, *_MISREAD)

_MALFORMED = "MalformedAnswer"

# How IAM words the reason, where it tells one (IAM user guide, troubleshoot_access-denied).
_OUR_POLICIES = {
    "service control policy": OurPolicy.SERVICE_CONTROL,
    "permissions boundary": OurPolicy.PERMISSIONS_BOUNDARY,
    "session policy": OurPolicy.SESSION,
    "vpc endpoint policy": OurPolicy.ENDPOINT,
    "no identity-based policy allows": OurPolicy.NO_IDENTITY,
    "identity-based policy": OurPolicy.IDENTITY,
}


class AwsUnavailable(Exception):
    """`code` is AWS's error code or botocore's exception name; `where` says which call of ours failed."""

    def __init__(self, code: str, *, where: str) -> None:
        super().__init__(f"{where}: {code}")
        self.code = code
        self.where = where


def error_code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", "Unknown"))


def our_policy(message: str) -> str:
    """The policy of our own that AWS blames for a denial; empty where it blames none, as across accounts mostly."""
    # Nothing that others have named can pass for a reason: names in ARNs have no blanks.
    said = message.lower()
    return next((policy for words, policy in _OUR_POLICIES.items() if words in said), "")


def unavailable(error: Failure, *, where: str) -> AwsUnavailable:
    if isinstance(error, ClientError):
        return AwsUnavailable(error_code(error), where=where)
    return AwsUnavailable(_MALFORMED if isinstance(error, _MISREAD) else type(error).__name__, where=where)


def part_of(answer: Mapping[str, Any], name: str, *, where: str) -> Any:
    """What an answer must hold. Something between AWS and us may have answered in its place."""
    try:
        return answer[name]
    except KeyError:
        raise AwsUnavailable(_MALFORMED, where=where) from None
