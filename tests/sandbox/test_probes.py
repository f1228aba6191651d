"""The product's own probes over real HTTP, and the saved trust policy where the role lets it be read."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from onboarding.aws import clients, sts
from onboarding.aws.clients import Identity
from onboarding.aws.sts import ProbeOrder
from onboarding.core.arns import AccountId, RoleArn
from onboarding.core.doctor import Caller, Code, Question, diagnose
from onboarding.core.probes import VerdictCode, judge
from tests.sandbox.conftest import REGION, WILLOW, Sandbox, policy, trust
from tests.sandbox.test_handoff import EXTERNAL_ID, wanted

pytestmark = pytest.mark.usefixtures("as_worker")


@pytest.fixture
def as_worker(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """In the environment that the worker has in the demo."""
    keys = sandbox.organization["bastion"]["worker"]
    monkeypatch.setenv("AWS_ENDPOINT_URL", sandbox.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", keys["access_key_id"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", keys["secret_access_key"])
    kept = (clients.sts, clients.iam, clients._session)
    for client in kept:
        client.cache_clear()
    yield
    for client in kept:
        client.cache_clear()


def make(sandbox: Sandbox, name: str, document: dict[str, Any], *permissions: dict[str, Any]) -> RoleArn:
    iam = sandbox.iam(WILLOW)
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(document))["Role"]
    if permissions:
        iam.put_role_policy(RoleName=name, PolicyName="may", PolicyDocument=trust(*permissions))
    return RoleArn.parse(made["Arn"])


def order(sandbox: Sandbox, role: RoleArn) -> ProbeOrder:
    return ProbeOrder(
        identity=Identity(REGION, sandbox.organization["bastion"]["validator_role_arn"]),
        role_arn=role,
        external_id=EXTERNAL_ID,
        wrong_external_id="tbi-wrong",
        reads_policy=True,
    )


def verdict(sandbox: Sandbox, tried: sts.Tried) -> VerdictCode:
    validator = RoleArn.parse(sandbox.organization["bastion"]["validator_role_arn"])
    return judge(tried.probes, validator_role=validator, expected_account=AccountId(WILLOW)).code


def test_a_role_that_may_read_itself_gives_its_saved_policy(sandbox: Sandbox, unique: str) -> None:
    asked = wanted(sandbox, f"Readable-{unique}")
    itself = policy("Allow", "iam:GetRole", str(asked.arn))
    tried = sts.probe_role(order(sandbox, make(sandbox, asked.arn.name, asked.trust_policy, itself)))
    assert verdict(sandbox, tried) is VerdictCode.PROVEN
    assert json.loads(tried.trust_policy) == asked.trust_policy


def test_a_role_that_may_not_is_proven_all_the_same(sandbox: Sandbox, unique: str) -> None:
    asked = wanted(sandbox, f"Unreadable-{unique}")
    tried = sts.probe_role(order(sandbox, make(sandbox, asked.arn.name, asked.trust_policy)))
    assert verdict(sandbox, tried) is VerdictCode.PROVEN
    assert tried.trust_policy == ""


def test_the_doctor_finds_on_the_truth_what_no_probe_can(sandbox: Sandbox, unique: str) -> None:
    asked = wanted(sandbox, f"Shared-{unique}")
    document = json.loads(json.dumps(asked.trust_policy))
    document["Statement"].append({"Effect": "Allow", "Principal": {"AWS": WILLOW}, "Action": "sts:AssumeRole"})
    tried = sts.probe_role(order(sandbox, make(sandbox, asked.arn.name, document, policy("Allow", "iam:*"))))
    assert verdict(sandbox, tried) is VerdictCode.PROVEN
    validator = Caller("validator", sandbox.organization["bastion"]["validator_role_arn"], "check")
    told = diagnose(Question(text=tried.trust_policy, callers=(validator,), external_id=EXTERNAL_ID))
    assert [finding.code for finding in told.findings] == [Code.OTHER_PRINCIPALS_TRUSTED]
