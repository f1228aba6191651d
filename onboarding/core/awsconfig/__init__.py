"""`~/.aws/config`: render, parse, merge; whatever could become syntax is refused, never escaped."""

from onboarding.core.awsconfig.files import ConfigFile
from onboarding.core.awsconfig.merging import Answer, Choice, Conflict, Merge, merge
from onboarding.core.awsconfig.naming import parse_profile_template, profile_name_from_template
from onboarding.core.awsconfig.rendering import render
from onboarding.core.awsconfig.scanning import Notice, NoticeKind, Problem, ProblemKind
from onboarding.core.awsconfig.sections import AwsConfig, BastionProfile, OutputFormat, PartnerProfile, SsoSession

__all__ = [
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
    "merge",
    "parse_profile_template",
    "profile_name_from_template",
    "render",
]
