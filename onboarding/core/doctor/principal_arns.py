"""How the ARN patterns of a condition on `aws:PrincipalArn` miss a caller's ARN."""

from collections.abc import Sequence

from onboarding.core.iam.patterns import arn_matches, matches

_SSO_NAME = "AWSReservedSSO_"
# From a slip of one part to something else altogether.
_REASONS = (
    "wildcard_needs_like",
    "case",
    "suffix",
    "region_segment",
    "path",
    "session_arn",
    "partition",
    "account",
    "permission_set",
    "not_an_arn",
    "other_role",
)


def difference(arn: str, patterns: Sequence[str], *, wildcards_are_text: bool) -> tuple[str, str]:
    """The reason (one of `_REASONS`) and the pattern that misses by the least; empty where there is none."""
    if not patterns:
        return "other_role", ""
    ranked = [(_reason(arn, pattern, wildcards_are_text=wildcards_are_text), pattern) for pattern in patterns]
    return min(ranked, key=lambda pair: _REASONS.index(pair[0]))


def _reason(arn: str, pattern: str, *, wildcards_are_text: bool) -> str:
    wanted, found = pattern.split(":", 5), arn.split(":", 5)
    if wildcards_are_text and arn_matches(arn, pattern):
        return "wildcard_needs_like"
    if arn_matches(arn.lower(), pattern.lower()):
        return "case"
    if len(wanted) < 6 or len(found) < 6:
        return "not_an_arn"
    differences = {
        "session_arn": wanted[2] == "sts" or wanted[5].startswith("assumed-role/"),
        "account": not matches(found[4], wanted[4]),
        "partition": not matches(found[1], wanted[1]),
    }
    return next((reason for reason, is_so in differences.items() if is_so), _resource_reason(found[5], wanted[5]))


def _resource_reason(resource: str, pattern: str) -> str:
    path, _, name = resource.rpartition("/")
    wanted_path, _, wanted_name = pattern.rpartition("/")
    if matches(name, wanted_name):
        return "region_segment" if path.startswith("role/aws-reserved/") and "aws-reserved" in wanted_path else "path"
    stem, wanted_stem = name.rpartition("_")[0], wanted_name.rpartition("_")[0]
    if _SSO_NAME in name and _SSO_NAME in wanted_name:
        return "suffix" if matches(stem, wanted_stem) or wanted_name == stem else "permission_set"
    return "other_role"
