"""How IAM decides on `sts:AssumeRole` against a trust policy, with its reasons. Decides; does not advise.

Written from the IAM User Guide: policy elements, condition operators, variables, evaluation logic. Three-valued:
what the portal cannot know (the network, the organization, tags) gives `unknown`, never a guess.
"""

from onboarding.core.iam.evaluation import Check, Decision, Element, Outcome, StatementResult, evaluate
from onboarding.core.iam.grammar import Fault, FaultCode, faults
from onboarding.core.iam.requests import Request, clock

__all__ = [
    "Check",
    "Decision",
    "Element",
    "Fault",
    "FaultCode",
    "Outcome",
    "Request",
    "StatementResult",
    "clock",
    "evaluate",
    "faults",
]
