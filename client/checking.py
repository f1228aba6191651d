"""Whether this computer is ready: the AWS CLI, the config, the sign-in; and the proof of a role."""

import hashlib
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from client.changes import block_sections, problem_line
from client.portal import Portal
from client.store import config_path, read_config
from client.trouble import Trouble
from onboarding.core.awsconfig.files import ConfigFile
from onboarding.core.awsconfig.scanning import NoticeKind

_OLDEST_CLI, _BETTER_CLI = (2, 11), (2, 22)
_AWS_TIMEOUT = 60
_NONCE = re.compile(r"tobiishi\.[a-z0-9.-]{1,253}\.[0-9a-f]{32}")
_NOTICES = {
    NoticeKind.BYTE_ORDER_MARK: "a byte order mark begins the file: AWS CLI and boto3 cannot read it; save it without",
    NoticeKind.NOT_UTF8: "a comment is not UTF-8; AWS CLI and boto3 may refuse the file on another computer",
    NoticeKind.INHERITED_BY_ALL: "[DEFAULT] in capitals gives its settings to every profile, also to the portal's",
}


@dataclass(frozen=True, slots=True)
class Finding:
    is_good: bool
    text: str


def findings() -> Iterator[Finding]:
    yield _aws_cli()
    yield from _config(config_path())
    for header, settings in block_sections(read_config(config_path())).items():
        if header.startswith("sso-session "):
            yield _sso_session(header.removeprefix("sso-session "), settings.get("sso_start_url", ""))


def prove(portal: Portal, profile: str) -> str:
    """The session that AWS named to the portal. The token goes to this portal and is kept nowhere."""
    begun = portal.post("/client/proof/begin", role_arn=_role_arn(profile))
    if begun.status != 200:
        raise Trouble(begun.message or "The portal knows no role of yours by this profile's ARN.")
    nonce = begun.text("nonce")
    # What is signed must be of use to this portal alone.
    if not _NONCE.fullmatch(nonce) or not nonce.startswith(f"tobiishi.{portal.host}."):
        raise Trouble("The portal asks for a proof in another name than its own. Nothing was signed.")
    answer = portal.post("/client/proof/send", nonce=nonce, pasted=_signed(nonce, profile))
    if answer.status != 200:
        raise Trouble(answer.message or f"Not proven: {answer.error}.")
    return answer.text("session_arn")


def _aws_cli() -> Finding:
    found = shutil.which("aws")
    told = _output([found, "--version"]) if found else ""
    version = re.match(r"aws-cli/([0-9]+)\.([0-9]+)\.([0-9]+)", told)
    if not version:
        return Finding(False, "AWS CLI: not found. Install version 2.11 or newer.")
    name, number = f"AWS CLI {'.'.join(version.groups())}", (int(version[1]), int(version[2]))
    if number < _OLDEST_CLI:
        return Finding(False, f"{name}: too old. 2.11 or newer is needed, 2.22 is better.")
    return Finding(True, name if number >= _BETTER_CLI else f"{name}; 2.22 or newer signs in more safely")


def _config(path: Path) -> Iterator[Finding]:
    content = read_config(path)
    file = ConfigFile.parse(content)
    if file.problems:
        lines = [f"{path}: AWS CLI and SDKs cannot read it", *map(problem_line, file.problems)]
        yield Finding(False, "\n".join(lines))
        return
    for notice in file.notices:
        yield Finding(notice.kind is NoticeKind.NOT_UTF8, f"{path}, line {notice.line}: {_NOTICES[notice.kind]}")
    profiles = sum("role_arn" in settings for settings in block_sections(content).values())
    if file.block:
        yield Finding(True, f"{path}: readable, with {profiles} of the portal's profiles")
    else:
        yield Finding(False, f"{path}: nothing of the portal in it. Run: portal-config sync")


def _sso_session(name: str, start_url: str) -> Finding:
    """As the AWS CLI keeps it, in a file called after the session."""
    digest = hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest()
    try:
        kept = json.loads((Path.home() / ".aws" / "sso" / "cache" / f"{digest}.json").read_text(encoding="utf-8"))
        # With a refresh token the AWS CLI renews it by itself, as long as its own registration lasts.
        lasts = "registrationExpiresAt" if kept.get("refreshToken") else "expiresAt"
        until = datetime.fromisoformat(kept[lasts].replace("UTC", "Z"))
        is_signed_in = kept["startUrl"] == start_url and until > datetime.now(UTC)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        is_signed_in = False
    if not is_signed_in:
        return Finding(False, f"SSO session {name}: not signed in. Run: aws sso login --sso-session {name}")
    return Finding(True, f"SSO session {name}: signed in, at the longest until {until.astimezone():%Y-%m-%d %H:%M}")


def _role_arn(profile: str) -> str:
    file = ConfigFile.parse(read_config(config_path()))
    outside = (section.settings for section in file.outside.get(f"profile {profile}", []))
    settings = block_sections(read_config(config_path())).get(f"profile {profile}") or next(outside, {})
    if "role_arn" not in settings:
        raise Trouble(f"There is no profile {profile} with a role in {config_path()}.")
    return settings["role_arn"]


def _signed(nonce: str, profile: str) -> str:
    found = shutil.which("aws")
    if not found:
        raise Trouble("AWS CLI: not found. Install version 2.11 or newer.")
    command = [found, "eks", "get-token", "--cluster-name", nonce, "--profile", profile, "--output", "json"]
    try:
        done = _run(command)
    except subprocess.TimeoutExpired as error:
        raise Trouble(f"AWS CLI did not answer within {_AWS_TIMEOUT} seconds.") from error
    if done.returncode:
        raise Trouble(f"AWS CLI could not sign as {profile}:\n{done.stderr.strip()}")
    return done.stdout


def _output(command: list[str]) -> str:
    try:
        done = _run(command)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout or done.stderr


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, errors="replace", check=False, timeout=_AWS_TIMEOUT)
