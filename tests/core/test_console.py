"""Switch-role links: where there is one, and where not and why."""

import pytest

from onboarding.core.arns import Partition, RoleArn
from onboarding.core.console import NoLink, switch_role


@pytest.mark.parametrize(
    ("partition", "host"),
    [
        ("aws", "signin.aws.amazon.com"),
        ("aws-cn", "signin.amazonaws.cn"),
        ("aws-us-gov", "signin.amazonaws-us-gov.com"),
    ],
)
def test_the_link_leads_to_the_partitions_own_console(partition: str, host: str) -> None:
    role = RoleArn.parse(f"arn:{partition}:iam::303040405050:role/partners/hoshino/Stock+Reader@x")
    assert switch_role(role, display_name="willow-stock").url == (
        f"https://{host}/switchrole?account=303040405050&roleName=partners/hoshino/Stock%2BReader%40x"
        "&displayName=willow-stock"
    )


@pytest.mark.parametrize("partition", sorted(set(Partition) - {"aws", "aws-cn", "aws-us-gov"}))
def test_elsewhere_there_is_none(partition: str) -> None:
    role = RoleArn.parse(f"arn:{partition}:iam::303040405050:role/Reader")
    assert switch_role(role, display_name="a").no_link is NoLink.PARTITION
    assert switch_role(role, display_name="a").url == ""


@pytest.mark.parametrize(("length", "is_link"), [(58, True), (59, False)])
def test_the_console_takes_64_characters_of_path_and_name(length: int, is_link: bool) -> None:
    role = RoleArn.parse(f"arn:aws:iam::303040405050:role/paths/{'x' * length}")
    assert bool(switch_role(role, display_name="a").url) is is_link
