"""A denial is a result; everything here is an outage: we learnt nothing about the partner's role."""

from botocore.exceptions import BotoCoreError, ClientError

DENIALS = frozenset({"AccessDenied", "AccessDeniedException"})
# Answers about the partner's side that are no plain denial, for example a region that the partner switched off.
REFUSALS = frozenset({"RegionDisabledException", "ValidationError", "InvalidParameterValue"})


class AwsUnavailable(Exception):
    """`code` is AWS's error code or botocore's exception name; `where` says which call of ours failed."""

    def __init__(self, code: str, *, where: str) -> None:
        super().__init__(f"{where}: {code}")
        self.code = code
        self.where = where


def error_code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", "Unknown"))


def unavailable(error: ClientError | BotoCoreError, *, where: str) -> AwsUnavailable:
    code = error_code(error) if isinstance(error, ClientError) else type(error).__name__
    return AwsUnavailable(code, where=where)
