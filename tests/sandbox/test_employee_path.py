"""The proof as an employee makes it: the real AWS CLI signs, the sandbox's STS answers, and the portal believes it."""

import base64
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests

from onboarding.core.proof import ProofRefused, Refusal
from onboarding.models import AuditEvent, ExternalRole, Person, Proof
from onboarding.services import proofs
from tests import factories
from tests.sandbox.conftest import REGION, WILLOW, Sandbox, allow, trust

pytestmark = pytest.mark.django_db


class Laptop:
    """Carol's, with profiles that end in the partner's role; the AWS CLI is PyPI's."""

    def __init__(self, home: Path, sandbox: Sandbox) -> None:
        self.home = home
        self.sandbox = sandbox
        self.config = ""

    def add_profile(self, name: str, role_arn: str, session_name: str) -> None:
        self.config += (
            f"[profile {name}]\nrole_arn = {role_arn}\nsource_profile = bastion\nexternal_id = ours\n"
            f"role_session_name = {session_name}\nregion = {REGION}\n\n"
        )

    def sign(self, nonce: str, profile: str, *, endpoint: str = "") -> str:
        keys = self._bastion_keys()
        folder = self.home / ".aws"
        folder.mkdir(exist_ok=True)
        (folder / "config").write_text(f"[profile bastion]\n{keys}region = {REGION}\n\n{self.config}")
        aws = Path(sys.executable).parent / "aws"
        command = [str(aws), "eks", "get-token", "--cluster-name", nonce, "--profile", profile]
        own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        own |= {"HOME": str(self.home), "AWS_ENDPOINT_URL": endpoint or self.sandbox.url}
        return subprocess.run(command, env=own, capture_output=True, text=True, check=True, timeout=60).stdout

    def _bastion_keys(self) -> str:
        role = self.sandbox.organization["bastion"]["validator_role_arn"]
        keys = self.sandbox.worker().assume_role(RoleArn=role, RoleSessionName="carol")["Credentials"]
        names = {
            "aws_access_key_id": "AccessKeyId",
            "aws_secret_access_key": "SecretAccessKey",
            "aws_session_token": "SessionToken",
        }
        return "".join(f"{key} = {keys[name]}\n" for key, name in names.items())


@pytest.fixture
def laptop(tmp_path: Path, sandbox: Sandbox) -> Laptop:
    return Laptop(tmp_path, sandbox)


@pytest.fixture
def role(sandbox: Sandbox, settings: Any, carol: Person, laptop: Laptop, unique: str) -> ExternalRole:
    """Made at the partner, returned, proven by the validator, and granted to carol."""
    settings.SANDBOX, settings.AWS_ENDPOINT_URL = True, sandbox.url
    name = f"HoshinoProof{unique}"
    allowed = allow("111122223333", Condition={"StringEquals": {"sts:ExternalId": "ours"}})
    sandbox.iam(WILLOW).create_role(RoleName=name, AssumeRolePolicyDocument=trust(allowed))
    registered = factories.make_role(factories.make_account(account_id=WILLOW), role_name=name, profile_name="willow")
    found = factories.make_checked_role(registered)
    factories.make_grant(found, carol)
    laptop.add_profile("willow", found.role_arn, "carol@hoshino.example")
    return found


def refused(person: Person, nonce: str, pasted: str) -> Refusal:
    with pytest.raises(ProofRefused) as found:
        proofs.complete_proof(person, nonce=nonce, pasted=pasted)
    return found.value.refusal


def test_what_the_aws_cli_prints_proves_who_held_the_roles_credentials(
    role: ExternalRole, carol: Person, laptop: Laptop
) -> None:
    begun = proofs.begin_proof(carol, role)
    printed = laptop.sign(begun.nonce, "willow")
    proven = proofs.complete_proof(carol, nonce=begun.nonce, pasted=printed)
    assert proven.session_arn == f"arn:aws:sts::{WILLOW}:assumed-role/{role.role_name}/carol@hoshino.example"
    assert proven.proven_at
    assert proven.role_arn == role.role_arn
    role.refresh_from_db()
    assert role.is_used
    event = AuditEvent.objects.get(action="employee_path_proven")
    assert (event.actor, event.subject_uuid) == (carol, role.uuid)
    assert event.facts == {"profile_name": "willow", "session_arn": proven.session_arn}
    token = json.loads(printed)["status"]["token"]
    stored = json.dumps([*Proof.objects.values(), *AuditEvent.objects.values()], default=str)
    assert token not in stored
    assert "k8s-aws-v1" not in stored


def test_a_token_proves_once(role: ExternalRole, carol: Person, laptop: Laptop) -> None:
    begun = proofs.begin_proof(carol, role)
    printed = laptop.sign(begun.nonce, "willow")
    proofs.complete_proof(carol, nonce=begun.nonce, pasted=printed)
    assert refused(carol, begun.nonce, printed) is Refusal.REPLAYED
    # Over a new line the old signature does not fit.
    assert refused(carol, proofs.begin_proof(carol, role).nonce, printed) is Refusal.NOT_SIGNED_SO


def test_a_token_for_another_cluster_proves_nothing(role: ExternalRole, carol: Person, laptop: Laptop) -> None:
    begun = proofs.begin_proof(carol, role)
    assert refused(carol, begun.nonce, laptop.sign("production", "willow")) is Refusal.NOT_SIGNED_SO
    assert Proof.objects.get(pk=begun.pk).refusal == "not_signed_so"


def test_an_altered_token_is_refused_by_aws(role: ExternalRole, carol: Person, laptop: Laptop) -> None:
    begun = proofs.begin_proof(carol, role)
    printed = laptop.sign(begun.nonce, "willow")
    # One character of the signature, which is the end of the URL.
    token = json.loads(printed)["status"]["token"]
    changed = token[:-4] + ("MDAw" if token[-4:] != "MDAw" else "MTEx")
    assert refused(carol, begun.nonce, changed) in {Refusal.NOT_SIGNED_SO, Refusal.ALTERED}


def test_another_persons_session_is_not_ones_own(role: ExternalRole, carol: Person, laptop: Laptop) -> None:
    laptop.add_profile("dave", role.role_arn, "dave@hoshino.example")
    begun = proofs.begin_proof(carol, role)
    assert refused(carol, begun.nonce, laptop.sign(begun.nonce, "dave")) is Refusal.OTHER_PERSON


def test_another_role_is_not_this_one(
    role: ExternalRole, carol: Person, laptop: Laptop, sandbox: Sandbox, unique: str
) -> None:
    other = f"HoshinoOther{unique}"
    allowed = allow("111122223333", Condition={"StringEquals": {"sts:ExternalId": "ours"}})
    made = sandbox.iam(WILLOW).create_role(RoleName=other, AssumeRolePolicyDocument=trust(allowed))
    laptop.add_profile("other", made["Role"]["Arn"], "carol@hoshino.example")
    begun = proofs.begin_proof(carol, role)
    assert refused(carol, begun.nonce, laptop.sign(begun.nonce, "other")) is Refusal.OTHER_ROLE


def test_the_bastions_own_session_is_not_the_partners_role(role: ExternalRole, carol: Person, laptop: Laptop) -> None:
    begun = proofs.begin_proof(carol, role)
    assert refused(carol, begun.nonce, laptop.sign(begun.nonce, "bastion")) is Refusal.OTHER_ROLE


def test_a_token_for_another_endpoint_is_not_sent_there(role: ExternalRole, carol: Person, laptop: Laptop) -> None:
    begun = proofs.begin_proof(carol, role)
    laptop.config += f"[profile elsewhere]\n{laptop._bastion_keys()}region = {REGION}\n"
    printed = laptop.sign(begun.nonce, "elsewhere", endpoint="http://127.0.0.1:9")
    assert refused(carol, begun.nonce, printed) is Refusal.ELSEWHERE
    # Nothing was used up: the line is still good.
    proofs.complete_proof(carol, nonce=begun.nonce, pasted=laptop.sign(begun.nonce, "willow"))


def test_outside_the_sandbox_the_sandboxs_own_address_is_no_sts(
    role: ExternalRole, carol: Person, laptop: Laptop, settings: Any
) -> None:
    begun = proofs.begin_proof(carol, role)
    printed = laptop.sign(begun.nonce, "willow")
    settings.SANDBOX, settings.AWS_ENDPOINT_URL = False, ""
    assert refused(carol, begun.nonce, printed) is Refusal.ELSEWHERE


def test_the_sandbox_checks_the_nonce_that_was_signed(laptop: Laptop, sandbox: Sandbox, role: ExternalRole) -> None:
    text = json.loads(laptop.sign("one", "willow"))["status"]["token"].removeprefix("k8s-aws-v1.")
    url = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    assert requests.get(url, headers={"x-k8s-aws-id": "one"}, timeout=5).status_code == 200
    assert requests.get(url, headers={"x-k8s-aws-id": "other"}, timeout=5).status_code == 403
    assert requests.get(url, timeout=5).status_code == 403
