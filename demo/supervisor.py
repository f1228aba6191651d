"""Brings the demo up, announces it, watches it and takes it down."""

import configparser
import hashlib
import io
import json
import signal
import time
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from demo.children import Children
from demo.organization import Organization, fetch
from demo.plan import Plan
from demo.state import CHECKOUT, State, write_private

_START_SECONDS = 60.0
_SAMPLE_SECONDS = 120.0
_FRONT_SECONDS = 4.0
_BACK_SECONDS = 3.0
_WATCH_SECONDS = 0.2


def supervise(plan: Plan, lock: int) -> None:
    """Until Ctrl-C. Raises `children.Failed` where a process of the demo ends first."""
    children = Children(logs=plan.state.path("logs"), lock=lock)
    try:
        announcement = bring_up(plan, children)
        write_private(plan.state.announcement, json.dumps(announcement, indent=2))
        print(welcome(plan, announcement), flush=True)
        while True:
            children.check()
            time.sleep(_WATCH_SECONDS)
    finally:
        _ignore_signals()
        plan.state.announcement.unlink(missing_ok=True)
        # What serves people and does work ends first: it still needs what is behind it.
        children.stop(["web", "worker", "sample", "migrate"], within=_FRONT_SECONDS)
        children.stop_all(within=_BACK_SECONDS)


def bring_up(plan: Plan, children: Children) -> dict[str, Any]:
    """In parallel where nothing must wait: a later start has a database, a sample and keys already."""
    children.start(plan.sandbox())
    if not plan.redis_url:
        children.start(plan.broker())
    _bring_database_up_to_date(plan, children)
    # It starts faster than a migration, and knows the keys of the others.
    children.wait_until_ready("sandbox", within=_START_SECONDS)
    organization = fetch(plan.sandbox_port)
    children.start(plan.web(organization.templates))
    write_private(plan.worker_credentials, _credentials(organization))
    children.start(plan.worker())
    children.start(plan.sample())
    for name in children.names:
        children.wait_until_ready(name, within=_START_SECONDS)
    children.wait_for_end("sample", within=_SAMPLE_SECONDS)
    return announce(plan, organization)


def _bring_database_up_to_date(plan: Plan, children: Children) -> None:
    kept = plan.state.path("migrated")
    wanted = _fingerprint(plan)
    if kept.exists() and kept.read_text() == wanted:
        return
    children.start(plan.migrate())
    children.wait_for_end("migrate", within=_START_SECONDS)
    write_private(kept, wanted)


def _fingerprint(plan: Plan) -> str:
    """Of everything that could ask for a migration."""
    sources = [*sorted((CHECKOUT / "onboarding" / "migrations").glob("*.py")), CHECKOUT / "requirements-demo.txt"]
    digest = hashlib.sha256(plan.database_url.encode())
    for path in sources:
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _credentials(organization: Organization) -> str:
    keys = organization.bastion.worker
    file = configparser.ConfigParser(interpolation=None)
    file["default"] = {
        "aws_access_key_id": keys.access_key_id,
        "aws_secret_access_key": keys.secret_access_key,
    }
    text = io.StringIO()
    file.write(text)
    return text.getvalue()


def announce(plan: Plan, organization: Organization) -> dict[str, Any]:
    """`var/demo.json`: what a test or a script needs to use the demo."""
    sample = json.loads(plan.state.path("sample.json").read_text())
    return {
        "base": plan.base,
        "users": sample["users"],
        "invitation": plan.base + sample["invitation"],
        "sandbox": {
            "endpoint": plan.endpoint,
            "console": plan.console,
            "accounts": [
                {
                    "id": account.id,
                    "name": account.name,
                    "access_key_id": account.keys.access_key_id,
                    "secret_access_key": account.keys.secret_access_key,
                }
                for account in organization.partners
            ],
        },
    }


def welcome(plan: Plan, announcement: dict[str, Any]) -> str:
    people = announcement["users"]
    admin = next(user for user in people if user["role"] == "platform_admin")
    employees = [user for user in people if user["role"] == "employee"]
    return "\n".join(
        [
            "",
            f"Tobiishi runs at {plan.base}/ with a local stand-in for AWS.",
            "",
            "  Platform admin   sign in as",
            f"                     {admin['email']}   {admin['password']}",
            "  Employee         sign in as",
            *(f"                     {user['email']}   {user['password']}" for user in employees),
            "  Partner          no sign-in; open the invitation",
            f"                     {announcement['invitation']}",
            "                   and create the role in the partner's AWS console",
            f"                     {plan.console}",
            "",
            "Ctrl-C stops everything and keeps it for the next start. `make demo-reset` begins again.",
            f"Mail: {plan.mailbox}   Logs: {_short(plan.state, 'logs')}",
        ]
    )


def _short(state: State, name: str) -> Path:
    path = state.path(name)
    return path.relative_to(CHECKOUT) if path.is_relative_to(CHECKOUT) else path


def stop_on_signals() -> None:
    """Also where a shell has started the demo in the background, which lets SIGINT be ignored."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _ignore_signals() -> None:
    """Stopping takes a few seconds at most, and goes through."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
