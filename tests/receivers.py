"""A real mail server and a real HTTP receiver, which take, fail, hang and redirect as a test tells them."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import Message
from email.parser import BytesParser
from email.policy import default
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.embedded import free_port


@dataclass
class MailServer:
    """`answers` are given to the next mails, one each; after them every mail is taken."""

    port: int
    answers: list[str] = field(default_factory=list)
    # Whatever was taken, in the order in which it came.
    taken: list[Message] = field(default_factory=list)
    offered: int = 0

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802  aiosmtpd's name
        self.offered += 1
        answer = self.answers.pop(0) if self.answers else "250 OK"
        if answer.startswith("250"):
            self.taken.append(BytesParser(policy=default).parsebytes(envelope.content))
        return answer


@contextmanager
def mail_server() -> Iterator[MailServer]:
    """On this machine, while the context lasts."""
    handler = MailServer(free_port())
    controller = Controller(handler, hostname="127.0.0.1", port=handler.port)
    controller.start()
    try:
        yield handler
    finally:
        controller.stop()


Script = Callable[[socket.socket], None]


def answers(status: str, *headers: str) -> Script:
    lines = [f"HTTP/1.1 {status}", "Content-Length: 0", *headers]
    return lambda caller: caller.sendall("\r\n".join([*lines, "", ""]).encode())


def hangs(caller: socket.socket) -> None:
    """Until the caller goes."""
    with suppress(OSError):
        caller.recv(1)


def drips(caller: socket.socket) -> None:
    """A byte now and then, so that no read ever times out."""
    with suppress(OSError):
        caller.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while True:
            caller.sendall(b"z")
            if _waits(caller, seconds=0.05):
                return


def _waits(caller: socket.socket, *, seconds: float) -> bool:
    caller.settimeout(seconds)
    try:
        return caller.recv(1) == b""
    except TimeoutError:
        return False


def floods(caller: socket.socket) -> None:
    """A header without end."""
    with suppress(OSError):
        caller.sendall(b"HTTP/1.1 200 OK\r\nX-Much: ")
        while True:
            caller.sendall(b"z" * 65_536)


def hangs_up(_caller: socket.socket) -> None:
    """Closes without a word."""


@dataclass(frozen=True)
class Call:
    target: str
    headers: dict[str, str]
    body: bytes


class HttpReceiver:
    """Speaks just enough HTTP to be told what to do wrong. After its scripts it answers 204."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.scripts: list[Script] = []
        self.calls: list[Call] = []
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks/T0?token=s3cret"

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)

    def _serve(self) -> None:
        while True:
            try:
                caller, _ = self._listener.accept()
            except OSError:
                return
            # A caller that goes away in the middle is what some tests are about.
            with caller, suppress(OSError), self._secured(caller) as wire:
                self._answer(wire)

    def _secured(self, caller: socket.socket) -> socket.socket:
        return self._tls.wrap_socket(caller, server_side=True) if self._tls else caller

    def _answer(self, caller: socket.socket) -> None:
        with caller.makefile("rb") as lines:
            target = lines.readline().decode().split()[1]
            headers = {}
            while line := lines.readline().decode().strip():
                name, _, value = line.partition(":")
                headers[name.lower()] = value.strip()
            self.calls.append(Call(target, headers, lines.read(int(headers.get("content-length", 0)))))
        script = self.scripts.pop(0) if self.scripts else answers("204 No Content")
        script(caller)


def self_signed(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """For 127.0.0.1: a server's side, and the certificate by which a client may trust it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    certificate, private = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, private)
    return context, certificate
