"""`make demo`: what it announces, what it leaves behind, and what it survives."""

import json
import re
import signal
import socket
import sqlite3
import stat
import time
import urllib.request
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import boto3
import psutil
import pytest

from tests.running import RunningDemo

_MEGABYTE = 1024 * 1024
_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "sts:AssumeRole"}
    ],
}


def test_the_announcement_tells_a_script_all_that_it_needs(demo: RunningDemo) -> None:
    told = demo.told()
    assert set(told) == {"base", "users", "invitation", "sandbox"}
    assert told["base"] == f"http://127.0.0.1:{demo.port}"
    assert {user["role"] for user in told["users"]} == {"platform_admin", "employee"}
    assert all(set(user) == {"role", "email", "password"} for user in told["users"])
    assert told["invitation"].startswith(told["base"] + "/i/")
    assert set(told["sandbox"]) == {"endpoint", "console", "accounts"}
    assert all(
        set(account) == {"id", "name", "access_key_id", "secret_access_key"} for account in told["sandbox"]["accounts"]
    )


def test_every_announced_address_answers(demo: RunningDemo) -> None:
    told = demo.told()
    for address in (told["base"], told["invitation"], told["sandbox"]["console"], f"{told['base']}/readyz"):
        assert _get(address) == 200, address


def test_what_the_announcement_and_the_state_hold_is_for_their_owner_alone(demo: RunningDemo) -> None:
    kept = demo.state / "demo"
    private = [demo.announcement, *(kept / name for name in ("secret-key", "worker-credentials", "link-token"))]
    assert [stat.S_IMODE(path.stat().st_mode) for path in private] == [0o600] * len(private)
    assert stat.S_IMODE(kept.stat().st_mode) == 0o700


def test_partners_stand_in_every_stage(demo: RunningDemo) -> None:
    stages = _rows(demo, "SELECT role_name, state, first_used_at IS NOT NULL FROM onboarding_externalrole")
    assert {name: (state, bool(used)) for name, state, used in stages} == {
        "HoshinoTelemetry": ("invited", False),
        "HoshinoReportReader": ("unsafe", False),
        "HoshinoStockReader": ("proven", False),
        "HoshinoAlloyPrices": ("proven", True),
        "HoshinoMeterExport": ("refused", False),
        "HoshinoFleetReader": ("refused", False),
        "HoshinoFootageReader": ("registered", False),
    }


def test_nothing_listens_beyond_loopback(demo: RunningDemo) -> None:
    heard = [c.laddr.ip for process in demo.processes() for c in process.net_connections() if c.status == "LISTEN"]
    assert len(heard) >= 3
    assert set(heard) == {"127.0.0.1"}


def test_all_processes_together_stay_under_500_megabytes(demo: RunningDemo) -> None:
    assert sum(process.memory_info().rss for process in demo.processes()) < 500 * _MEGABYTE


def test_the_web_server_does_not_hold_the_keys_of_the_worker(demo: RunningDemo) -> None:
    secret = (demo.state / "demo" / "worker-credentials").read_text().rsplit("=", 1)[1].strip()
    for process in demo.processes():
        assert secret not in " ".join(process.environ().values())
    web = next(process for process in demo.processes() if "gunicorn" in process.cmdline())
    assert not Path(web.environ()["AWS_SHARED_CREDENTIALS_FILE"]).exists()


def test_a_taken_port_is_named_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        refused = RunningDemo(tmp_path, port=port)
        refused.launch()
        assert refused.supervisor.wait(60) == 1
    assert re.fullmatch(rf"Port {port} is taken. Choose another one: PORT=[0-9]+ make demo\n", refused.output())
    assert list((tmp_path / "demo" / "logs").iterdir()) == []


def test_a_second_demo_in_the_same_folder_is_refused_and_the_first_goes_on(demo: RunningDemo) -> None:
    second = RunningDemo(demo.state)
    first_output = demo.output()
    second.launch()
    assert second.supervisor.wait(60) == 1
    assert f"A demo runs already at http://127.0.0.1:{demo.port}/" in second.output()
    (demo.state / "output").write_text(first_output)
    assert _get(demo.told()["base"]) == 200


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_demo_that_is_asked_to_end_leaves_nothing_and_keeps_everything(
    start_copy: Callable[[], RunningDemo], number: signal.Signals
) -> None:
    running = start_copy()
    before, stages = running.told(), _stages(running)
    assert running.end(number) == 0
    assert running.survivors() == []
    assert not running.announcement.exists()
    running.start()
    assert running.told() == before
    assert _stages(running) == stages


def test_after_a_kill_nothing_survives_and_everything_is_kept(start_copy: Callable[[], RunningDemo]) -> None:
    running = start_copy()
    before = running.told()
    made = _make_role(before, "MadeJustBeforeTheKill")
    assert running.end(signal.SIGKILL) == -signal.SIGKILL
    assert running.survivors() == []
    assert running.announcement.exists()
    running.start()
    assert running.told() == before
    iam = _iam(running.told())
    assert iam.get_role(RoleName="MadeJustBeforeTheKill")["Role"]["Arn"] == made


def test_a_first_start_that_was_killed_is_taken_up_by_the_next_one(tmp_path: Path) -> None:
    with RunningDemo(tmp_path) as running:
        running.launch()
        _wait(lambda: len(_stages(running)) >= 3)
        running.end(signal.SIGKILL)
        assert not (tmp_path / "demo" / "sample.json").exists()
        running.start()
        assert sorted(state for _, state in _stages(running)) == sorted(
            ["invited", "unsafe", "proven", "proven", "refused", "refused", "registered"]
        )
        assert _get(running.told()["invitation"]) == 200


@pytest.mark.parametrize("name", ["broker", "sandbox", "web", "worker"])
def test_a_process_that_dies_is_named_with_its_log_and_stops_the_demo(
    start_copy: Callable[[], RunningDemo], name: str
) -> None:
    running = start_copy()
    words = {"broker": "valkey-server", "web": "gunicorn", "worker": "celery"}
    victim = next(
        process
        for leash in psutil.Process(running.supervisor.pid).children()
        for process in leash.children()
        if words.get(name, name) in " ".join(process.cmdline())
    )
    rest = running.processes()[1:]
    victim.kill()
    assert running.supervisor.wait(60) == 1
    assert f"The {name} ended with status 137. The end of " in running.output()
    assert psutil.wait_procs(rest, timeout=30)[1] == []
    assert not running.announcement.exists()


def test_a_link_that_was_revoked_is_replaced_by_the_next_start(start_copy: Callable[[], RunningDemo]) -> None:
    running = start_copy()
    before = running.told()["invitation"]
    running.end()
    with closing(_database(running)) as database, database:
        database.execute("UPDATE onboarding_invitation SET revoked_at = CURRENT_TIMESTAMP WHERE revoked_at IS NULL")
    running.start()
    assert running.told()["invitation"] != before
    assert _get(running.told()["invitation"]) == 200


def _get(address: str) -> int:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor())
    with opener.open(address, timeout=10) as answer:
        return int(answer.status)


def _database(demo: RunningDemo) -> sqlite3.Connection:
    return sqlite3.connect(demo.state / "demo" / "portal.sqlite3", timeout=10)


def _rows(demo: RunningDemo, query: str) -> list[Any]:
    with closing(_database(demo)) as database:
        return database.execute(query).fetchall()


def _stages(demo: RunningDemo) -> list[Any]:
    """None as long as there is no table."""
    try:
        return _rows(demo, "SELECT role_name, state FROM onboarding_externalrole ORDER BY role_name")
    except sqlite3.OperationalError:
        return []


def _make_role(told: dict[str, Any], name: str) -> str:
    made = _iam(told).create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(_TRUST))
    return str(made["Role"]["Arn"])


def _iam(told: dict[str, Any]) -> Any:
    account = told["sandbox"]["accounts"][0]
    return boto3.client(
        "iam",
        endpoint_url=told["sandbox"]["endpoint"],
        region_name="us-east-1",
        aws_access_key_id=account["access_key_id"],
        aws_secret_access_key=account["secret_access_key"],
    )


def _wait(until: Callable[[], bool], *, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < deadline
        time.sleep(0.01)
