"""The one place that calls other people's servers: to a public address, once, within bounded time, and no further."""

import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from threading import Event, Timer

from onboarding.core.webhooks import WebhookUrl, may_be_called

# From the handshake to the last header, once connected; a server that sends a byte a second gets no longer.
DEADLINE = 15.0
_CONNECT_SECONDS = 5.0
_MOST_ADDRESSES = 3


class CallFailed(Exception):
    """The call was not taken; `reason` is a word or two that may be shown and logged."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def call(
    url: WebhookUrl, body: bytes, headers: Mapping[str, str], *, sandbox: bool, deadline: float = DEADLINE
) -> None:
    """POST `body`; any 2xx is taken for "received". A redirect is none, and is not followed. Raises `CallFailed`."""
    try:
        status = _status(url, body, headers, sandbox=sandbox, deadline=deadline)
    except ssl.SSLError as error:
        raise CallFailed(f"TLS: {error.reason or type(error).__name__}") from error
    except TimeoutError as error:
        raise CallFailed("timeout") from error
    except (OSError, HTTPException) as error:
        raise CallFailed(type(error).__name__) from error
    if not 200 <= status < 300:
        raise CallFailed(f"HTTP {status}")


def _status(url: WebhookUrl, body: bytes, headers: Mapping[str, str], *, sandbox: bool, deadline: float) -> int:
    with _connected(url, sandbox=sandbox) as plain, _ended_after(deadline, plain):
        connection = HTTPConnection(url.host, url.port)
        connection.sock = _secured(plain, url.host) if url.scheme == "https" else plain
        with closing(connection):
            connection.request("POST", url.target, body, {**headers, "Host": url.authority, "Connection": "close"})
            # Of the answer, the status is all that counts, so its body is never read.
            with connection.getresponse() as answer:
                return answer.status


@contextmanager
def _connected(url: WebhookUrl, *, sandbox: bool) -> Iterator[socket.socket]:
    """To an address that was looked at: asking DNS once more could give another one."""
    plain = _connect(_addresses(url, sandbox=sandbox), url.port)
    try:
        yield plain
    finally:
        plain.close()


def _addresses(url: WebhookUrl, *, sandbox: bool) -> list[str]:
    try:
        found = socket.getaddrinfo(url.host, url.port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        raise CallFailed("name not found") from error
    addresses = list(dict.fromkeys(str(place[0]) for *_, place in found))
    # A name that leads inside as well as outside is no mistake to be lenient about.
    if not all(may_be_called(address, sandbox=sandbox) for address in addresses):
        raise CallFailed("not a public address")
    return addresses[:_MOST_ADDRESSES]


def _connect(addresses: list[str], port: int) -> socket.socket:
    for address in addresses:
        try:
            return socket.create_connection((address, port), timeout=_CONNECT_SECONDS)
        except OSError as error:
            failed: OSError = error
    raise failed


def _secured(plain: socket.socket, host: str) -> ssl.SSLSocket:
    return ssl.create_default_context().wrap_socket(plain, server_hostname=host)


@contextmanager
def _ended_after(seconds: float, plain: socket.socket) -> Iterator[None]:
    """Shut the connection down from outside: a timeout of the socket alone begins anew with every byte."""
    leash, late = plain.dup(), Event()
    timer = Timer(seconds, _shut_down, [leash, late])
    timer.daemon = True
    timer.start()
    try:
        yield
    except (OSError, HTTPException):
        if late.is_set():
            raise TimeoutError from None
        raise
    finally:
        timer.cancel()
        leash.close()
    if late.is_set():
        # What was read then is an answer cut short.
        raise TimeoutError


def _shut_down(leash: socket.socket, late: Event) -> None:
    late.set()
    with suppress(OSError):
        leash.shutdown(socket.SHUT_RDWR)
