"""The one way out: against a real receiver that fails, hangs, drips, floods and redirects."""

import socket
import time
from collections.abc import Iterator

import pytest

from onboarding import webhooks
from onboarding.core.webhooks import WebhookUrl
from onboarding.webhooks import CallFailed
from tests import receivers
from tests.receivers import HttpReceiver, answers


@pytest.fixture
def receiver() -> Iterator[HttpReceiver]:
    made = HttpReceiver()
    yield made
    made.close()


def call(receiver: HttpReceiver, *, deadline: float = 60) -> None:
    url = WebhookUrl.parse(receiver.url, sandbox=True)
    webhooks.call(url, b'{"text":"x"}', {"webhook-id": "1"}, sandbox=True, deadline=deadline)


def test_a_call_arrives_whole(receiver):
    call(receiver)
    (came,) = receiver.calls
    assert (came.target, came.body) == ("/hooks/T0?token=s3cret", b'{"text":"x"}')
    assert (came.headers["webhook-id"], came.headers["host"]) == ("1", f"127.0.0.1:{receiver.port}")


@pytest.mark.parametrize("status", ["200 OK", "201 Created", "202 Accepted", "204 No Content"])
def test_any_2xx_is_taken_for_received(receiver, status):
    receiver.scripts = [answers(status)]
    call(receiver)


@pytest.mark.parametrize(
    "status", ["400 Bad Request", "403 Forbidden", "404 Not Found", "410 Gone", "500 Oops", "503 Busy"]
)
def test_a_refusal_is_named_by_its_status(receiver, status):
    receiver.scripts = [answers(status)]
    with pytest.raises(CallFailed, match=f"HTTP {status[:3]}"):
        call(receiver)


@pytest.mark.parametrize(
    "status", ["301 Moved Permanently", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"]
)
def test_a_redirect_is_not_followed(receiver, status):
    receiver.scripts = [answers(status, f"Location: {receiver.url}")]
    with pytest.raises(CallFailed, match=f"HTTP {status[:3]}"):
        call(receiver)
    assert len(receiver.calls) == 1


@pytest.mark.parametrize("script", [receivers.hangs, receivers.drips])
def test_whoever_hangs_or_drips_costs_a_bounded_time(receiver, script):
    receiver.scripts = [script]
    began = time.monotonic()
    with pytest.raises(CallFailed, match="timeout"):
        call(receiver, deadline=0.3)
    assert time.monotonic() - began < 30


def test_a_flood_costs_bounded_memory(receiver):
    receiver.scripts = [receivers.floods]
    with pytest.raises(CallFailed, match="LineTooLong"):
        call(receiver)


def test_who_hangs_up_has_taken_nothing(receiver):
    receiver.scripts = [receivers.hangs_up]
    with pytest.raises(CallFailed):
        call(receiver)


def test_a_closed_port_is_told(receiver):
    receiver.close()
    with pytest.raises(CallFailed, match="ConnectionRefusedError"):
        call(receiver)


@pytest.fixture
def secured(tmp_path) -> Iterator[tuple[HttpReceiver, str]]:
    context, certificate = receivers.self_signed(tmp_path)
    made = HttpReceiver(context)
    yield made, str(certificate)
    made.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_tls_is_taken_from_whom_somebody_vouches_for_and_under_their_own_name(secured, host, monkeypatch):
    receiver, certificate = secured
    url = WebhookUrl.parse(f"https://{host}:{receiver.port}/", sandbox=True)
    with pytest.raises(CallFailed, match="TLS"):
        webhooks.call(url, b"{}", {}, sandbox=True, deadline=60)
    monkeypatch.setenv("SSL_CERT_FILE", certificate)
    if host == "127.0.0.1":
        webhooks.call(url, b"{}", {}, sandbox=True, deadline=60)
        assert receiver.calls
    else:
        with pytest.raises(CallFailed, match="TLS"):
            webhooks.call(url, b"{}", {}, sandbox=True, deadline=60)
        assert not receiver.calls


def test_a_port_is_named_to_the_receiver_only_where_it_is_not_the_usual_one(secured, monkeypatch):
    receiver, certificate = secured
    monkeypatch.setenv("SSL_CERT_FILE", certificate)
    connect = socket.create_connection
    monkeypatch.setattr(
        socket, "create_connection", lambda _, **options: connect(("127.0.0.1", receiver.port), **options)
    )
    for address in ("https://127.0.0.1/", "https://127.0.0.1:8443/"):
        webhooks.call(WebhookUrl.parse(address, sandbox=True), b"{}", {}, sandbox=True, deadline=60)
    assert [call.headers["host"] for call in receiver.calls] == ["127.0.0.1", "127.0.0.1:8443"]


def resolves_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    places = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in addresses]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_options: places)


@pytest.mark.parametrize(
    "inside", ["127.0.0.1", "10.0.0.7", "169.254.169.254", "192.168.1.1", "::1", "::ffff:10.0.0.7"]
)
def test_a_name_that_leads_inside_is_not_called(monkeypatch, inside):
    resolves_to(monkeypatch, "1.1.1.1", inside)
    monkeypatch.setattr(socket, "create_connection", lambda *_args, **_options: pytest.fail("called"))
    with pytest.raises(CallFailed, match="not a public address"):
        webhooks.call(WebhookUrl.parse("https://hooks.example.com/", sandbox=False), b"{}", {}, sandbox=False)


def test_the_address_that_was_looked_at_is_the_one_that_is_called(monkeypatch):
    """A second look-up could give another address: here it would lead inside."""
    asked, called = [], []

    def look_up(host, port, **_options):
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("1.1.1.1" if len(asked) == 1 else "127.0.0.1", port))]

    def connect(address, **_options):
        called.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(CallFailed):
        webhooks.call(WebhookUrl.parse("https://hooks.example.com/", sandbox=False), b"{}", {}, sandbox=False)
    assert (asked, called) == (["hooks.example.com"], [("1.1.1.1", 443)])


def test_a_name_that_does_not_exist_is_told(monkeypatch):
    def look_up(*_args, **_options):
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with pytest.raises(CallFailed, match="name not found"):
        webhooks.call(WebhookUrl.parse("https://hooks.example.com/", sandbox=False), b"{}", {}, sandbox=False)


def test_outside_the_sandbox_this_machine_is_not_called(receiver):
    url = WebhookUrl.parse(receiver.url, sandbox=True)
    with pytest.raises(CallFailed, match="not a public address"):
        webhooks.call(url, b"{}", {}, sandbox=False)
    assert not receiver.calls
