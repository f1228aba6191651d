"""Deciding on trust policies: the portal's evaluator beside that of ministack, which decides in the sandbox."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import partial
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.iam_evaluator import EvalContext

from benchmarks.measure import REPETITIONS, Row, cpu_of, medians
from onboarding.core.arns import AccountId, Partition, RoleArn, SsoRoleArn
from onboarding.core.iam import Outcome, Request, evaluate
from onboarding.core.trust import Callers, TrustStyle, trust_policy

_EXTERNAL_ID = "tbi-k4wd-82ru-n6ye-0mtz"
_SESSION_NAME = "ken.ishida@hoshino.example"
_ACCOUNT = AccountId("111122223333")
_CALLERS = Callers(
    partition=Partition.AWS,
    bastion_account_id=_ACCOUNT,
    permission_set="PartnerAccess",
    identity_center_region="ap-northeast-1",
    validator_role=RoleArn(Partition.AWS, _ACCOUNT, "/", "tobiishi-validator"),
    sso_role=SsoRoleArn(Partition.AWS, _ACCOUNT, "ap-northeast-1", "PartnerAccess", "0123456789abcdef"),
)
_TARGET = "arn:aws:iam::222233334444:role/Reader"
Policy = dict[str, Any]


def rows() -> list[Row]:
    return [deciding(), one_decision()]


def deciding(rounds: int = 200, repetitions: int = REPETITIONS) -> Row:
    """Policies as they are asked for, and as they come back."""
    found = list(policies()) * rounds
    figures = medians(cpu_of(partial(ours, found)), cpu_of(partial(ministacks, found)), repetitions=repetitions)
    a_second = {side: len(found) / max(milliseconds, 1e-6) * 1000 for side, milliseconds in figures.items()}
    return Row(
        name=f"decide on {len(found):,} trust policies: {a_second['ours']:,.0f} a second",
        other_is=f"ministack's own evaluator on the same: {a_second['other']:,.0f} a second",
        goal=1,
        **figures,
    )


def one_decision(rounds: int = 200, repetitions: int = REPETITIONS) -> Row:
    found = [trust_policy(_CALLERS, external_id=_EXTERNAL_ID)] * rounds
    figures = medians(cpu_of(partial(ours, found)), lambda: float(rounds), repetitions=repetitions)
    return Row(
        name="decide on one usual policy, with its reasons left for later",
        ours=figures["ours"] / rounds,
        other=1,
        other_is="one millisecond",
        goal=1,
    )


def policies() -> Iterator[Policy]:
    for style in TrustStyle:
        for console_access in (False, True):
            asked = trust_policy(_CALLERS, external_id=_EXTERNAL_ID, style=style, console_access=console_access)
            yield asked
            yield from (_spoilt(asked, spoil) for spoil in _SLIPS)


def _spoilt(asked: Policy, spoil: Callable[[Policy], object]) -> Policy:
    policy = deepcopy(asked)
    spoil(policy["Statement"][-1])
    return policy


_SLIPS: tuple[Callable[[Policy], object], ...] = (
    lambda statement: statement["Condition"]["StringEquals"].update({"sts:ExternalId": "another"}),
    lambda statement: statement["Condition"].pop("StringEquals"),
    lambda statement: statement.update({"Principal": {"AWS": "999988887777"}}),
    lambda statement: statement.update({"Action": ["sts:TagSession", "sts:Assume*"]}),
    lambda statement: statement["Condition"].update({"Bool": {"aws:MultiFactorAuthPresent": "true"}}),
    lambda statement: statement["Condition"].update({"StringLike": {"sts:RoleSessionName": ["*@hoshino.example"]}}),
    lambda statement: statement.update({"Effect": "Deny"}),
)


def ours(found: list[Policy]) -> list[Outcome]:
    role = str(_CALLERS.validator_role)
    return [
        evaluate(
            policy, Request.of_caller(role, session_name=_SESSION_NAME, external_id=_EXTERNAL_ID, role_arn=_TARGET)
        ).outcome
        for policy in found
    ]


def ministacks(found: list[Policy]) -> list[bool]:
    role = _CALLERS.validator_role
    caller = f"arn:aws:sts::{role.account_id}:assumed-role/{role.name}/{_SESSION_NAME}"
    return [iam_evaluator.evaluate_trust_policy(policy, caller, _context(role)) for policy in found]


def _context(role: RoleArn) -> EvalContext:
    return EvalContext(
        # Of itself ministack gives the session's ARN where AWS gives the role's, and refuses sooner than it should.
        principal_arn=str(role),
        principal_type="AssumedRole",
        principal_account=role.account_id,
        action="sts:AssumeRole",
        resource_arn=_TARGET,
        region="ap-northeast-1",
        source_ip="192.0.2.1",
        secure_transport=True,
        principal_keys={"aws:multifactorauthpresent": "false"},
        service_context={"sts:externalid": _EXTERNAL_ID, "sts:rolesessionname": _SESSION_NAME},
    )
