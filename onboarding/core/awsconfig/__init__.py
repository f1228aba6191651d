"""`~/.aws/config`: render, parse, merge; whatever could become syntax is refused, never escaped."""

from onboarding.core.awsconfig.files import ConfigFile
from onboarding.core.awsconfig.merging import Answer, Choice, Conflict, Merge, merge
from onboarding.core.awsconfig.naming import (
    DEFAULT_TEMPLATE,
    fill_profile_template,
    free_profile_name,
    parse_profile_template,
    with_prefix,
)
from onboarding.core.awsconfig.rendering import render
from onboarding.core.awsconfig.scanning import Notice, NoticeKind, Problem, ProblemKind
from onboarding.core.awsconfig.sections import AwsConfig, BastionProfile, OutputFormat, PartnerProfile, SsoSession

__all__ = [
    "DEFAULT_TEMPLATE",
    "Answer",
    "AwsConfig",
    "BastionProfile",
    "Choice",
    "ConfigFile",
    "Conflict",
    "Merge",
    "Notice",
    "NoticeKind",
    "OutputFormat",
    "PartnerProfile",
    "Problem",
    "ProblemKind",
    "SsoSession",
    "fill_profile_template",
    "free_profile_name",
    "merge",
    "parse_profile_template",
    "render",
    "with_prefix",
]
