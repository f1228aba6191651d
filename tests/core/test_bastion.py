import json
from dataclasses import replace
from pathlib import Path

from onboarding.core import bastion, trust
from onboarding.core.arns import AccountId, Partition, RoleArn
from onboarding.core.bastion import OwnSide

GOLDEN = Path(__file__).parent.parent / "golden" / "bastion"
OWN = OwnSide(partition=Partition.AWS, bastion_account_id=AccountId("111122223333"))


def arns(count: int) -> list[RoleArn]:
    return [RoleArn.parse(f"arn:aws:iam::{222200000000 + n}:role/HoshinoReader") for n in range(count)]


def test_the_exact_policy_names_each_role_once():
    policy = bastion.exact_permission_set_policy([*arns(2), *arns(2)])
    assert trust.policy_text(policy.document) == (GOLDEN / "exact.json").read_text()


def test_with_no_role_there_is_nothing_to_allow():
    policy = bastion.exact_permission_set_policy([])
    assert policy.document is None
    assert policy.fits


def test_the_exact_policy_tells_when_it_outgrows_its_quota():
    policy = bastion.exact_permission_set_policy(arns(250))
    assert policy.length > policy.limit == 10_240
    assert not policy.fits


def test_the_simple_policy_is_the_golden_one():
    assert trust.policy_text(bastion.simple_permission_set_policy().document) == (GOLDEN / "simple.json").read_text()


def test_the_validator_role_admits_exactly_the_worker():
    document = bastion.validator_trust_policy("arn:aws:iam::111122223333:role/tobiishi-worker")
    assert trust.policy_text(document) == (GOLDEN / "validator-trust.json").read_text()


def test_the_validator_may_enter_anything_but_our_own():
    policy = bastion.validator_policy(replace(OWN, organization_id="o-a1b2c3d4e5"))
    assert trust.policy_text(policy.document) == (GOLDEN / "validator.json").read_text()


def test_the_validators_policy_has_no_word_on_the_external_id():
    """Such a condition would refuse the probe without one on our side, and so fake its result."""
    assert "ExternalId" not in json.dumps(bastion.validator_policy(OWN).document)


def test_the_accounts_of_the_control_roles_are_ours_and_tried_nevertheless():
    own = replace(OWN, organization_id="o-a1b2c3d4e5", control_account_ids=frozenset({AccountId("444455556666")}))
    denied = bastion.validator_policy(own).document["Statement"][2]
    assert denied["Condition"] == {
        "StringEquals": {"aws:ResourceOrgID": "o-a1b2c3d4e5"},
        "StringNotEquals": {"aws:ResourceAccount": ["444455556666"]},
    }


def test_the_stranger_may_try_exactly_what_the_validator_may():
    validator = bastion.validator_policy(OWN).document["Statement"]
    assert bastion.stranger_policy(OWN).document["Statement"] == validator[:-1]


def test_one_control_role_asks_for_an_external_id_and_one_does_not():
    callers = [RoleArn.parse("arn:aws:iam::111122223333:role/tobiishi-validator")]
    opens, asks = (bastion.control_trust_policy(callers, asks=asks)["Statement"][0] for asks in (False, True))
    assert "Condition" not in opens
    assert asks == opens | {"Condition": {"StringEquals": {"sts:ExternalId": bastion.CONTROL_EXTERNAL_ID}}}
