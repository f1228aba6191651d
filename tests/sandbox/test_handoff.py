"""The commands of the hand-off page, run by the AWS CLI against an IAM that really decides."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from onboarding.core import permissions_policy, trust
from onboarding.core.arns import AccountId, Partition, PolicyArn, RoleArn, SsoRoleArn
from onboarding.core.handoff import Form, Permissions, WantedRole, Way, returned, text_of
from onboarding.core.trust import Callers
from tests.sandbox.conftest import KESTREL, REGION, WILLOW, Sandbox, allow
from tests.sandbox.conftest import trust as trust_text

EXTERNAL_ID = "tbi-7q2m-9xkd-41vn-hc8e-2m4p"
DOCUMENT = permissions_policy.parse(
    json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": {
                "Effect": "Allow",
                "Action": "s3:GetObject",
                "Resource": 'arn:aws:s3:::${aws:username}/it\'s "a\\b" `id` $(id) %{x} é',
            },
        }
    )
)


def wanted(sandbox: Sandbox, name: str, *, external_id: str = EXTERNAL_ID, **asked: object) -> WantedRole:
    bastion = sandbox.organization["bastion"]
    callers = Callers(
        partition=Partition.AWS,
        bastion_account_id=AccountId(bastion["account_id"]),
        permission_set="PartnerAccess",
        identity_center_region=REGION,
        validator_role=RoleArn.parse(bastion["validator_role_arn"]),
        sso_role=SsoRoleArn(Partition.AWS, AccountId(bastion["account_id"]), REGION, "PartnerAccess", "0" * 16),
    )
    path = str(asked.pop("path", "/"))
    return WantedRole(
        arn=RoleArn(Partition.AWS, AccountId(WILLOW), path, name),
        description="Made for the request TB-2026-0147",
        trust_policy=trust.trust_policy(callers, external_id=external_id),
        **asked,  # type: ignore[arg-type]
    )


def run(
    sandbox: Sandbox, script: str, folder: Path, *, account: str = WILLOW, answer: str | None = None
) -> subprocess.CompletedProcess[str]:
    """With `answer`, in a terminal of its own in which somebody types that; else where nobody could be asked."""
    keys = sandbox.partner(account)
    environment = {
        # The AWS CLI that the requirements bring, whatever else this machine has.
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "HOME": str(folder),
        "AWS_ENDPOINT_URL": sandbox.url,
        "AWS_ACCESS_KEY_ID": keys["access_key_id"],
        "AWS_SECRET_ACCESS_KEY": keys["secret_access_key"],
        "AWS_DEFAULT_REGION": REGION,
        "AWS_DEFAULT_OUTPUT": "table",
    }
    ours, theirs = pty.openpty()
    if answer is not None:
        os.write(ours, f"{answer}\n".encode())
    try:
        return subprocess.run(
            # `setsid --ctty` makes the terminal that is its input the one that /dev/tty names.
            ["setsid", "--wait", *(["--ctty"] if answer is not None else []), "sh", "-c", script],
            stdin=theirs if answer is not None else subprocess.DEVNULL,
            cwd=folder,
            env=environment,
            text=True,
            capture_output=True,
            check=False,
            timeout=100,
        )
    finally:
        os.close(ours)
        os.close(theirs)


def backups(folder: Path) -> list[Path]:
    return sorted(folder.glob("trust-policy-*-before-*.json"))


def saved(sandbox: Sandbox, name: str) -> dict[str, object]:
    return sandbox.iam(WILLOW).get_role(RoleName=name)["Role"]


def make(sandbox: Sandbox, name: str, *statements: object) -> str:
    """A role that is there before the commands are run; its trust policy as text."""
    document = trust_text(*statements)
    sandbox.iam(WILLOW).create_role(RoleName=name, AssumeRolePolicyDocument=document)
    return document


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_the_commands_make_the_role_and_print_its_arn(sandbox: Sandbox, tmp_path: Path, unique: str, ends: str) -> None:
    permissions = Permissions(document=DOCUMENT)
    role = wanted(
        sandbox, f"Made-{unique}", path="/partners/", permissions=permissions, tags={"team": "Data and ML", "a": "b=c"}
    )
    done = run(sandbox, text_of(Form.BASH, role, Way.CREATE).text.replace("\n", ends), tmp_path)
    assert (done.returncode, done.stderr, done.stdout) == (0, "", f"{role.arn}\n")
    iam, made = sandbox.iam(WILLOW), saved(sandbox, role.arn.name)
    assert made["AssumeRolePolicyDocument"] == role.trust_policy
    assert (made["MaxSessionDuration"], made["Description"]) == (3600, "Made for the request TB-2026-0147")
    assert made["Tags"] == [{"Key": "team", "Value": "Data and ML"}, {"Key": "a", "Value": "b=c"}]
    inline = iam.get_role_policy(RoleName=role.arn.name, PolicyName="permissions")["PolicyDocument"]
    assert inline == DOCUMENT
    assert list(tmp_path.iterdir()) == []
    session = sandbox.validator().assume_role(RoleArn=str(role.arn), RoleSessionName="it", ExternalId=EXTERNAL_ID)
    assert session["Credentials"]


def test_a_managed_policy_and_a_boundary_are_attached(sandbox: Sandbox, tmp_path: Path, unique: str) -> None:
    read = PolicyArn.parse("ReadOnlyAccess", partition=Partition.AWS)
    permissions = Permissions(managed_policy=read, boundary=read)
    role = wanted(sandbox, f"Managed-{unique}", permissions=permissions)
    done = run(sandbox, text_of(Form.BASH, role, Way.CREATE).text, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    attached = sandbox.iam(WILLOW).list_attached_role_policies(RoleName=role.arn.name)["AttachedPolicies"]
    assert [policy["PolicyArn"] for policy in attached] == [str(read)]
    assert saved(sandbox, role.arn.name)["PermissionsBoundary"]["PermissionsBoundaryArn"] == str(read)  # type: ignore[index]


def test_a_role_that_is_there_already_is_not_made_again(sandbox: Sandbox, tmp_path: Path, unique: str) -> None:
    before = make(sandbox, f"There-{unique}", allow(KESTREL))
    done = run(sandbox, text_of(Form.BASH, wanted(sandbox, f"There-{unique}"), Way.CREATE).text, tmp_path)
    assert done.returncode != 0
    assert "EntityAlreadyExists" in done.stderr
    assert done.stdout == ""
    kept = saved(sandbox, f"There-{unique}")["AssumeRolePolicyDocument"]
    assert kept["Statement"][0]["Principal"] == {"AWS": f"arn:aws:iam::{KESTREL}:root"}  # type: ignore[index]
    assert json.loads(before)["Statement"] != kept
    assert list(tmp_path.iterdir()) == []


def test_a_policy_that_is_ours_is_changed_without_a_question_and_kept(
    sandbox: Sandbox, tmp_path: Path, unique: str
) -> None:
    first = wanted(sandbox, f"Changed-{unique}", external_id="tbi-old")
    document = json.dumps(first.trust_policy)
    sandbox.iam(WILLOW).create_role(RoleName=first.arn.name, AssumeRolePolicyDocument=document)
    second = wanted(sandbox, first.arn.name)
    done = run(sandbox, text_of(Form.BASH, second, Way.CHANGE).text, tmp_path)
    assert (done.returncode, done.stdout) == (0, f"{second.arn}\n")
    assert "tbi-old" in done.stderr
    assert "not ours" not in done.stderr
    assert saved(sandbox, first.arn.name)["AssumeRolePolicyDocument"] == second.trust_policy
    (kept,) = backups(tmp_path)
    assert json.loads(kept.read_text()) == first.trust_policy
    assert list(tmp_path.iterdir()) == [kept]


FOREIGN = [
    [allow(KESTREL)],
    [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
    [allow("111122223333", Sid="AllowBastion"), allow(KESTREL, Sid="Theirs")],
    [{**allow("111122223333", Sid="AllowBastion"), "Effect": "Deny"}],
    [allow("111122223333")],
    [allow(["111122223333", KESTREL], Sid="AllowBastion")],
]


@pytest.mark.parametrize(
    ("statements", "answer"), [*((statements, None) for statements in FOREIGN), (FOREIGN[0], "no"), (FOREIGN[0], "")]
)
def test_statements_that_are_not_ours_stay_unless_somebody_says_yes(
    sandbox: Sandbox, tmp_path: Path, unique: str, statements: list[object], answer: str | None
) -> None:
    name = f"Theirs-{unique}"
    make(sandbox, name, *statements)
    before = saved(sandbox, name)["AssumeRolePolicyDocument"]
    done = run(sandbox, text_of(Form.BASH, wanted(sandbox, name), Way.CHANGE).text, tmp_path, answer=answer)
    assert (done.returncode, done.stdout) == (1, "")
    assert "It holds statements that are not ours (1)." in done.stderr
    assert done.stderr.endswith("Nothing was changed.\n")
    assert saved(sandbox, name)["AssumeRolePolicyDocument"] == before


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_whoever_says_yes_gets_our_policy_and_keeps_the_old_one(
    sandbox: Sandbox, tmp_path: Path, unique: str, ends: str
) -> None:
    name = f"Replaced-{unique}"
    make(sandbox, name, allow(KESTREL))
    before = saved(sandbox, name)["AssumeRolePolicyDocument"]
    role = wanted(sandbox, name)
    done = run(sandbox, text_of(Form.BASH, role, Way.CHANGE).text.replace("\n", ends), tmp_path, answer="yes")
    assert (done.returncode, done.stdout) == (0, f"{role.arn}\n")
    assert saved(sandbox, name)["AssumeRolePolicyDocument"] == role.trust_policy
    (kept,) = backups(tmp_path)
    assert json.loads(kept.read_text()) == before


def test_a_role_that_is_not_there_is_not_changed(sandbox: Sandbox, tmp_path: Path, unique: str) -> None:
    done = run(sandbox, text_of(Form.BASH, wanted(sandbox, f"None-{unique}"), Way.CHANGE).text, tmp_path)
    assert done.returncode != 0
    assert "NoSuchEntity" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("way", Way)
def test_cloudshell_prints_a_reply_that_is_understood(sandbox: Sandbox, tmp_path: Path, unique: str, way: Way) -> None:
    role = wanted(sandbox, f"Reply-{unique}", path="/partners/" if way is Way.CREATE else "/")
    if way is Way.CHANGE:
        sandbox.iam(WILLOW).create_role(
            RoleName=role.arn.name, AssumeRolePolicyDocument=json.dumps(role.trust_policy), Path=role.arn.path
        )
    done = run(sandbox, text_of(Form.CLOUDSHELL, role, way).text, tmp_path)
    assert done.returncode == 0
    found = returned.parse(f"~ $ {done.stdout}~ $ ")
    assert found.arn == role.arn
    assert json.loads(found.trust_policy) == role.trust_policy


@pytest.mark.parametrize("way", Way)
def test_with_the_credentials_of_another_account_nothing_is_made(
    sandbox: Sandbox, tmp_path: Path, unique: str, way: Way
) -> None:
    role = wanted(sandbox, f"Elsewhere-{unique}")
    other = next(partner["id"] for partner in sandbox.organization["partners"] if partner["id"] != WILLOW)
    done = run(sandbox, text_of(Form.BASH, role, way).text, tmp_path, account=other)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"these credentials are of '{other}', the role is wanted in {WILLOW}" in done.stderr
    for account in (other, WILLOW):
        names = [found["RoleName"] for found in sandbox.iam(account).list_roles()["Roles"]]
        assert role.arn.name not in names
