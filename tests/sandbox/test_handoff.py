"""The commands of the hand-off page, run by the AWS CLI against an IAM that really decides."""

import json
import os
import subprocess
import sys
from pathlib import Path

from onboarding.core import trust
from onboarding.core.arns import AccountId, Partition, RoleArn, SsoRoleArn
from onboarding.core.handoff import WantedRole, shell
from onboarding.core.trust import Callers
from tests.sandbox.conftest import REGION, WILLOW, Sandbox

EXTERNAL_ID = "tbi-7q2m-9xkd-41vn-hc8e-2m4p"


def wanted(sandbox: Sandbox, name: str, *, path: str = "/", external_id: str = EXTERNAL_ID) -> WantedRole:
    bastion = sandbox.organization["bastion"]
    callers = Callers(
        partition=Partition.AWS,
        bastion_account_id=AccountId(bastion["account_id"]),
        permission_set="PartnerAccess",
        identity_center_region=REGION,
        validator_role=RoleArn.parse(bastion["validator_role_arn"]),
        sso_role=SsoRoleArn(Partition.AWS, AccountId(bastion["account_id"]), REGION, "PartnerAccess", "0" * 16),
    )
    return WantedRole(
        arn=RoleArn(Partition.AWS, AccountId(WILLOW), path, name),
        description="Made for the request TB-2026-0147",
        trust_policy=trust.trust_policy(callers, external_id=external_id),
    )


def run(sandbox: Sandbox, script: str, folder: Path, *, account: str = WILLOW) -> subprocess.CompletedProcess[str]:
    keys = sandbox.partner(account)
    environment = {
        # The AWS CLI that the requirements bring, whatever else this machine has.
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "HOME": str(folder),
        "AWS_ENDPOINT_URL": sandbox.url,
        "AWS_ACCESS_KEY_ID": keys["access_key_id"],
        "AWS_SECRET_ACCESS_KEY": keys["secret_access_key"],
        "AWS_DEFAULT_REGION": REGION,
    }
    return subprocess.run(
        ["sh"], input=script, cwd=folder, env=environment, text=True, capture_output=True, check=False, timeout=60
    )


def backups(folder: Path) -> list[Path]:
    return sorted(folder.glob("trust-policy-*-before-*.json"))


def test_the_commands_make_the_role_and_print_its_arn(sandbox: Sandbox, tmp_path: Path, unique: str) -> None:
    role = wanted(sandbox, f"Made-{unique}", path="/partners/")
    done = run(sandbox, shell.script(role), tmp_path)
    assert (done.returncode, done.stderr, done.stdout) == (0, "", f"{role.arn}\n")
    made = sandbox.iam(WILLOW).get_role(RoleName=role.arn.name)["Role"]
    assert made["AssumeRolePolicyDocument"] == role.trust_policy
    assert (made["MaxSessionDuration"], made["Description"]) == (3600, "Made for the request TB-2026-0147")
    assert backups(tmp_path) == []
    session = sandbox.validator().assume_role(RoleArn=str(role.arn), RoleSessionName="it", ExternalId=EXTERNAL_ID)
    assert session["Credentials"]


def test_where_the_role_exists_they_change_the_trust_policy_and_keep_the_old_one(
    sandbox: Sandbox, tmp_path: Path, unique: str
) -> None:
    first = wanted(sandbox, f"Changed-{unique}", external_id="tbi-old")
    document = json.dumps(first.trust_policy)
    sandbox.iam(WILLOW).create_role(RoleName=first.arn.name, AssumeRolePolicyDocument=document)
    second = wanted(sandbox, first.arn.name)
    done = run(sandbox, shell.script(second), tmp_path)
    assert (done.returncode, done.stdout) == (0, f"{second.arn}\n")
    made = sandbox.iam(WILLOW).get_role(RoleName=first.arn.name)["Role"]
    assert made["AssumeRolePolicyDocument"] == second.trust_policy
    (kept,) = backups(tmp_path)
    assert json.loads(kept.read_text()) == first.trust_policy


def test_with_the_credentials_of_another_account_nothing_is_made(sandbox: Sandbox, tmp_path: Path, unique: str) -> None:
    role = wanted(sandbox, f"Elsewhere-{unique}")
    other = next(partner["id"] for partner in sandbox.organization["partners"] if partner["id"] != WILLOW)
    done = run(sandbox, shell.script(role), tmp_path, account=other)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"you are in {other}, the role is wanted in {WILLOW}" in done.stderr
    for account in (other, WILLOW):
        names = [found["RoleName"] for found in sandbox.iam(account).list_roles()["Roles"]]
        assert role.arn.name not in names
