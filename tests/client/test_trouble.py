"""Offline, fooled or disturbed: the file stays as it is, and the reason is a sentence."""

import fcntl
import json
import socket
from pathlib import Path

import pytest

from client import store
from client.trouble import Trouble
from onboarding.models import ClientToken
from tests.client.conftest import Laptop, point_at, speaking

pytestmark = pytest.mark.django_db(transaction=True)
OWN = b"# Carol's own\n[default]\nregion = eu-west-1\n"


@pytest.fixture
def hostile(connected: Laptop) -> Laptop:
    """Connected, with a file of its own; in place of its portal somebody else will answer."""
    connected.write_config(OWN)
    return connected


# Well-formed, and through a profile that the portal does not bring: the person's own credentials would be spent.
THROUGH_YOURS = (
    "[profile a]\nrole_arn = arn:aws:iam::999988887777:role/Thief\nsource_profile = default\n"
    "external_id = x1\nrole_session_name = x1\nregion = us-east-1\n"
)
EVIL = "[profile a]\ncredential_process = touch /tmp/x\n"


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (200, "no json"),
        (200, ""),
        (200, "[]"),
        (200, {"config": 3}),
        (200, {"config": EVIL}),
        (200, {"config": THROUGH_YOURS}),
        (200, {"config": "[DEFAULT]\nregion = x\n"}),
        (200, {"config": "[sso-session x]\nsso_start_url = https://x.example\r\nsso_region = x\n"}),
        (304, ""),
        (401, {"error": "invalid_token"}),
        (404, "not found"),
        (429, {"error": "slow_down"}),
        (500, "trouble"),
        (503, {"error": "withheld"}),
    ],
)
def test_any_other_answer_than_a_config_leaves_the_file_as_it_is(hostile: Laptop, status: int, told: object) -> None:
    with speaking(told, status) as (address, _):
        point_at(hostile, address)
        printed = hostile.run("sync", expect=1)
    assert "Traceback" not in printed
    assert hostile.config.read_bytes() == OWN
    assert hostile.backups == []


def test_a_start_url_that_is_not_https_is_refused(hostile: Laptop, connected: Laptop) -> None:
    hostile.run("sync")
    content = hostile.config.read_bytes()
    offered = json.loads(hostile.sign_in.read_text())["config"].replace("https://d-", "http://d-")
    with speaking({"config": offered}) as (address, _):
        point_at(hostile, address)
        assert "A start URL is not https" in hostile.run("sync", "--accept-changes", expect=1)
    assert hostile.config.read_bytes() == content


def test_a_redirect_is_not_followed_and_takes_no_token_along(hostile: Laptop) -> None:
    with (
        speaking({"config": ""}) as (elsewhere, asked_elsewhere),
        speaking("", 302, Location=elsewhere) as (address, asked),
    ):
        point_at(hostile, address)
        assert "answered with 302" in hostile.run("sync", expect=1)
    assert asked[0].headers["Authorization"].startswith("Bearer tbc_")
    assert asked_elsewhere == []


def test_offline_leaves_the_file_as_it_is(hostile: Laptop) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        point_at(hostile, f"http://127.0.0.1:{taken.getsockname()[1]}")
        assert "Nothing was changed" in hostile.run("sync", expect=1)
    assert hostile.config.read_bytes() == OWN


def test_what_a_portal_says_does_not_steer_the_terminal(hostile: Laptop) -> None:
    with speaking({"error": "withheld", "message": "\x1b[2J\x07gone\r\nfake"}, 503) as (address, _):
        point_at(hostile, address)
        printed = hostile.run("sync", expect=1)
    assert "\x1b" not in printed
    assert "\x07" not in printed


def test_a_disconnected_laptop_is_told_to_sign_in_again(connected: Laptop) -> None:
    ClientToken.objects.update(revoked_at="2026-01-01T00:00:00Z")
    assert "Run: portal-config login" in connected.run("sync", expect=1)


def test_without_a_sign_in_it_says_how(laptop: Laptop) -> None:
    assert "is not connected yet" in laptop.run("sync", expect=1)
    laptop.sign_in.parent.mkdir(exist_ok=True, parents=True)
    laptop.sign_in.write_text("{")
    assert "cannot be read" in laptop.run("sync", expect=1)


def test_trouble_of_the_disk_is_told_in_a_sentence(connected: Laptop) -> None:
    connected.config.parent.write_bytes(b"a file in the folder's place")
    printed = connected.run("sync", expect=1)
    assert "Not a directory. Your config is as it was." in printed
    assert "Traceback" not in printed


def test_two_at_once_wait_for_each_other(connected: Laptop) -> None:
    lock = connected.sign_in.parent / "lock"
    with lock.open("ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert "Another portal-config is at work" in connected.run("sync", expect=1)
    connected.run("sync")


def test_an_editor_that_saved_meanwhile_wins(tmp_path: Path) -> None:
    """The file is read once more, just before it would be replaced."""
    path = tmp_path / "config"
    path.write_bytes(b"saved by an editor")
    with pytest.raises(Trouble, match="changed meanwhile"):
        store.replace_config(path, b"ours", was=b"what was read")
    assert path.read_bytes() == b"saved by an editor"
    assert list(tmp_path.iterdir()) == [path]


def test_a_terminal_that_knows_ascii_alone_is_told_everything(hostile: Laptop) -> None:
    hostile.more_environment = {"PYTHONIOENCODING": "ascii", "LC_ALL": "C"}
    hostile.write_config("# 日本語\n[default]\nregion = eu-west-1\n".encode())
    assert "+[profile willow-telemetry]" in hostile.run("diff", expect=1)


@pytest.mark.parametrize("told", [{}, {"nonce": 3}, {"verification_uri": "x"}, {"access_token": None}])
def test_an_answer_that_lacks_what_it_should_have_is_trouble(synced: Laptop, told: dict[str, object]) -> None:
    with speaking(told) as (address, _):
        point_at(synced, address)
        for command in (["login", "--device-code"], ["check", "--prove", "willow-telemetry"]):
            printed = synced.run(*command, expect=1)
            assert "Traceback" not in printed
