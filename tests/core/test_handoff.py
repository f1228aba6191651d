"""The forms of the hand-off as text: byte for byte, and safe whatever is in the names."""

import shlex
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onboarding.core import trust
from onboarding.core.arns import AccountId, Partition, RoleArn
from onboarding.core.handoff import WantedRole, console, removal, shell
from onboarding.core.handoff.console import Step
from tests.core.test_trust import callers

GOLDEN = Path(__file__).parent.parent / "golden" / "handoff"
POLICY = trust.trust_policy(callers(), external_id="tbi-7q2m-9xkd-41vn-hc8e-2m4p")
NAMES = st.text("ABCxyz019_+=,.@-", min_size=1, max_size=64)


def wanted(arn: RoleArn | None = None, *, description: str = "Made for the request TB-2026-0147") -> WantedRole:
    arn = arn or RoleArn.parse("arn:aws:iam::303040405050:role/HoshinoTelemetry")
    return WantedRole(arn=arn, description=description, trust_policy=POLICY)


def role(name: str = "HoshinoTelemetry", path: str = "/") -> RoleArn:
    return RoleArn(Partition.AWS, AccountId("303040405050"), path, name)


def test_the_commands_are_the_golden_ones():
    assert shell.script(wanted()) == (GOLDEN / "make-role.sh").read_text()


def test_the_commands_carry_the_path_of_a_role_that_has_one():
    assert shell.script(wanted(role(path="/partners/hoshino/"))) == (GOLDEN / "make-role-with-path.sh").read_text()


@pytest.mark.parametrize("bad", ["a b", "a'b", "$(id)", "`id`", "a\nb", "", "a" * 65, "a\\b", "ä", "a;b", "a\n"])
def test_a_name_that_could_mean_something_to_a_shell_makes_no_form(bad):
    with pytest.raises(ValueError, match="not a plain name"):
        wanted(role(name=bad))


@pytest.mark.parametrize("bad", ["/a b/", "/$(id)/", "a/", "//", "/a'/", "/a/\n"])
def test_a_path_that_could_mean_something_to_a_shell_makes_no_form(bad):
    with pytest.raises(ValueError, match="not a plain path"):
        wanted(role(path=bad))


@pytest.mark.parametrize("bad", ["it's", "$HOME", "`id`", "two\nlines", "", "星野商事", 'a"b', "a" * 201])
def test_a_description_that_could_mean_something_to_a_shell_makes_no_form(bad):
    with pytest.raises(ValueError, match="not a plain description"):
        wanted(description=bad)


@given(name=NAMES, path=st.lists(NAMES, max_size=3))
def test_whatever_iam_takes_as_a_name_stays_one_word(name, path):
    arn = role(name, "/" + "".join(f"{part}/" for part in path))
    words = shlex.split(shell.script(wanted(arn)), comments=True)
    assert f"role={name}" in words
    assert f"--path={arn.path}" in words


@pytest.mark.parametrize("sh", ["sh", "bash"])
def test_a_shell_reads_the_commands_without_complaint(sh):
    read = subprocess.run([sh, "-n"], input=shell.script(wanted()), text=True, capture_output=True, check=False)
    assert (read.returncode, read.stderr) == (0, "")


def test_the_policy_travels_as_it_is():
    inside = shell.script(wanted()).split("<<'TRUST_POLICY'\n")[1].split("TRUST_POLICY\n")[0]
    assert inside == trust.policy_text(POLICY)


def test_a_role_that_exists_keeps_all_but_its_trust_policy():
    assert console.steps(exists=False)[0] is Step.CREATE_WITH_CUSTOM_TRUST
    assert Step.ATTACH_PERMISSIONS not in console.steps(exists=True)
    assert all(steps[-1] is Step.COPY_ARN for steps in (console.CREATE, console.CHANGE))


def test_the_commands_that_delete_a_role_are_the_golden_ones():
    assert removal.script(role()) == (GOLDEN / "delete-role.sh").read_text()
    assert removal.file_name(role()) == "delete-HoshinoTelemetry.sh"


@given(NAMES)
def test_what_deletes_a_role_says_its_name_once_and_quoted(name):
    lines = [line for line in removal.script(role(name)).splitlines() if line.startswith("role=")]
    assert [shlex.split(line) for line in lines] == [[f"role={name}"]]
