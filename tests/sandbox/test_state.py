"""What was answered survives a kill; and the process stays small and quick."""

import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.sandbox.conftest import KESTREL, WILLOW, Sandbox, allow, free_port, refusal, trust
from tests.sandbox.test_sso import portal, sign_in_by_device

pytestmark = pytest.mark.fault


def test_a_kill_loses_nothing_that_was_answered(own_sandbox: Sandbox) -> None:
    sandbox = own_sandbox
    before = sandbox.organization
    document = trust(allow(f"arn:aws:iam::{KESTREL}:user/admin"))
    role = sandbox.iam(WILLOW).create_role(RoleName="Kept", Path="/p/", AssumeRolePolicyDocument=document)["Role"]
    administrator = sandbox.client("sts", sandbox.partner(KESTREL))
    keys = administrator.assume_role(RoleArn=role["Arn"], RoleSessionName="mio")["Credentials"]
    token = sign_in_by_device(sandbox)["accessToken"]
    sandbox.kill()
    sandbox.start()
    assert sandbox.organization == before
    assert sandbox.iam(WILLOW).get_role(RoleName="Kept")["Role"] == role
    assert sandbox.client("sts", keys).get_caller_identity()["Account"] == WILLOW
    assert portal(sandbox).list_accounts(accessToken=token)["accountList"]
    assert sandbox.validator().get_caller_identity()


def test_what_was_deleted_stays_deleted(own_sandbox: Sandbox) -> None:
    sandbox = own_sandbox
    iam = sandbox.iam(WILLOW)
    arn = iam.create_role(RoleName="Gone", AssumeRolePolicyDocument=trust(allow(KESTREL)))["Role"]["Arn"]
    administrator = sandbox.client("sts", sandbox.partner(KESTREL))
    keys = administrator.assume_role(RoleArn=arn, RoleSessionName="mio")["Credentials"]
    iam.delete_role(RoleName="Gone")
    sandbox.kill()
    sandbox.start()
    assert refusal(sandbox.iam(WILLOW).get_role, RoleName="Gone")[0] == "NoSuchEntity"
    assert refusal(sandbox.client("sts", keys).get_caller_identity)[0] == "InvalidClientTokenId"


def test_a_second_start_is_quick_and_small(own_sandbox: Sandbox) -> None:
    own_sandbox.kill()
    own_sandbox.start()
    assert own_sandbox.process
    started = psutil.Process(own_sandbox.process.pid)
    spent = started.cpu_times()
    assert spent.user + spent.system < 5
    assert started.memory_info().rss < 120 * 2**20


def test_two_sandboxes_have_nothing_in_common(own_sandbox: Sandbox, sandbox: Sandbox) -> None:
    stranger = own_sandbox.client("sts", sandbox.partner(WILLOW))
    assert refusal(stranger.get_caller_identity)[0] == "InvalidClientTokenId"


@pytest.mark.parametrize(
    ("shared", "said"), [("port", "cannot start on 127.0.0.1:"), ("state", "Does another sandbox run")]
)
def test_a_taken_port_or_folder_is_a_clear_message(sandbox: Sandbox, tmp_path: Path, shared: str, said: str) -> None:
    port = sandbox.port if shared == "port" else free_port()
    folder = sandbox.folder if shared == "state" else tmp_path
    command = [sys.executable, "-m", "sandbox", "--port", str(port), "--state", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr
