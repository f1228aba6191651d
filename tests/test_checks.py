"""System checks: what `manage.py check --deploy` says before a portal serves."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

_CHECKOUT = Path(__file__).resolve().parent.parent
_PRODUCTION = {
    "PATH": os.environ["PATH"],
    "ENV_FILE": os.devnull,
    "SECRET_KEY": "as-long-as-one-must-be-and-of-many-characters-0123456789",
    "PUBLIC_URL": "https://portal.example.com",
    "TRUSTED_PROXY_COUNT": "1",
    "DATABASE_URL": "postgres://portal@db.example.com/portal",
    "ORGANIZATION_NAME": "Example Trading",
    "CONTACT_NAME": "Platform team",
    "CONTACT_EMAIL": "platform@example.com",
    "EMAIL_URL": "smtp+tls://mail.example.com:587",
}


def _check(**changed: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    environment = _PRODUCTION | changed
    return subprocess.run(command, cwd=_CHECKOUT, env=environment, text=True, capture_output=True, check=False)


def test_a_production_environment_passes_without_a_warning() -> None:
    result = _check()
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    ("changed", "warning"),
    [
        ({"ORGANIZATION_NAME": "Your organization"}, "onboarding.W001"),
        ({"CONTACT_EMAIL": ""}, "onboarding.W002"),
        ({"SANDBOX": "1", "AWS_ENDPOINT_URL": "http://127.0.0.1:4566"}, "onboarding.W003"),
        ({"PUBLIC_URL": "http://portal.example.com"}, "security.W012"),
        ({"DEBUG": "1"}, "security.W018"),
    ],
)
def test_what_a_person_should_know_about_is_told(changed: dict[str, str], warning: str) -> None:
    result = _check(**changed)
    assert result.returncode == 1
    assert warning in result.stderr
