"""docker-compose.yml without Docker: its commands, run natively against PostgreSQL and Redis."""

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
import redis
import requests
import yaml
from django.conf import settings

from tests.embedded import free_port

CHECKOUT = Path(__file__).resolve().parent.parent
_OWN = f"tobiishi_compose_{os.getpid()}"
_PUBLIC = "portal.example.com"

on_servers = pytest.mark.skipif(
    not settings.DATABASES["default"]["ENGINE"].endswith("postgresql"), reason="without PostgreSQL and Redis"
)


class Composed:
    """The portal's services as docker-compose.yml starts them, on a port of our own."""

    def __init__(self, environment: dict[str, str], logs: Path) -> None:
        self.port = free_port()
        self.environment = environment
        self._logs = logs
        self._services: dict[str, Any] = yaml.safe_load((CHECKOUT / "docker-compose.yml").read_text())["services"]

    def run(self, service: str) -> None:
        subprocess.run(self._command(service), cwd=CHECKOUT, env=self.environment, check=True, capture_output=True)

    def start(self, service: str) -> subprocess.Popen[bytes]:
        with (self._logs / f"{service}.log").open("wb") as log:
            return subprocess.Popen(
                self._command(service), cwd=CHECKOUT, env=self.environment, stdout=log, stderr=subprocess.STDOUT
            )

    def _command(self, service: str) -> list[str]:
        """As the image would find it: programs of the virtual environment come first."""
        program, *arguments = shlex.split(self._services[service]["command"])
        here = [argument.replace("0.0.0.0:8000", f"127.0.0.1:{self.port}") for argument in arguments]
        return [str(Path(sys.executable).with_name(program)), *here]


@pytest.fixture(scope="module")
def sandbox_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    port = free_port()
    folder = tmp_path_factory.mktemp("sandbox")
    sandbox = subprocess.Popen([sys.executable, "-m", "sandbox", "--port", str(port), "--state", folder], cwd=CHECKOUT)
    _wait(lambda: _answers(f"http://127.0.0.1:{port}/_sandbox/health"))
    yield port
    _end(sandbox)


@pytest.fixture(scope="module")
def environment(sandbox_port: int) -> Iterator[dict[str, str]]:
    """Production's, but for AWS; a database and a key prefix of our own."""
    server = urlsplit(os.environ["DATABASE_URL"])
    worker = requests.get(f"http://127.0.0.1:{sandbox_port}/_sandbox/organization", timeout=5).json()["bastion"][
        "worker"
    ]
    with psycopg.connect(urlunsplit(server._replace(path="/postgres")), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {_OWN}")
        yield {
            "PATH": os.environ["PATH"],
            "ENV_FILE": os.devnull,
            "DJANGO_SETTINGS_MODULE": "portal.settings",
            "SECRET_KEY": "as-long-as-one-must-be-and-of-many-characters-0123456789",
            "PUBLIC_URL": f"https://{_PUBLIC}",
            "TRUSTED_PROXY_COUNT": "1",
            "DATABASE_URL": urlunsplit(server._replace(path=f"/{_OWN}")),
            "REDIS_URL": settings.REDIS_URL,
            "REDIS_KEY_PREFIX": _OWN,
            "SANDBOX": "1",
            "IAM_PROPAGATION_SECONDS": "0",
            "SWEEP_SECONDS": "1",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{sandbox_port}",
            "AWS_ACCESS_KEY_ID": worker["access_key_id"],
            "AWS_SECRET_ACCESS_KEY": worker["secret_access_key"],
        }
        admin.execute(f"DROP DATABASE {_OWN} WITH (FORCE)")
    with redis.Redis.from_url(settings.REDIS_URL) as server_of_keys:
        for key in server_of_keys.scan_iter(f"*{_OWN}*"):
            server_of_keys.delete(key)


@on_servers
def test_its_commands_serve_pages_and_do_the_work(
    environment: dict[str, str], sandbox_port: int, tmp_path: Path
) -> None:
    composed = Composed(environment, tmp_path)
    composed.run("migrate")
    with ExitStack() as ending:
        for service in ("web", "worker", "beat"):
            ending.callback(_end, composed.start(service))
        _wait(lambda: _ready(composed.port) == {"database": "ok", "broker": "ok"})
        # Registers, returns and has checked one role in each stage: it ends when the worker has done all of it.
        fill = [sys.executable, "-m", "demo.sample", "--sandbox-port", str(sandbox_port)]
        subprocess.run([*fill, "--out", tmp_path / "sample.json"], cwd=CHECKOUT, env=environment, check=True)
        with psycopg.connect(environment["DATABASE_URL"]) as database:
            verdicts = {row[0] for row in database.execute("SELECT verdict FROM onboarding_validation").fetchall()}
        assert {"proven"} < verdicts
        _wait(lambda: "onboarding.sweep" in (tmp_path / "worker.log").read_text())


def test_every_service_of_the_portal_waits_for_what_it_needs_and_runs_confined() -> None:
    services = yaml.safe_load((CHECKOUT / "docker-compose.yml").read_text())["services"]
    portal = {name: service for name, service in services.items() if service["image"] == "tobiishi"}
    assert set(portal) == {"migrate", "web", "worker", "beat"}
    for name, service in portal.items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["depends_on"], name
    assert services["web"]["ports"] == ["127.0.0.1:8000:8000"]


def test_the_manual_names_the_same_commands() -> None:
    services = yaml.safe_load((CHECKOUT / "docker-compose.yml").read_text())["services"]
    manual = (CHECKOUT / "docs" / "operate.md").read_text()
    for name in ("web", "worker", "beat"):
        assert f"`{services[name]['command']}`" in manual, name


def _ready(port: int) -> Any:
    try:
        return requests.get(f"http://127.0.0.1:{port}/readyz", headers={"Host": _PUBLIC}, timeout=2).json()
    except requests.RequestException:
        return None


def _answers(address: str) -> bool:
    try:
        return requests.get(address, timeout=2).ok
    except requests.RequestException:
        return False


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _wait(until: Callable[[], bool], *, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < deadline
        time.sleep(0.05)
