"""The link that opens CloudFormation's console with our template filled in, for the partner to look at and create."""

import re
from urllib.parse import quote, urlencode

from onboarding.core.arns import Partition

# Partitions without a line here have no console address that we know; that of China was found in AWS's pages, untried.
_CONSOLES = {
    Partition.AWS: "https://{region}.console.aws.amazon.com",
    Partition.CHINA: "https://{region}.console.amazonaws.cn",
    Partition.GOVCLOUD: "https://{region}.console.amazonaws-us-gov.com",
}
_REGIONS = {"cn-": Partition.CHINA, "us-gov-": Partition.GOVCLOUD}
_ELSEWHERE = re.compile(r"eusc-|[a-z]+-iso[a-z]?-")
_LONGEST_STACK_NAME = 128


def partition_of(region: str) -> Partition | None:
    """None for the partitions whose console has no known address."""
    if _ELSEWHERE.match(region):
        return None
    return next((partition for prefix, partition in _REGIONS.items() if region.startswith(prefix)), Partition.AWS)


def console_of(region: str) -> str:
    """The origin of the console in this region; empty where it is not known."""
    partition = partition_of(region)
    return _CONSOLES[partition].format(region=region) if partition else ""


def link(*, region: str, template_url: str, stack_name: str) -> str:
    return f"{console_of(region)}/cloudformation/home?region={region}#/{review(template_url, stack_name)}"


def review(template_url: str, stack_name: str) -> str:
    """The address within the console; a presigned URL is encoded once, as a whole."""
    asked = urlencode({"templateURL": template_url, "stackName": stack_name}, quote_via=quote, safe="")
    return f"stacks/create/review?{asked}"


def stack_name(role_name: str) -> str:
    """As CloudFormation takes it: letters, digits and hyphens, beginning with a letter."""
    name = re.sub(r"[^A-Za-z0-9]+", "-", role_name).strip("-")
    return (name if name[:1].isalpha() else f"Role-{name}".strip("-"))[:_LONGEST_STACK_NAME]
