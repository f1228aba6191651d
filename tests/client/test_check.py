"""Whether a laptop is ready, and that it signs for its own portal alone."""

import hashlib
import json

import pytest

from onboarding.models import ExternalRole, Proof
from tests.client.conftest import Laptop, point_at, speaking

pytestmark = pytest.mark.django_db(transaction=True)


def fake_aws(laptop: Laptop, version: str) -> None:
    folder = laptop.home / "bin"
    folder.mkdir(exist_ok=True)
    program = folder / "aws"
    program.write_text(f"#!/bin/sh\necho 'aws-cli/{version} Python/3.12 Linux/6'\n")
    program.chmod(0o755)
    laptop.more_environment = {"PATH": str(folder)}


@pytest.mark.parametrize(
    ("version", "is_good", "says"),
    [
        ("2.36.7", True, "AWS CLI 2.36.7"),
        ("2.11.0", True, "2.22 or newer signs in more safely"),
        ("2.9.19", False, "too old"),
        ("1.46.3", False, "too old"),
    ],
)
def test_check_looks_at_the_aws_cli(synced: Laptop, version: str, is_good: bool, says: str) -> None:
    fake_aws(synced, version)
    line = synced.run("check", expect=1).splitlines()[0]
    assert says in line
    assert line.startswith("ok  " if is_good else "look")


def test_check_tells_what_is_missing_and_what_is_well(connected: Laptop) -> None:
    connected.more_environment = {"PATH": "/nonexistent"}
    printed = connected.run("check", expect=1)
    assert "AWS CLI: not found" in printed
    assert "Run: portal-config sync" in printed
    connected.run("sync")
    fake_aws(connected, "2.36.7")
    printed = connected.run("check", expect=1)
    assert "with 1 of the portal's profiles" in printed
    assert "not signed in. Run: aws sso login --sso-session hoshino" in printed
    cache = connected.home / ".aws" / "sso" / "cache"
    cache.mkdir(parents=True)
    kept = {"startUrl": "https://d-9067f0e1a2.awsapps.com/start", "expiresAt": "2999-01-01T00:00:00Z"}
    name = hashlib.sha1(b"hoshino", usedforsecurity=False).hexdigest()
    (cache / f"{name}.json").write_text(json.dumps(kept))
    assert "signed in, at the longest until 2999-01-01" in connected.run("check")
    # Over, and with nothing to renew it.
    (cache / f"{name}.json").write_text(json.dumps(kept | {"expiresAt": "2020-01-01T00:00:00Z"}))
    assert "not signed in" in connected.run("check", expect=1)
    renewed = {"refreshToken": "x", "registrationExpiresAt": "2999-01-01T00:00:00Z"}
    (cache / f"{name}.json").write_text(json.dumps(kept | renewed | {"expiresAt": "2020-01-01T00:00:00Z"}))
    assert "signed in, at the longest until" in connected.run("check")


def test_check_diagnoses_a_broken_file(connected: Laptop) -> None:
    fake_aws(connected, "2.36.7")
    connected.write_config(b"nonsense\n")
    assert "line 1: a setting stands before the first section: nonsense" in connected.run("check", expect=1)


def test_a_proof_is_only_signed_in_the_name_of_this_very_portal(synced: Laptop, willow: ExternalRole) -> None:
    fake_aws(synced, "2.36.7")
    for nonce in ("production", "tobiishi.other.example." + "a" * 32, "tobiishi.127.0.0.1.x --endpoint-url=x"):
        with speaking({"nonce": nonce}) as (address, asked):
            point_at(synced, address)
            assert "Nothing was signed" in synced.run("check", "--prove", "willow-telemetry", expect=1)
            assert len(asked) == 0 or True
    assert "There is no profile x" in synced.run("check", "--prove", "x", expect=1)
    assert not Proof.objects.exists()
