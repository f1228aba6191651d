"""How `portal-config` signs in: codes, tokens, and what its address carries, each with its grammar."""

import base64
import hashlib
import re
import secrets
from datetime import timedelta
from urllib.parse import urlencode

from onboarding.core.errors import IllegalName

# The browser hands an authorization code over at once; a device code waits until a person has typed the other code.
CODE_LIFETIME = timedelta(minutes=1)
DEVICE_CODE_LIFETIME = timedelta(minutes=10)
POLL_INTERVAL = timedelta(seconds=5)
TOKEN_LIFETIME = timedelta(days=90)
TOKEN_UNUSED_LIFETIME = timedelta(days=30)

# Of 20 consonants: no word comes about by chance, and nothing is misread. Eight of them are 34 bits.
_USER_ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"
_USER_CODE = re.compile(rf"[{_USER_ALPHABET}]{{8}}")
_TOKEN_PREFIX = "tbc_"
_TOKEN = re.compile(rf"{_TOKEN_PREFIX}[A-Za-z0-9_-]{{43}}")
_COMPUTER = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,62}")
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_STATE = re.compile(r"[A-Za-z0-9_-]{22,64}")
_LOOPBACK = re.compile(r"http://127\.0\.0\.1:[1-9][0-9]{3,4}/signed-in")
_HIGHEST_PORT = 65_535


def new_code() -> str:
    return secrets.token_urlsafe(32)


def new_token() -> str:
    """The prefix is for whoever scans repositories for secrets."""
    return _TOKEN_PREFIX + secrets.token_urlsafe(32)


def new_user_code() -> str:
    """As it is shown; `parse_user_code` gives the form that is stored."""
    letters = "".join(secrets.choice(_USER_ALPHABET) for _ in range(8))
    return f"{letters[:4]}-{letters[4:]}"


def parse_user_code(text: str) -> str:
    """However it was typed. Raises `IllegalName`."""
    letters = re.sub(r"[\s-]", "", text).upper()
    if not _USER_CODE.fullmatch(letters):
        raise IllegalName("user_code", text)
    return letters


def is_token(text: str) -> bool:
    return _TOKEN.fullmatch(text) is not None


def parse_computer(text: str) -> str:
    """What a computer calls itself; it is shown to its owner and is no proof of anything. Raises `IllegalName`."""
    return _parse("computer", _COMPUTER, text)


def parse_challenge(text: str) -> str:
    return _parse("code_challenge", _CHALLENGE, text)


def parse_state(text: str) -> str:
    return _parse("state", _STATE, text)


def parse_loopback(text: str) -> str:
    """Where the browser takes the code: this very computer, by number, for a name could lead elsewhere."""
    address = _parse("loopback", _LOOPBACK, text)
    if int(origin_of(address).rpartition(":")[2]) > _HIGHEST_PORT:
        raise IllegalName("loopback", text)
    return address


def origin_of(loopback: str) -> str:
    return loopback.removesuffix("/signed-in")


def answer_address(loopback: str, **answer: str) -> str:
    return f"{loopback}?{urlencode(answer)}"


def challenge_of(verifier: str) -> str:
    """PKCE, method S256 (RFC 7636)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _parse(kind: str, pattern: re.Pattern[str], text: str) -> str:
    if not pattern.fullmatch(text):
        raise IllegalName(kind, text)
    return text
