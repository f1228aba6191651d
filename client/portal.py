"""Asking the portal: over https, or http on this very computer; never redirected, always bounded."""

import json
import re
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, OpenerDirector, ProxyHandler, Request, build_opener

from client.trouble import Trouble

_TIMEOUT = 20
_MAX_ANSWER = 16 * 1024 * 1024
_LOOPBACK = ("127.0.0.1", "localhost")
_HOST = r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"(?P<address>(?P<scheme>https?)://(?P<host>{_HOST})(?::[0-9]{{1,5}})?)/?")


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    told: dict[str, Any]
    tag: str = ""

    @property
    def error(self) -> str:
        return str(self.told.get("error", ""))

    def text(self, name: str) -> str:
        """Raises `Trouble` where the portal told no such thing."""
        told = self.told.get(name)
        if not isinstance(told, str):
            raise Trouble("The portal's answer is not what it should be. Nothing was changed.")
        return told

    @property
    def message(self) -> str:
        """In the person's language."""
        return str(self.told.get("message", ""))


class _NoRedirects(HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        """A token must not follow anybody anywhere."""


class Portal:
    def __init__(self, address: str, token: str = "") -> None:
        self.address = parse_address(address)
        self.host = urlsplit(self.address).hostname or ""
        self._token = token
        self._opener = _opener(self.host)

    def get(self, path: str, *, tag: str = "") -> Reply:
        return self._ask(Request(self.address + path, headers={"If-None-Match": tag} if tag else {}))

    def post(self, path: str, **form: str) -> Reply:
        return self._ask(Request(self.address + path, data=urlencode(form).encode()))

    def _ask(self, request: Request) -> Reply:
        request.add_header("Accept", "application/json")
        request.add_header("User-Agent", "portal-config")
        if self._token:
            request.add_unredirected_header("Authorization", f"Bearer {self._token}")
        try:
            with self._opener.open(request, timeout=_TIMEOUT) as response:
                return Reply(response.status, _read(response), response.headers.get("ETag", ""))
        except HTTPError as error:
            with error:
                return self._answered(error)
        except (URLError, OSError, HTTPException, ValueError, OverflowError) as error:
            reason = getattr(error, "reason", error)
            raise Trouble(f"{self.address} gave no usable answer ({reason}). Nothing was changed.") from error

    def _answered(self, error: HTTPError) -> Reply:
        if error.code == 304:
            return Reply(304, {})
        if error.code == 401:
            raise Trouble("This computer is not connected, or no longer. Run: portal-config login")
        if not (400 <= error.code < 500 or error.code == 503):
            raise Trouble(f"{self.address} answered with {error.code}. Nothing was changed.")
        try:
            return Reply(error.code, _read(error))
        except ValueError:
            raise Trouble(f"{self.address} answered with {error.code}. Nothing was changed.") from error


def parse_address(text: str) -> str:
    """`portal.example.com` is taken as https. Raises `Trouble`."""
    found = _ADDRESS.fullmatch(text if "://" in text else f"https://{text}")
    if not found or (found["scheme"] == "http" and found["host"] not in _LOOPBACK):
        raise Trouble(f"{text} is no portal's address. It looks like https://portal.example.com", status=2)
    return found["address"]


def _opener(host: str) -> OpenerDirector:
    # Whatever proxy this computer uses for the world, it does not lead back to itself.
    own = [ProxyHandler({})] if host in _LOOPBACK else []
    return build_opener(_NoRedirects, *own)


def _read(response: Any) -> dict[str, Any]:
    """Raises `ValueError` where it is not the portal that speaks."""
    body = response.read(_MAX_ANSWER + 1)
    if len(body) > _MAX_ANSWER:
        raise ValueError("too long an answer")
    told = json.loads(body) if body else {}
    if not isinstance(told, dict):
        raise ValueError("no answer of a portal")  # noqa: TRY004  as any other text that is none
    return told
