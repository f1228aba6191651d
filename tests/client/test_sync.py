"""diff, sync and prune on a laptop's own file: nothing of the person's is lost, whatever happens."""

import os

import pytest

from onboarding.models import AuditEvent, Bastion, ExternalRole, Person
from tests import factories
from tests.client.conftest import Laptop, mode_of

pytestmark = pytest.mark.django_db(transaction=True)
OWN = b"# Carol's own\n[default]\nregion = eu-west-1\n"
BEGIN = b"# >>> managed by Tobiishi >>>"


def test_sync_puts_the_block_below_what_is_there_and_keeps_a_backup(connected: Laptop) -> None:
    connected.write_config(OWN, mode=0o640)
    printed = connected.run("sync")
    content = connected.config.read_bytes()
    assert content.startswith(OWN + b"\n" + BEGIN)
    assert b"[profile willow-telemetry]" in content
    assert mode_of(connected.config) == 0o640
    assert [backup.read_bytes() for backup in connected.backups] == [OWN]
    assert mode_of(connected.backups[0]) == 0o640
    assert str(connected.backups[0]) in printed
    assert "aws sso login --sso-session hoshino" in printed
    assert {path.name for path in connected.config.parent.iterdir()} == {"config", connected.backups[0].name}


def test_a_new_file_is_its_owners_alone(connected: Laptop) -> None:
    connected.run("sync")
    assert mode_of(connected.config) == 0o600
    assert mode_of(connected.config.parent) == 0o700
    assert connected.backups == []


def test_syncing_twice_writes_once_and_asks_the_portal_for_next_to_nothing(connected: Laptop) -> None:
    connected.run("sync")
    before = connected.config.stat()
    assert "Nothing to change." in connected.run("sync")
    assert connected.config.stat().st_mtime_ns == before.st_mtime_ns
    assert connected.config.stat().st_ino == before.st_ino
    assert connected.backups == []
    # The second answer was 304, which is no event.
    assert AuditEvent.objects.filter(action="config_taken").count() == 1


def test_diff_shows_the_change_and_makes_none(connected: Laptop) -> None:
    connected.write_config(OWN)
    printed = connected.run("diff", expect=1)
    assert "+[profile willow-telemetry]" in printed
    assert " region = eu-west-1" in printed
    assert connected.config.read_bytes() == OWN
    connected.run("sync")
    assert "Nothing to change." in connected.run("diff")


def test_a_profile_that_ended_disappears_and_a_new_one_comes(connected: Laptop, carol: Person, willow) -> None:
    connected.run("sync")
    willow.grants.all().delete()
    factories.make_grant(factories.make_checked_role(factories.make_role(profile_name="cedar-stock")), carol)
    connected.run("sync")
    content = connected.config.read_text()
    assert "[profile cedar-stock]" in content
    assert "willow-telemetry" not in content


@pytest.mark.parametrize(
    "own",
    [
        b"[default]\r\nregion = eu-west-1\r\n",
        b"# \x93\xfa\x96{\n[default]\nregion = eu-west-1",
        b"\xef\xbb\xbf[default]\r\nregion = eu-west-1\r\n\r\n\r\n",
        b"[default]\n; odd\n\tregion=eu-west-1\n\n[services x]\ns3 =\n  endpoint_url = https://example.com\n",
    ],
)
def test_every_byte_outside_the_block_stays_and_prune_gives_the_file_back(connected: Laptop, own: bytes) -> None:
    connected.write_config(own)
    connected.run("sync")
    content = connected.config.read_bytes()
    assert content.startswith(own)
    if b"\r\n" in own:
        assert b"\n" not in content.replace(b"\r\n", b"")
    connected.run("prune")
    without = connected.config.read_bytes()
    assert without.startswith(own)
    assert without.strip() == own.strip()
    assert "Nothing of the portal" in connected.run("prune")


def test_a_link_stays_a_link(connected: Laptop) -> None:
    target = connected.home / "dotfiles" / "aws-config"
    target.parent.mkdir()
    target.write_bytes(OWN)
    connected.config.parent.mkdir()
    connected.config.symlink_to(target)
    connected.run("sync")
    assert connected.config.is_symlink()
    assert b"willow-telemetry" in target.read_bytes()
    assert [path.read_bytes() for path in target.parent.glob("aws-config.backup-*")] == [OWN]


def test_what_is_no_file_is_left_alone(connected: Laptop) -> None:
    connected.config.parent.mkdir()
    connected.more_environment = {"AWS_CONFIG_FILE": os.devnull}
    assert "is no ordinary file" in connected.run("sync", expect=1)


def test_the_environment_may_name_another_file(connected: Laptop) -> None:
    connected.more_environment = {"AWS_CONFIG_FILE": str(connected.home / "elsewhere")}
    connected.run("sync")
    assert b"willow-telemetry" in (connected.home / "elsewhere").read_bytes()
    assert not connected.config.exists()


def test_a_file_that_aws_cannot_read_is_diagnosed_and_left_alone(connected: Laptop) -> None:
    broken = b"[default]\nregion = eu-west-1\n[default]\nnonsense\n"
    connected.write_config(broken)
    printed = connected.run("sync", expect=1)
    assert "line 3: [default] stands twice" in printed
    assert "line 4: this is no setting: nonsense" in printed
    assert connected.config.read_bytes() == broken
    assert connected.backups == []


# --- Conflicts


@pytest.fixture
def conflicting(connected: Laptop) -> Laptop:
    connected.write_config(b"[profile willow-telemetry]\nregion = eu-west-1\n")
    return connected


def test_a_conflict_is_told_and_nothing_is_written(conflicting: Laptop) -> None:
    before = conflicting.config.read_bytes()
    for command in ("diff", "sync"):
        printed = conflicting.run(command, expect=3)
        assert '"profile willow-telemetry", line 1' in printed
        assert "--keep SECTION" in printed
    assert conflicting.config.read_bytes() == before


@pytest.mark.parametrize(
    ("flags", "kept", "ours"),
    [
        (["--keep", "willow-telemetry"], True, None),
        (["--take", "profile willow-telemetry"], False, b"[profile willow-telemetry]"),
        (["--rename", "willow-telemetry=willow-portal"], True, b"[profile willow-portal]"),
    ],
)
def test_flags_decide_and_are_remembered(conflicting: Laptop, flags: list[str], kept: bool, ours: bytes | None) -> None:
    conflicting.run("sync", *flags)
    outside, _, block = conflicting.config.read_bytes().partition(BEGIN)
    assert (b"region = eu-west-1" in outside) is kept
    assert (b"role_arn" in block) is bool(ours)
    if ours:
        assert ours in block
    assert "Nothing to change." in conflicting.run("sync")


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("k\n", b"# kept yours: profile willow-telemetry"),
        ("x\nt\n", b"[profile willow-telemetry]"),
        ("r\nbad name\nr\nwillow-portal\n", b"# renamed: profile willow-telemetry -> willow-portal"),
    ],
)
def test_at_a_terminal_it_asks(conflicting: Laptop, typed: str, expected: bytes) -> None:
    printed = conflicting.run("sync", answers=typed)
    assert "[k]eep mine" in printed
    assert expected in conflicting.config.read_bytes().partition(BEGIN)[2]


def test_a_new_name_that_is_none_is_refused(conflicting: Laptop) -> None:
    assert "cannot be called" in conflicting.run("sync", "--rename", "willow-telemetry=default", expect=3)
    assert "is not SECTION=NEW-NAME" in conflicting.run("sync", "--rename", "willow-telemetry", expect=2)


# --- What a thief would change


CHANGES = {
    "sso_start_url": ("https://d-1111111111.awsapps.com/start", "the start URL of [sso-session hoshino]"),
    "sso_region": ("eu-west-1", "the SSO region of [sso-session hoshino]"),
    "account_id": ("999988887777", "the bastion account of [profile hoshino-bastion]"),
}


@pytest.mark.parametrize("column", CHANGES)
def test_a_change_of_where_one_signs_in_asks_first(synced: Laptop, column: str) -> None:
    value, told = CHANGES[column]
    Bastion.objects.update(**{column: value})
    before = synced.config.read_bytes()
    printed = synced.run("sync", expect=3)
    assert told in printed
    assert value in printed
    assert "--accept-changes" in printed
    assert synced.config.read_bytes() == before
    assert synced.run("sync", answers="n\n", expect=3).rstrip().endswith("Nothing was changed.")
    assert synced.config.read_bytes() == before
    synced.run("sync", answers="y\n")
    assert value in synced.config.read_text()


def test_a_new_way_around_is_a_change_too(synced: Laptop, willow: ExternalRole) -> None:
    """Another session's name with another start URL, and the same profile through it."""
    Bastion.objects.update(sso_session_name="hoshino2", sso_start_url="https://d-1111111111.awsapps.com/start")
    printed = synced.run("sync", expect=3)
    assert "the start URL of [sso-session hoshino2] is new: https://d-1111111111.awsapps.com/start" in printed
    assert "the source profile of [profile willow-telemetry]: hoshino-bastion → hoshino2-bastion" in printed
    synced.run("sync", "--accept-changes")


def test_the_first_time_nothing_changes_so_nothing_is_asked(connected: Laptop) -> None:
    connected.run("sync")
    assert b"sso_start_url" in connected.config.read_bytes()
