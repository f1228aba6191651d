"""Webhooks as values: an address that we may call, what counts as public, and the signature under a call."""

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

from onboarding.core.errors import OnboardingError

_LONGEST = 500
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_TARGET = re.compile(r"/[A-Za-z0-9._~!$&'()*+,;=:@/?%-]*")
_NAT64 = IPv6Network("64:ff9b::/96")


class InvalidWebhookUrl(OnboardingError):
    """`reason` is one of: shape, scheme."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class WebhookUrl:
    """Its path and query often are the receiver's secret: `place` is what may be shown and logged."""

    scheme: str
    host: str
    port: int
    target: str

    @classmethod
    def parse(cls, text: str, *, sandbox: bool) -> "WebhookUrl":
        """https alone, or http to this very machine in the sandbox. Raises `InvalidWebhookUrl`."""
        trimmed = text.strip(" \t\r\n")
        if len(trimmed) > _LONGEST or not trimmed.isascii() or not trimmed.isprintable():
            raise InvalidWebhookUrl("shape")
        try:
            parts = urlsplit(trimmed)
            port = parts.port
        except ValueError:
            raise InvalidWebhookUrl("shape") from None
        host = parts.hostname or ""
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        if "@" in parts.netloc or "#" in trimmed or not _HOST.fullmatch(host) or not _TARGET.fullmatch(target):
            raise InvalidWebhookUrl("shape")
        if parts.scheme != "https" and not (sandbox and parts.scheme == "http" and _is_this_machine(host)):
            raise InvalidWebhookUrl("scheme")
        return cls(parts.scheme, host, port or (443 if parts.scheme == "https" else 80), target)

    @property
    def authority(self) -> str:
        usual = {"https": 443, "http": 80}[self.scheme] == self.port
        return self.host if usual else f"{self.host}:{self.port}"

    @property
    def place(self) -> str:
        return f"{self.scheme}://{self.authority}"

    def __str__(self) -> str:
        return self.place + self.target


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def may_be_called(address: str, *, sandbox: bool) -> bool:
    """Whether a resolved address is a public one, or in the sandbox this very machine."""
    try:
        found = _unwrapped(ip_address(address))
    except ValueError:
        return False
    return _is_public(found) or (sandbox and found.is_loopback)


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    strange = address.is_multicast or address.is_reserved or address.is_unspecified or address.is_loopback
    # 6to4 and Teredo lead to an IPv4 address that nobody here has looked at.
    tunnelled = isinstance(address, IPv6Address) and (address.sixtofour or address.teredo)
    return address.is_global and not strange and not tunnelled


def _unwrapped(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address inside an IPv6 one, where the network would take it out again."""
    if not isinstance(address, IPv6Address):
        return address
    if address.ipv4_mapped:
        return address.ipv4_mapped
    return IPv4Address(int(address) & 0xFFFF_FFFF) if address in _NAT64 else address


def signature(key: bytes, *, call_id: str, timestamp: int, body: bytes) -> str:
    """As Standard Webhooks has it: https://www.standardwebhooks.com, so receivers find a library that checks it."""
    signed = f"{call_id}.{timestamp}.".encode() + body
    digest = hmac.new(key, signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def shown_secret(key: bytes) -> str:
    """The form in which the receiver's library takes the key."""
    return f"whsec_{base64.b64encode(key).decode()}"


def slack_text(text: str) -> str:
    """So that no name becomes a mention or a link: https://docs.slack.dev/messaging/formatting-message-text."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
