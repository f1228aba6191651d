"""Who may enter which role: the truth table of cross-account access, over real HTTP."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.conftest import KESTREL, WILLOW, Sandbox, allow, policy, refusal, trust

EXTERNAL_ID = "hoshino-7f3a:willow/1"
ROOT = f"arn:aws:iam::{KESTREL}:root"
WITH_EXTERNAL_ID = {"StringEquals": {"sts:ExternalId": EXTERNAL_ID}}


@dataclass
class Stage:
    """A caller role in Kestrel with a path and broad rights, and roles in Willow that trust in different ways."""

    sandbox: Sandbox
    unique: str

    def caller(self, *statements: dict[str, Any], path: str = "/teams/data/") -> "Caller":
        iam, name = self.sandbox.iam(KESTREL), f"caller-{self.unique}"
        arn = iam.create_role(RoleName=name, Path=path, AssumeRolePolicyDocument=trust(allow(ROOT)))["Role"]["Arn"]
        document = trust(*(statements or (policy("Allow", ["sts:*", "iam:*"]),)))
        iam.put_role_policy(RoleName=name, PolicyName="may", PolicyDocument=document)
        return Caller(self.sandbox, arn)

    def target(self, *statements: dict[str, Any], version: str = "2012-10-17", **options: Any) -> str:
        name = f"target-{self.unique}"
        document = trust(*statements, version=version)
        made = self.sandbox.iam(WILLOW).create_role(RoleName=name, AssumeRolePolicyDocument=document, **options)
        return str(made["Role"]["Arn"])


@dataclass
class Caller:
    sandbox: Sandbox
    arn: str

    @property
    def sts(self) -> Any:
        administrator = self.sandbox.client("sts", self.sandbox.partner(KESTREL))
        opened = administrator.assume_role(RoleArn=self.arn, RoleSessionName="mio.tanabe@hoshino.example")
        return self.sandbox.client("sts", opened["Credentials"])

    def enters(self, role_arn: str, **options: Any) -> dict[str, Any]:
        opened = self.sts.assume_role(RoleArn=role_arn, RoleSessionName="mio.tanabe@hoshino.example", **options)
        return dict(opened["Credentials"])

    def is_denied(self, role_arn: str, **options: Any) -> bool:
        try:
            self.sts.assume_role(RoleArn=role_arn, RoleSessionName="mio", **options)
        except ClientError as refused:
            return refused.response["Error"]["Code"] == "AccessDenied"
        return False


@pytest.fixture
def stage(sandbox: Sandbox, unique: str) -> Iterator[Stage]:
    yield Stage(sandbox, unique)
    for account_id in (KESTREL, WILLOW):
        iam = sandbox.iam(account_id)
        for role in iam.list_roles()["Roles"]:
            if role["RoleName"].endswith(unique):
                for name in iam.list_role_policies(RoleName=role["RoleName"])["PolicyNames"]:
                    iam.delete_role_policy(RoleName=role["RoleName"], PolicyName=name)
                iam.delete_role(RoleName=role["RoleName"])


def test_the_right_external_id_opens(stage: Stage) -> None:
    role = stage.target(allow(ROOT, Condition=WITH_EXTERNAL_ID))
    keys = stage.caller().enters(role, ExternalId=EXTERNAL_ID)
    identity = stage.sandbox.client("sts", keys).get_caller_identity()
    assert identity["Account"] == WILLOW
    assert identity["Arn"] == f"arn:aws:sts::{WILLOW}:assumed-role/target-{stage.unique}/mio.tanabe@hoshino.example"


@pytest.mark.parametrize("sent", [{}, {"ExternalId": "hoshino-7f3a:willow/2"}, {"ExternalId": EXTERNAL_ID.upper()}])
def test_no_external_id_or_a_wrong_one_does_not_open(stage: Stage, sent: dict[str, str]) -> None:
    role = stage.target(allow(ROOT, Condition=WITH_EXTERNAL_ID))
    assert stage.caller().is_denied(role, **sent)


@pytest.mark.parametrize(
    "condition",
    [
        {"StringEqualsIfExists": {"sts:ExternalId": EXTERNAL_ID}},
        {"StringLike": {"aws:PrincipalArn": "*"}},
        {"Null": {"sts:ExternalId": "true"}},
        {"StringNotEquals": {"sts:ExternalId": "another"}},
    ],
)
def test_these_conditions_open_without_an_external_id(stage: Stage, condition: dict[str, Any]) -> None:
    role = stage.target(allow(ROOT, Condition=condition))
    assert stage.caller().enters(role)


def test_the_principal_arn_is_the_role_with_its_path(stage: Stage) -> None:
    caller = stage.caller()
    role = stage.target(allow(ROOT, Condition={"ArnEquals": {"aws:PrincipalArn": caller.arn}}))
    assert "/teams/data/" in caller.arn
    assert caller.enters(role)


@pytest.mark.parametrize(
    ("pattern", "opens"),
    [
        ("role/teams/data/caller-????????????", True),
        ("role/teams/*", True),
        ("role/caller-*", False),
        ("role/teams/data/caller-???????????", False),
    ],
)
def test_arn_like_compares_the_path_and_each_character(stage: Stage, pattern: str, opens: bool) -> None:
    caller = stage.caller()
    condition = {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{KESTREL}:{pattern}"}}
    role = stage.target(allow(ROOT, Condition=condition))
    assert caller.is_denied(role) is not opens


def test_a_star_in_arn_like_does_not_reach_over_a_colon(stage: Stage) -> None:
    role = stage.target(allow(ROOT, Condition={"ArnLike": {"aws:PrincipalArn": "arn:aws:*:role/teams/data/caller-*"}}))
    assert stage.caller().is_denied(role)


def test_the_exact_role_as_principal_opens(stage: Stage) -> None:
    caller = stage.caller()
    assert caller.enters(stage.target(allow(caller.arn)))


def test_a_role_of_the_same_name_under_another_path_is_another_role(stage: Stage) -> None:
    other = stage.caller(path="/other/")
    role = stage.target(allow(other.arn))
    iam, name = stage.sandbox.iam(KESTREL), other.arn.rsplit("/", 1)[-1]
    iam.delete_role_policy(RoleName=name, PolicyName="may")
    iam.delete_role(RoleName=name)
    assert stage.caller().is_denied(role)


def test_a_recreated_role_no_longer_matches_and_shows_as_its_old_id(stage: Stage) -> None:
    caller = stage.caller()
    role = stage.target(allow(caller.arn))
    iam, name = stage.sandbox.iam(KESTREL), caller.arn.rsplit("/", 1)[-1]
    old_id = iam.get_role(RoleName=name)["Role"]["RoleId"]
    iam.delete_role_policy(RoleName=name, PolicyName="may")
    iam.delete_role(RoleName=name)
    assert stage.caller().is_denied(role)
    shown = stage.sandbox.iam(WILLOW).get_role(RoleName=f"target-{stage.unique}")["Role"]["AssumeRolePolicyDocument"]
    assert shown["Statement"][0]["Principal"]["AWS"] == old_id
    assert old_id.startswith("AROA")


def test_a_condition_on_the_arn_survives_recreation(stage: Stage) -> None:
    caller = stage.caller()
    role = stage.target(allow(ROOT, Condition={"ArnEquals": {"aws:PrincipalArn": caller.arn}}))
    iam, name = stage.sandbox.iam(KESTREL), caller.arn.rsplit("/", 1)[-1]
    iam.delete_role_policy(RoleName=name, PolicyName="may")
    iam.delete_role(RoleName=name)
    assert stage.caller().enters(role)


def test_the_sessions_of_a_deleted_role_end(stage: Stage) -> None:
    caller = stage.caller()
    sts, iam, name = caller.sts, stage.sandbox.iam(KESTREL), caller.arn.rsplit("/", 1)[-1]
    assert sts.get_caller_identity()["Account"] == KESTREL
    iam.delete_role_policy(RoleName=name, PolicyName="may")
    iam.delete_role(RoleName=name)
    assert refusal(sts.get_caller_identity)[0] == "InvalidClientTokenId"


@pytest.mark.parametrize(("session", "opens"), [("mio.tanabe@hoshino.example", True), ("someone.else", False)])
def test_a_session_as_principal_admits_only_that_session(stage: Stage, session: str, opens: bool) -> None:
    caller = stage.caller()
    name = caller.arn.rsplit("/", 1)[-1]
    role = stage.target(allow(f"arn:aws:sts::{KESTREL}:assumed-role/{name}/{session}"))
    assert caller.is_denied(role) is not opens


def test_a_third_account_opens_nothing(stage: Stage) -> None:
    role = stage.target(allow("arn:aws:iam::505060607070:root"))
    assert stage.caller().is_denied(role)


def test_everyone_means_everyone(stage: Stage) -> None:
    role = stage.target(allow("*"))
    assert stage.caller().enters(role)


def test_an_explicit_deny_wins(stage: Stage) -> None:
    caller = stage.caller()
    deny = {**allow(ROOT), "Effect": "Deny", "Condition": {"ArnEquals": {"aws:PrincipalArn": caller.arn}}}
    assert caller.is_denied(stage.target(allow(ROOT), deny))


def test_a_deny_unless_the_external_id_is_right(stage: Stage) -> None:
    deny = {**allow("*"), "Effect": "Deny", "Condition": {"StringNotEquals": {"sts:ExternalId": EXTERNAL_ID}}}
    role = stage.target(allow(ROOT), deny)
    caller = stage.caller()
    assert caller.is_denied(role)
    assert caller.enters(role, ExternalId=EXTERNAL_ID)


def test_another_action_does_not_open(stage: Stage) -> None:
    role = stage.target({**allow(ROOT), "Action": "sts:AssumeRoleWithSAML"})
    assert stage.caller().is_denied(role)


def test_the_session_name_can_be_demanded(stage: Stage) -> None:
    role = stage.target(allow(ROOT, Condition={"StringLike": {"sts:RoleSessionName": "*@hoshino.example"}}))
    caller = stage.caller()
    assert caller.enters(role)
    assert caller.is_denied(role)


def test_mfa_is_never_present(stage: Stage) -> None:
    role = stage.target(allow(ROOT, Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}}))
    assert stage.caller().is_denied(role)


def test_a_missing_role_is_denied_as_a_shut_one(stage: Stage) -> None:
    sts = stage.caller().sts
    role = f"arn:aws:iam::{WILLOW}:role/nowhere-{stage.unique}"
    code, message = refusal(sts.assume_role, RoleArn=role, RoleSessionName="mio")
    caller = sts.get_caller_identity()["Arn"]
    assert (code, message) == (
        "AccessDenied",
        f"User: {caller} is not authorized to perform: sts:AssumeRole on resource: {role}",
    )


def test_a_role_is_not_found_without_its_path(stage: Stage) -> None:
    role = stage.target(allow(ROOT), Path="/partners/")
    caller = stage.caller()
    assert caller.enters(role)
    assert caller.is_denied(role.replace("/partners/", "/"))


def test_the_callers_own_policy_must_allow_too(stage: Stage) -> None:
    role = stage.target(allow(ROOT))
    sts = stage.caller(policy("Allow", "sts:AssumeRole", f"arn:aws:iam::{WILLOW}:role/another")).sts
    code, message = refusal(sts.assume_role, RoleArn=role, RoleSessionName="mio")
    assert code == "AccessDenied"
    assert message.endswith(
        f"sts:AssumeRole on resource: {role} because no identity-based policy allows the sts:AssumeRole action"
    )


def test_the_callers_own_policy_may_name_the_external_id(stage: Stage) -> None:
    role = stage.target(allow(ROOT))
    caller = stage.caller(policy("Allow", "sts:AssumeRole", Condition=WITH_EXTERNAL_ID))
    assert caller.enters(role, ExternalId=EXTERNAL_ID)
    assert caller.is_denied(role)


def test_a_policy_variable_binds_the_session_name_to_the_caller(stage: Stage) -> None:
    condition = {"StringLike": {"aws:userid": "*:${sts:RoleSessionName}"}}
    role = stage.target(allow(ROOT, Condition=condition))
    caller = stage.caller()
    assert caller.enters(role)
    assert caller.is_denied(role)


def test_before_2012_a_policy_variable_is_plain_text(stage: Stage) -> None:
    condition = {"StringLike": {"aws:userid": "*:${sts:RoleSessionName}"}}
    role = stage.target(allow(ROOT, Condition=condition), version="2008-10-17")
    code, _ = refusal(stage.caller().enters, role_arn=role)
    assert code == "AccessDenied"


def test_a_policy_variable_in_a_resource(stage: Stage) -> None:
    role = stage.target(allow(ROOT))
    resource = f"arn:aws:iam::{WILLOW}:role/${{sts:ExternalId, 'nobody'}}"
    caller = stage.caller(policy("Allow", "sts:AssumeRole", resource))
    assert caller.enters(role, ExternalId=f"target-{stage.unique}")
    assert caller.is_denied(role)
    assert caller.is_denied(role, ExternalId="target-other")


def test_max_session_duration_is_a_limit_for_a_user(stage: Stage) -> None:
    administrator = stage.sandbox.client("sts", stage.sandbox.partner(KESTREL))
    role = stage.target(allow(ROOT), MaxSessionDuration=7200)
    opened = administrator.assume_role(RoleArn=role, RoleSessionName="mio", DurationSeconds=7200)
    assert opened["Credentials"]["SessionToken"]
    code, message = refusal(administrator.assume_role, RoleArn=role, RoleSessionName="mio", DurationSeconds=7201)
    assert code == "ValidationError"
    assert message == "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."


def test_a_chained_session_lasts_an_hour_at_most(stage: Stage) -> None:
    role = stage.target(allow(ROOT), MaxSessionDuration=43200)
    caller = stage.caller()
    assert caller.enters(role, DurationSeconds=3600)
    code, message = refusal(caller.enters, role_arn=role, DurationSeconds=3601)
    assert code == "ValidationError"
    assert message == (
        "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."
    )


def test_too_long_a_session_reveals_nothing_of_a_shut_role(stage: Stage) -> None:
    assert stage.caller().is_denied(stage.target(allow("505060607070")), DurationSeconds=7200)


def test_a_session_policy_leaves_only_what_it_allows(stage: Stage) -> None:
    role = stage.target(allow(ROOT), Path="/partners/")
    name = role.rsplit("/", 1)[-1]
    iam = stage.sandbox.iam(WILLOW)
    iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=trust(policy("Allow", "iam:*")))
    session_policy = trust(
        policy("Allow", "iam:GetRole", role), {"Effect": "Deny", "NotAction": "iam:GetRole", "Resource": "*"}
    )
    keys = stage.caller().enters(role, DurationSeconds=900, Policy=session_policy)
    assert stage.sandbox.client("sts", keys).get_caller_identity()["Account"] == WILLOW
    probe = stage.sandbox.client("iam", keys)
    assert probe.get_role(RoleName=name)["Role"]["Arn"] == role
    assert refusal(probe.list_roles)[0] == "AccessDenied"
    assert refusal(probe.list_role_policies, RoleName=name)[0] == "AccessDenied"


def test_without_a_session_policy_the_role_keeps_its_own(stage: Stage) -> None:
    role = stage.target(allow(ROOT))
    name = role.rsplit("/", 1)[-1]
    document = trust(policy("Allow", "iam:ListRoles"))
    stage.sandbox.iam(WILLOW).put_role_policy(RoleName=name, PolicyName="some", PolicyDocument=document)
    entered = stage.sandbox.client("iam", stage.caller().enters(role))
    assert name in [found["RoleName"] for found in entered.list_roles()["Roles"]]
    assert refusal(entered.get_role, RoleName=name)[0] == "AccessDenied"


def test_a_source_identity_needs_a_right_of_its_own(stage: Stage) -> None:
    demands = {"StringEquals": {"sts:SourceIdentity": "mio.tanabe"}}
    role = stage.target(allow(ROOT, Condition=demands))
    caller = stage.caller()
    assert caller.is_denied(role)
    assert caller.is_denied(role, SourceIdentity="mio.tanabe")
    document = trust(allow(ROOT, Action=["sts:AssumeRole", "sts:SetSourceIdentity"], Condition=demands))
    stage.sandbox.iam(WILLOW).update_assume_role_policy(RoleName=f"target-{stage.unique}", PolicyDocument=document)
    assert caller.enters(role, SourceIdentity="mio.tanabe")
    assert caller.is_denied(role, SourceIdentity="someone.else")


def test_the_validator_enters_only_with_the_external_id(stage: Stage) -> None:
    bastion = stage.sandbox.organization["bastion"]
    condition = {**WITH_EXTERNAL_ID, "ArnLike": {"aws:PrincipalArn": bastion["validator_role_arn"]}}
    role = stage.target(allow(f"arn:aws:iam::{bastion['account_id']}:root", Condition=condition))
    enter: Callable[..., Any] = stage.sandbox.validator().assume_role
    assert enter(RoleArn=role, RoleSessionName="probe", ExternalId=EXTERNAL_ID)["Credentials"]
    assert refusal(enter, RoleArn=role, RoleSessionName="probe")[0] == "AccessDenied"
    assert refusal(enter, RoleArn=role, RoleSessionName="probe", ExternalId="wrong")[0] == "AccessDenied"


def test_the_worker_itself_enters_nothing_but_the_validator(stage: Stage) -> None:
    role = stage.target(allow("111122223333"))
    assert refusal(stage.sandbox.worker().assume_role, RoleArn=role, RoleSessionName="probe")[0] == "AccessDenied"


def test_the_validator_never_enters_its_own_account(stage: Stage) -> None:
    own = stage.sandbox.organization["bastion"]["validator_role_arn"]
    code, message = refusal(stage.sandbox.validator().assume_role, RoleArn=own, RoleSessionName="probe")
    assert code == "AccessDenied"
    assert message.endswith("with an explicit deny in an identity-based policy")


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        ({"RoleArn": f"arn:aws:sts::{WILLOW}:assumed-role/a/b"}, "Request ARN is invalid"),
        ({"RoleSessionName": "a b"}, r"regular expression pattern: [\w+=,.@-]*"),
        ({"ExternalId": "bad value"}, r"regular expression pattern: [\w+=,.@:\/-]*"),
        ({"DurationSeconds": 899}, "Member must have value greater than or equal to 900"),
        ({"DurationSeconds": 43201}, "Member must have value less than or equal to 43200"),
    ],
)
def test_malformed_requests_are_refused_before_any_policy(stage: Stage, sent: dict[str, Any], message: str) -> None:
    asked = {"RoleArn": f"arn:aws:iam::{WILLOW}:role/any", "RoleSessionName": "probe", **sent}
    sts = stage.sandbox.client("sts", stage.sandbox.partner(KESTREL))
    code, said = refusal(sts.assume_role, **asked)
    assert code == "ValidationError"
    assert message in said


def test_a_malformed_session_policy_is_refused(stage: Stage) -> None:
    role = stage.target(allow(ROOT))
    code, _ = refusal(stage.caller().enters, role_arn=role, Policy=json.dumps({"Statement": []}))
    assert code == "MalformedPolicyDocument"
