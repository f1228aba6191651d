"""portal-config as a program of its own, on a laptop of its own, against a portal that listens."""

import json
import os
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
import requests
from django.conf import settings as django_settings
from django.test import Client

from onboarding.models import ExternalRole, Person
from tests import factories
from tests.misbehaving import Serving, answering, serving

BUILT = Path(django_settings.BASE_DIR) / "client" / "portal_config.py"
_CSRF = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


class Laptop:
    """`home` is all that it has; `portal` is where its portal listens."""

    def __init__(self, home: Path, portal: str) -> None:
        self.home = home
        self.portal = portal
        self.more_environment: dict[str, str] = {}

    @property
    def config(self) -> Path:
        return self.home / ".aws" / "config"

    @property
    def sign_in(self) -> Path:
        return self.home / ".config" / "portal-config" / "sign-in.json"

    @property
    def backups(self) -> list[Path]:
        return sorted(self.config.parent.glob("config.backup-*"))

    @property
    def environment(self) -> dict[str, str]:
        # "true" takes the place of a browser: it opens nothing.
        own = {"HOME": str(self.home), "BROWSER": "true", "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
        return own | self.more_environment

    def run(self, *arguments: str, expect: int | None = 0, answers: str | None = None) -> str:
        """What it prints; `answers` are typed at a terminal."""
        if answers is not None:
            return self._at_a_terminal(arguments, answers, expect or 0)
        done = subprocess.run(self._command(arguments), check=False, **self._options())
        assert expect in {done.returncode, None}, done.stdout + done.stderr
        return done.stdout + done.stderr

    def run_other(self, *command: str) -> str:
        """Another program of this laptop's."""
        # Found on the laptop's own PATH, not on that of the tests.
        found = shutil.which(command[0], path=self.environment["PATH"])
        assert found
        return subprocess.run([found, *command[1:]], check=True, **self._options()).stdout

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self._command(arguments), env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def write_config(self, content: bytes, *, mode: int = 0o600) -> None:
        self.config.parent.mkdir(exist_ok=True)
        self.config.write_bytes(content)
        self.config.chmod(mode)

    def connect(self, person: Person) -> None:
        """As after a sign-in, without one."""
        _, client = factories.connect_laptop(person)
        token = client.defaults["HTTP_AUTHORIZATION"].removeprefix("Bearer ")
        self.sign_in.parent.mkdir(parents=True, mode=0o700)
        self.sign_in.write_text(f'{{"portal": "{self.portal}", "token": "{token}"}}')

    def _command(self, arguments: tuple[str, ...]) -> list[str]:
        return [sys.executable, "-I", str(BUILT), *arguments]

    def _options(self) -> dict[str, Any]:
        return {
            "env": self.environment,
            "stdin": subprocess.DEVNULL,
            "capture_output": True,
            "text": True,
            "timeout": 60,
        }

    def _at_a_terminal(self, arguments: tuple[str, ...], answers: str, expect: int) -> str:
        ours, theirs = os.openpty()
        os.write(ours, answers.encode())
        with subprocess.Popen(
            self._command(arguments), env=self.environment, stdin=theirs, stdout=theirs, stderr=theirs
        ) as program:
            os.close(theirs)
            printed = b"".join(_read_terminal(ours))
            assert program.wait(60) == expect, printed.decode()
        os.close(ours)
        return printed.decode()


def _read_terminal(terminal: int) -> Iterator[bytes]:
    try:
        while piece := os.read(terminal, 4096):
            yield piece
    except OSError:
        return


class Browser:
    """In which a person has signed in; reads pages, and sends their forms."""

    def __init__(self, portal: str, person: Person) -> None:
        client = Client()
        client.force_login(person)
        self._session = requests.Session()
        self._session.cookies.set("sessionid", client.cookies["sessionid"].value)
        self.portal = portal

    def decide(self, page: str, **form: str) -> requests.Response:
        """Opens the page, and sends its form with this decision; a redirect is followed as a browser would."""
        shown = self._session.get(page, timeout=10)
        assert shown.status_code == 200, shown.text
        hidden = dict(re.findall(r'<input type="hidden" name="([a-z_]+)" value="([^"]*)"', shown.text))
        token = _CSRF.search(shown.text)
        assert token
        sent = {**hidden, **form, "csrfmiddlewaretoken": token[1]}
        return self._session.post(page.partition("?")[0], data=sent, timeout=10)


@pytest.fixture
def laptop(live_server: Any, settings: Any, tmp_path: Path, empty_cache: None) -> Laptop:
    settings.PUBLIC_URL = live_server.url
    return Laptop(tmp_path, live_server.url)


@pytest.fixture
def browser(live_server: Any, carol: Person) -> Browser:
    return Browser(live_server.url, carol)


@pytest.fixture
def willow(transactional_db: None, carol: Person) -> ExternalRole:
    """Proven, and granted to carol."""
    role = factories.make_checked_role(factories.make_role(profile_name="willow-telemetry"))
    factories.make_grant(role, carol)
    return role


@pytest.fixture
def synced(connected: Laptop) -> Laptop:
    connected.run("sync")
    return connected


@pytest.fixture
def connected(laptop: Laptop, willow: ExternalRole, carol: Person) -> Laptop:
    laptop.connect(carol)
    return laptop


def point_at(laptop: Laptop, address: str) -> None:
    """As if the portal's address were somebody else's now."""
    kept = json.loads(laptop.sign_in.read_text())
    laptop.sign_in.write_text(json.dumps(kept | {"portal": address}))


def speaking(told: object, status: int = 200, **headers: str) -> AbstractContextManager[Serving]:
    """A server that answers everything with this."""
    return serving(answering(status, told if isinstance(told, str) else json.dumps(told), **headers))


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)
