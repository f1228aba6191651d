"""The only room with boto3. It returns probes and ARNs, never keys."""

from onboarding.aws.errors import AwsUnavailable

__all__ = ["AwsUnavailable"]
