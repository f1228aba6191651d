"""Codes, tokens, and what the address of a sign-in carries."""

import re

import pytest

from onboarding.core import client_access
from onboarding.core.errors import IllegalName


def test_tokens_and_codes_are_long_random_and_of_their_own_shape() -> None:
    tokens = {client_access.new_token() for _ in range(50)}
    assert len(tokens) == 50
    assert all(client_access.is_token(token) for token in tokens)
    assert not client_access.is_token(client_access.new_code())
    assert not client_access.is_token(f"{client_access.new_token()}\n")


def test_a_user_code_is_read_however_it_is_typed() -> None:
    code = client_access.new_user_code()
    assert re.fullmatch(r"[B-Z]{4}-[B-Z]{4}", code)
    letters = client_access.parse_user_code(code)
    assert client_access.parse_user_code(f" {code.lower().replace('-', ' ')}\n") == letters
    assert client_access.parse_user_code(letters) == letters


@pytest.mark.parametrize("text", ["", "BCDF-GHJ", "BCDF-GHJKL", "ABCD-EFGH", "BCDF-GHJ1", "ＢCDF-GHJK", "BCDF-GHJ\0"])
def test_what_is_no_user_code_is_refused(text: str) -> None:
    with pytest.raises(IllegalName):
        client_access.parse_user_code(text)


@pytest.mark.parametrize(
    "address",
    [
        "https://127.0.0.1:40123/signed-in",
        "http://localhost:40123/signed-in",
        "http://127.0.0.1/signed-in",
        "http://127.0.0.1:80/signed-in",
        "http://127.0.0.1:70000/signed-in",
        "http://127.0.0.1:040123/signed-in",
        "http://127.0.0.1:40123/signed-in?x=1",
        "http://127.0.0.1:40123/signed-in/../x",
        "http://127.0.0.1:40123/",
        "http://127.0.0.1:40123@evil.example/signed-in",
        "http://127.0.0.1.evil.example:40123/signed-in",
        "http://127.0.0.1:40123/signed-in\n",
        "javascript:alert(1)//127.0.0.1:40123/signed-in",
    ],
)
def test_the_code_goes_to_this_very_computer_and_nowhere_else(address: str) -> None:
    with pytest.raises(IllegalName):
        client_access.parse_loopback(address)


def test_the_answers_address_carries_what_it_is_given() -> None:
    loopback = client_access.parse_loopback("http://127.0.0.1:40123/signed-in")
    assert client_access.origin_of(loopback) == "http://127.0.0.1:40123"
    assert client_access.answer_address(loopback, code="a&b", state="s") == f"{loopback}?code=a%26b&state=s"


def test_the_challenge_is_that_of_rfc_7636() -> None:
    challenge = client_access.challenge_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
    assert challenge == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    assert client_access.parse_challenge(challenge) == challenge


@pytest.mark.parametrize("name", ["", "-laptop", "lap\ntop", "<b>", "ラップトップ", "x" * 64])
def test_a_computers_name_is_plain(name: str) -> None:
    with pytest.raises(IllegalName):
        client_access.parse_computer(name)
