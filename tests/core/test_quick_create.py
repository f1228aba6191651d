"""The link to CloudFormation's page: right console, one encoding, a name that CloudFormation takes."""

from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onboarding.core.arns import Partition
from onboarding.core.handoff import quick_create

PRESIGNED = "https://templates.s3.amazonaws.com/x.yaml?X-Amz-Credential=AKIA%2F20261125%2Fus-east-1&X-Amz-Signature=00"


@pytest.mark.parametrize(
    ("region", "partition", "console"),
    [
        ("ap-northeast-1", Partition.AWS, "https://ap-northeast-1.console.aws.amazon.com"),
        ("us-gov-west-1", Partition.GOVCLOUD, "https://us-gov-west-1.console.amazonaws-us-gov.com"),
        ("cn-north-1", Partition.CHINA, "https://cn-north-1.console.amazonaws.cn"),
        ("eusc-de-east-1", None, ""),
        ("us-iso-east-1", None, ""),
        ("us-isob-east-1", None, ""),
        ("eu-isoe-west-1", None, ""),
    ],
)
def test_each_partition_has_its_console_or_none(region, partition, console):
    assert quick_create.partition_of(region) == partition
    assert quick_create.console_of(region) == console


def test_the_template_is_encoded_once_and_read_back_whole():
    link = quick_create.link(region="ap-northeast-1", template_url=PRESIGNED, stack_name="HoshinoTelemetry")
    assert link.startswith(
        "https://ap-northeast-1.console.aws.amazon.com/cloudformation/home?region=ap-northeast-1#/stacks/create/review?"
    )
    asked = parse_qs(urlsplit(link).fragment.partition("?")[2])
    assert asked == {"templateURL": [PRESIGNED], "stackName": ["HoshinoTelemetry"]}
    assert "%252F20261125" in link


@given(st.text("ABCxyz019_+=,.@-", min_size=1, max_size=64))
def test_a_stack_is_named_for_its_role_as_cloudformation_takes_it(role_name):
    name = quick_create.stack_name(role_name)
    assert 0 < len(name) <= 128
    assert name[0].isascii()
    assert name[0].isalpha()
    assert set(name) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-")
