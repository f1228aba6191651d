"""What AWS answers when it refuses."""

from dataclasses import dataclass


@dataclass(frozen=True)
class AwsError(Exception):
    code: str
    message: str
    status: int = 400


def validation_error(value: object, name: str, constraint: str) -> AwsError:
    return AwsError(
        "ValidationError",
        f"1 validation error detected: Value '{value}' at '{name}' failed to satisfy constraint: {constraint}",
    )


def malformed(message: str) -> AwsError:
    return AwsError("MalformedPolicyDocument", message)
