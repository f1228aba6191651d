"""The product's own probes over real HTTP, and the saved trust policy where the role lets it be read."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from onboarding.aws import clients, sts
from onboarding.aws.clients import Identity
from onboarding.aws.sts import ControlOrder, ProbeOrder
from onboarding.core.arns import AccountId, RoleArn
from onboarding.core.bastion import CONTROL_EXTERNAL_ID
from onboarding.core.doctor import Caller, Code, Question, diagnose
from onboarding.core.probes import Expected, VerdictCode, failing_controls, judge
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
    clients.forget()
    yield
    clients.forget()


def make(sandbox: Sandbox, name: str, document: dict[str, Any], *permissions: dict[str, Any]) -> RoleArn:
    iam = sandbox.iam(WILLOW)
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(document))["Role"]
    if permissions:
        iam.put_role_policy(RoleName=name, PolicyName="may", PolicyDocument=trust(*permissions))
    return RoleArn.parse(made["Arn"])


def order(sandbox: Sandbox, role: RoleArn) -> ProbeOrder:
    return ProbeOrder(
        identity=Identity(REGION, sandbox.organization["bastion"]["validator_role_arn"]),
        stranger=Identity(REGION, sandbox.organization["bastion"]["stranger_role_arn"]),
        role_arn=role,
        external_id=EXTERNAL_ID,
        reads_policy=True,
    )


def verdict(asked: ProbeOrder, tried: sts.Tried) -> VerdictCode:
    expected = Expected(
        validator_role=RoleArn.parse(asked.identity.role_arn),
        role=asked.role_arn,
        account_id=AccountId(WILLOW),
        has_stranger=True,
    )
    return judge([*sts.who_we_are(asked.identity), *tried.probes], expected).code


def test_a_role_that_may_read_itself_gives_its_saved_policy(sandbox: Sandbox, unique: str) -> None:
    asked = wanted(sandbox, f"Readable-{unique}")
    itself = policy("Allow", "iam:GetRole", str(asked.arn))
    probed = order(sandbox, make(sandbox, asked.arn.name, asked.trust_policy, itself))
    tried = sts.probe_role(probed)
    assert verdict(probed, tried) is VerdictCode.PROVEN
    assert json.loads(tried.trust_policy) == asked.trust_policy


def loosened(document: dict[str, Any], condition: dict[str, Any] | None) -> dict[str, Any]:
    """The trust policy that we ask for, with another condition in place of the one on the external ID; or without."""
    loose = json.loads(json.dumps(document))
    for statement in loose["Statement"]:
        del statement["Condition"]["StringEquals"]
        statement["Condition"] |= condition or {}
    return loose


LOOSE = {
    "none": (None, VerdictCode.OPENS_WITHOUT_EXTERNAL_ID),
    "if it is there": ({"StringEqualsIfExists": EXTERNAL_ID}, VerdictCode.OPENS_WITHOUT_EXTERNAL_ID),
    "any": ({"StringLike": "*"}, VerdictCode.OPENS_WITH_WRONG_EXTERNAL_ID),
    "of ours": ({"StringLike": "tbi-*"}, VerdictCode.OPENS_WITH_WRONG_EXTERNAL_ID),
    "whatever its case": ({"StringEqualsIgnoreCase": EXTERNAL_ID}, VerdictCode.OPENS_WITH_SIMILAR_EXTERNAL_ID),
    "with anything before it": ({"StringLike": f"*{EXTERNAL_ID}"}, VerdictCode.OPENS_WITH_SIMILAR_EXTERNAL_ID),
    "with anything behind it": ({"StringLike": f"{EXTERNAL_ID}*"}, VerdictCode.OPENS_WITH_SIMILAR_EXTERNAL_ID),
}


@pytest.mark.parametrize(("condition", "code"), LOOSE.values(), ids=list(LOOSE))
def test_a_condition_that_takes_more_than_our_external_id_is_found(
    sandbox: Sandbox, unique: str, condition: dict[str, str] | None, code: VerdictCode
) -> None:
    asked = wanted(sandbox, f"Loose-{unique}")
    operators = {operator: {"sts:ExternalId": value} for operator, value in (condition or {}).items()}
    probed = order(sandbox, make(sandbox, asked.arn.name, loosened(asked.trust_policy, operators)))
    assert verdict(probed, sts.probe_role(probed)) is code


def test_a_policy_that_lets_the_whole_account_in_opens_to_the_stranger(sandbox: Sandbox, unique: str) -> None:
    asked = wanted(sandbox, f"Wide-{unique}")
    document = json.loads(json.dumps(asked.trust_policy))
    for statement in document["Statement"]:
        del statement["Condition"]["ArnLike"]
    probed = order(sandbox, make(sandbox, asked.arn.name, document))
    assert verdict(probed, sts.probe_role(probed)) is VerdictCode.OPENS_TO_STRANGER


def test_the_sandboxs_own_control_roles_hold(sandbox: Sandbox) -> None:
    told = sandbox.organization["bastion"]
    probes = sts.try_controls(
        ControlOrder(
            identity=Identity(REGION, told["validator_role_arn"]),
            opens=RoleArn.parse(told["open_control_role_arn"]),
            asks=RoleArn.parse(told["asking_control_role_arn"]),
            external_id=CONTROL_EXTERNAL_ID,
            stranger=Identity(REGION, told["stranger_role_arn"]),
        )
    )
    assert len(probes) == 4
    assert failing_controls(probes) == []


def test_a_role_that_may_not_is_proven_all_the_same(sandbox: Sandbox, unique: str) -> None:
    asked = wanted(sandbox, f"Unreadable-{unique}")
    probed = order(sandbox, make(sandbox, asked.arn.name, asked.trust_policy))
    tried = sts.probe_role(probed)
    assert verdict(probed, tried) is VerdictCode.PROVEN
    assert tried.trust_policy == ""


def test_the_doctor_finds_on_the_truth_what_no_probe_can(sandbox: Sandbox, unique: str) -> None:
    asked = wanted(sandbox, f"Shared-{unique}")
    document = json.loads(json.dumps(asked.trust_policy))
    document["Statement"].append({"Effect": "Allow", "Principal": {"AWS": WILLOW}, "Action": "sts:AssumeRole"})
    probed = order(sandbox, make(sandbox, asked.arn.name, document, policy("Allow", "iam:*")))
    tried = sts.probe_role(probed)
    assert verdict(probed, tried) is VerdictCode.PROVEN
    validator = Caller("validator", sandbox.organization["bastion"]["validator_role_arn"], "check")
    told = diagnose(Question(text=tried.trust_policy, callers=(validator,), external_id=EXTERNAL_ID))
    assert [finding.code for finding in told.findings] == [Code.OTHER_PRINCIPALS_TRUSTED]
