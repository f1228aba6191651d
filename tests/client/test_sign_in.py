"""Signing in from a laptop: through the browser, or by a code on another computer."""

import json
import re
from pathlib import Path
from urllib.parse import urlencode

import pytest
import requests

from onboarding.models import ClientToken, ExternalRole, Person
from tests.client.conftest import Browser, Laptop, mode_of

pytestmark = pytest.mark.django_db(transaction=True)


def address_from(program) -> str:
    return next(line.strip() for line in program.stdout if "/access/computers/connect/?" in line)


def test_through_the_browser(laptop: Laptop, browser: Browser, carol: Person, willow: ExternalRole) -> None:
    program = laptop.start("login", laptop.portal)
    with program:
        landed = browser.decide(address_from(program), decision="allow")
        assert "This computer is connected." in landed.text
        assert program.wait(20) == 0
    token = ClientToken.objects.get()
    assert token.person == carol
    kept = json.loads(laptop.sign_in.read_text())
    assert kept["portal"] == laptop.portal
    assert mode_of(laptop.sign_in) == 0o600
    assert mode_of(laptop.sign_in.parent) == 0o700
    assert "willow-telemetry" in laptop.run("diff", expect=1)


def test_refused_in_the_browser(laptop: Laptop, browser: Browser) -> None:
    with laptop.start("login", laptop.portal) as program:
        landed = browser.decide(address_from(program), decision="refuse")
        assert "Nothing was connected." in landed.text
        assert program.wait(20) == 1
        assert "The sign-in was refused." in program.stdout.read()
    assert not laptop.sign_in.exists()


def test_only_the_answer_that_knows_the_state_is_taken(laptop: Laptop, browser: Browser) -> None:
    with laptop.start("login", laptop.portal) as program:
        page = address_from(program)
        loopback = requests.utils.unquote(re.search(r"loopback=([^&]+)", page)[1])
        for query in ("", "?code=x", "?" + urlencode({"code": "x", "state": "y" * 32}), "?state=%00"):
            assert requests.get(loopback + query, timeout=5).status_code == 404
        assert requests.get(loopback.replace("signed-in", ""), timeout=5).status_code == 404
        assert requests.post(loopback, timeout=5).status_code == 501
        browser.decide(page, decision="allow")
        assert program.wait(20) == 0


def test_by_a_code_on_another_computer(laptop: Laptop, browser: Browser, carol: Person) -> None:
    with laptop.start("login", laptop.portal, "--device-code") as program:
        printed = ""
        while not (code := re.search(r"\b[A-Z]{4}-[A-Z]{4}\b", printed)):
            printed += program.stdout.readline()
        assert f"{laptop.portal}/access/computers/code/" in printed
        browser.decide(f"{laptop.portal}/access/computers/code/?user_code={code[0]}", decision="allow")
        assert program.wait(30) == 0
    assert ClientToken.objects.get().person == carol


def test_a_new_sign_in_ends_the_one_before(laptop: Laptop, browser: Browser) -> None:
    for _ in range(2):
        # The second one remembers the portal.
        with laptop.start("login", *([] if laptop.sign_in.exists() else [laptop.portal])) as program:
            browser.decide(address_from(program), decision="allow")
            assert program.wait(20) == 0
    assert sorted(bool(token.revoked_at) for token in ClientToken.objects.all()) == [False, True]


@pytest.mark.parametrize(
    "address",
    [
        "http://portal.example.com",
        "https://user:secret@portal.example.com",
        "https://portal.example.com/x",
        "https://portal.example.com?x",
        "ftp://127.0.0.1",
        "file:///etc/passwd",
        "https://",
    ],
)
def test_only_https_or_this_very_computer(tmp_path: Path, address: str) -> None:
    laptop = Laptop(tmp_path, "")
    assert "is no portal's address" in laptop.run("login", address, expect=2)


def test_without_an_address_it_asks_for_one(tmp_path: Path) -> None:
    assert "Name your portal" in Laptop(tmp_path, "").run("login", expect=2)
