"""Settings: each is documented, and a wrong one stops the start with a sentence."""

import os
import re
import runpy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

_CHECKOUT = Path(__file__).resolve().parent.parent
_SETTINGS = _CHECKOUT / "portal" / "settings.py"
_NEEDED = {"PATH": os.environ["PATH"], "ENV_FILE": os.devnull, "SECRET_KEY": "x" * 50}


TEMPLATES = {
    "TEMPLATE_BUCKET": "hoshino-templates",
    "TEMPLATE_BUCKET_REGION": "ap-northeast-1",
    "TEMPLATE_ACCESS_KEY_ID": "AKIAEXAMPLEEXAMPLE00",
    "TEMPLATE_SECRET_ACCESS_KEY": "x",
}


def _load(monkeypatch: pytest.MonkeyPatch, changed: Mapping[str, str]) -> dict[str, Any]:
    for name in list(os.environ):
        monkeypatch.delenv(name)
    for name, value in {**_NEEDED, **changed}.items():
        monkeypatch.setenv(name, value)
    return runpy.run_path(str(_SETTINGS))


def test_the_example_names_every_setting_and_no_other() -> None:
    read = set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', _SETTINGS.read_text()))
    example = set(re.findall(r"^#?([A-Z][A-Z_]+)=", (_CHECKOUT / ".env.example").read_text(), re.MULTILINE))
    # Which file to read cannot stand in that file; the password is docker-compose.yml's.
    assert example == read - {"ENV_FILE"} | {"POSTGRES_PASSWORD"}


def test_the_manual_explains_every_setting_of_the_example() -> None:
    manual = (_CHECKOUT / "docs" / "operate.md").read_text()
    example = re.findall(r"^#?([A-Z][A-Z_]+)=", (_CHECKOUT / ".env.example").read_text(), re.MULTILINE)
    assert [name for name in example if f"`{name}`" not in manual] == []


def test_the_defaults_in_the_example_are_the_real_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loading it whole, with what must be filled in, gives the same as loading only that."""
    text = (_CHECKOUT / ".env.example").read_text()
    needed = dict(re.findall(r"^([A-Z_]+)=(.+)$", text, re.MULTILINE))
    shown = dict(re.findall(r"^#([A-Z_]+)=(.+)$", text, re.MULTILINE))
    not_defaults = {"DATABASE_URL", "EMAIL_URL", "OIDC_SERVER_URL"}
    plain = _load(monkeypatch, needed)
    spelled_out = _load(monkeypatch, needed | {name: shown[name] for name in shown.keys() - not_defaults})
    assert _comparable(spelled_out) == _comparable(plain)


def _comparable(loaded: Mapping[str, Any]) -> dict[str, str]:
    simple = (str, int, float, bool, list, dict, type(None))
    return {
        name: str(value)
        for name, value in loaded.items()
        if name.isupper() and name != "LOGGING" and isinstance(value, simple)
    }


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"PUBLIC_URL": "portal.example.com"}, "PUBLIC_URL must look like"),
        ({"PUBLIC_URL": "https://portal.example.com/access"}, "without a path"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:4566"}, "AWS_ENDPOINT_URL points away from AWS"),
        ({"AWS_ENDPOINT_URL_STS": "http://127.0.0.1:4566"}, "AWS_ENDPOINT_URL_STS points away from AWS"),
        ({"SANDBOX": "1", "AWS_ENDPOINT_URL": "http://192.0.2.1"}, "must be a loopback address"),
        ({"SANDBOX": "1"}, "needs AWS_ENDPOINT_URL"),
        ({"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:4566"}, "AWS_ENDPOINT_URL_S3 points away from AWS"),
        ({"TEMPLATE_BUCKET": "x"}, "TEMPLATE_BUCKET needs TEMPLATE_BUCKET_REGION"),
        ({**TEMPLATES, "TEMPLATE_SECRET_ACCESS_KEY": ""}, "TEMPLATE_BUCKET needs TEMPLATE_SECRET_ACCESS_KEY"),
        (
            {**TEMPLATES, "SANDBOX": "1", "AWS_ENDPOINT_URL": "http://127.0.0.1:9"},
            "TEMPLATE_BUCKET needs SANDBOX_CONSOLE_URL",
        ),
        ({**TEMPLATES, "TEMPLATE_BUCKET_REGION": "eusc-de-east-1"}, "a partition whose console has no known address"),
        ({"INVITATION_DAYS": "0"}, "INVITATION_DAYS must be at least 1"),
        ({"CHECK_INTERVAL_MINUTES": "-5"}, "CHECK_INTERVAL_MINUTES must be at least 1"),
        ({"OIDC_SERVER_URL": "http://login.example.com"}, "must begin with https"),
        ({"LOCAL_ACCOUNTS": "0"}, "Nobody could sign in"),
        ({"LANGUAGE_CODE": "fr"}, "LANGUAGE_CODE must be en or ja"),
    ],
)
def test_a_wrong_value_stops_the_start_and_names_itself(
    monkeypatch: pytest.MonkeyPatch, changed: dict[str, str], sentence: str
) -> None:
    with pytest.raises(ImproperlyConfigured, match=re.escape(sentence)):
        _load(monkeypatch, changed)


def test_without_a_secret_key_nothing_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(_NEEDED, "SECRET_KEY")
    with pytest.raises(ImproperlyConfigured, match="SECRET_KEY"):
        _load(monkeypatch, {})


def test_over_https_every_cookie_is_for_https_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = _load(monkeypatch, {"PUBLIC_URL": "https://portal.example.com", "TRUSTED_PROXY_COUNT": "1"})
    assert loaded["SESSION_COOKIE_SECURE"]
    assert loaded["CSRF_COOKIE_SECURE"]
    assert loaded["LANGUAGE_COOKIE_SECURE"]
    assert loaded["SECURE_HSTS_SECONDS"] >= 31_536_000
    assert loaded["SECURE_PROXY_SSL_HEADER"] == ("HTTP_X_FORWARDED_PROTO", "https")


def test_forms_lead_to_the_console_where_there_is_a_bucket_and_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    def targets(changed: Mapping[str, str]) -> list[str]:
        return list(_load(monkeypatch, changed)["CONTENT_SECURITY_POLICY"]["DIRECTIVES"]["form-action"])

    assert targets({}) == ["'self'"]
    assert targets(TEMPLATES) == ["'self'", "https://ap-northeast-1.console.aws.amazon.com"]
    local = {
        "SANDBOX": "1",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "SANDBOX_CONSOLE_URL": "http://127.0.0.1:9/console/",
    }
    assert targets({**TEMPLATES, **local}) == ["'self'", "http://127.0.0.1:9"]


def test_the_portal_answers_to_its_public_name_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _load(monkeypatch, {"PUBLIC_URL": "https://portal.example.com"})["ALLOWED_HOSTS"] == ["portal.example.com"]
