import json
from pathlib import Path

import pytest

from onboarding.core import trust
from onboarding.core.arns import AccountId, Partition, RoleArn, SsoRoleArn
from onboarding.core.errors import PolicyTooLong
from onboarding.core.trust import Callers, SsoRoleUnknown, TrustStyle

GOLDEN = Path(__file__).parent.parent / "golden" / "trust"
SSO_ROLE = SsoRoleArn(Partition.AWS, AccountId("111122223333"), "ap-northeast-1", "PartnerAccess", "0123456789abcdef")


def callers(**override: object) -> Callers:
    facts = {
        "partition": Partition.AWS,
        "bastion_account_id": AccountId("111122223333"),
        "permission_set": "PartnerAccess",
        "identity_center_region": "ap-northeast-1",
        "validator_role": RoleArn.parse("arn:aws:iam::111122223333:role/tobiishi-validator"),
        "sso_role": SSO_ROLE,
    } | override
    return Callers(**facts)  # type: ignore[arg-type]


@pytest.mark.parametrize("style", TrustStyle)
@pytest.mark.parametrize("console_access", [False, True])
def test_the_policy_is_the_golden_one(style, console_access):
    document = trust.trust_policy(
        callers(), external_id="tbi-7q2m-9xkd-41vn-hc8e-2m4p", style=style, console_access=console_access
    )
    name = f"{style}{'-console' if console_access else ''}.json"
    assert trust.policy_text(document) == (GOLDEN / name).read_text()


def test_the_pattern_outlives_a_recreated_sso_role_and_admits_no_other_permission_set():
    pattern = callers().sso_role_pattern
    assert pattern.endswith("/ap-northeast-1/AWSReservedSSO_PartnerAccess_" + "?" * 16)


def test_in_us_east_1_the_path_has_no_region():
    pattern = callers(sso_role=None, identity_center_region="us-east-1").sso_role_pattern
    assert "/sso.amazonaws.com/AWSReservedSSO_PartnerAccess_" in pattern


def test_the_path_of_the_discovered_role_outranks_the_region_rule():
    found = SsoRoleArn(Partition.AWS, AccountId("111122223333"), None, "PartnerAccess", "0" * 16)
    assert "/sso.amazonaws.com/AWSReservedSSO_" in callers(sso_role=found).sso_role_pattern


def test_the_exact_style_needs_the_sso_roles_arn():
    with pytest.raises(SsoRoleUnknown):
        trust.trust_policy(callers(sso_role=None), external_id="tbi-x", style=TrustStyle.EXACT_ROLE)


def test_a_policy_beyond_the_quota_is_refused_with_its_length():
    with pytest.raises(PolicyTooLong) as refused:
        trust.trust_policy(callers(), external_id="x" * 1700)
    assert refused.value.length > refused.value.limit == 2048


@pytest.mark.parametrize("partition", Partition)
def test_every_arn_is_of_the_bastions_partition(partition):
    validator = RoleArn.parse(f"arn:{partition}:iam::111122223333:role/tobiishi-validator")
    sso_role = SsoRoleArn(partition, AccountId("111122223333"), "cn-north-1", "PartnerAccess", "0" * 16)
    document = trust.trust_policy(
        callers(partition=partition, validator_role=validator, sso_role=sso_role),
        external_id="tbi-x",
        console_access=True,
    )
    arns = [word for word in json.dumps(document).split('"') if word.startswith("arn:")]
    assert arns
    assert all(arn.startswith(f"arn:{partition}:iam::111122223333:") for arn in arns)
