import base64
import hashlib
import hmac
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onboarding.core import webhooks
from onboarding.core.webhooks import InvalidWebhookUrl, WebhookUrl


def test_an_address_is_taken_apart_and_put_together():
    url = WebhookUrl.parse(" https://Hooks.Example.com/services/T0/B0?x=1&y=%20\n", sandbox=False)
    assert (url.host, url.port, url.target) == ("hooks.example.com", 443, "/services/T0/B0?x=1&y=%20")
    assert WebhookUrl.parse(str(url), sandbox=False) == url
    assert url.place == "https://hooks.example.com"
    assert WebhookUrl.parse("https://hooks.example.com:8443", sandbox=False).place == "https://hooks.example.com:8443"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "shape"),
        ("hooks.example.com/x", "shape"),
        ("https://", "shape"),
        ("https:///x", "shape"),
        ("https://user:word@hooks.example.com/", "shape"),
        ("https://hooks.example.com/#part", "shape"),
        ("https://hooks.example.com:99999/", "shape"),
        ("https://hooks.example.com/a b", "shape"),
        ("https://hooks.example.com/a\r\nHost: x", "shape"),
        ("https://hooks.example.com/\x00", "shape"),
        ("https://höoks.example.com/", "shape"),
        ("https://[::1]/", "shape"),
        (f"https://hooks.example.com/{'a' * 500}", "shape"),
        ("http://hooks.example.com/", "scheme"),
        ("http://127.0.0.1:9000/", "scheme"),
        ("ftp://hooks.example.com/", "scheme"),
        ("file://host/etc/passwd", "scheme"),
        ("gopher://hooks.example.com/", "scheme"),
    ],
)
def test_what_a_webhook_cannot_have(text, reason):
    with pytest.raises(InvalidWebhookUrl) as refused:
        WebhookUrl.parse(text, sandbox=False)
    assert refused.value.reason == reason


def test_the_sandbox_may_call_its_own_machine_in_the_clear_and_no_other():
    assert WebhookUrl.parse("http://127.0.0.1:9000/x", sandbox=True).port == 9000
    assert WebhookUrl.parse("http://localhost:9000/x", sandbox=True).host == "localhost"
    for text in ("http://hooks.example.com/", "http://10.0.0.1/", "http://169.254.169.254/latest/"):
        with pytest.raises(InvalidWebhookUrl):
            WebhookUrl.parse(text, sandbox=True)


@given(st.text(max_size=80))
def test_whatever_is_typed_is_an_address_or_is_refused(text):
    try:
        url = WebhookUrl.parse(text, sandbox=False)
    except InvalidWebhookUrl:
        return
    assert url.scheme == "https"
    assert str(url).isprintable()


INSIDE = [
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "192.168.1.1",
    "192.0.2.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "2002:7f00:1::1",
    "2001:0:53aa:64c:0:7a67:4eae:e3bd",
    "2001:db8::1",
    "fe80::1",
    "fe80::1%eth0",
    "fc00::1",
    "fd00:ec2::254",
    "ff02::1",
    "no address",
]


@pytest.mark.parametrize("address", INSIDE)
def test_addresses_inside_are_never_called(address):
    assert not webhooks.may_be_called(address, sandbox=False)


@pytest.mark.parametrize("address", ["1.1.1.1", "52.94.76.1", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"])
def test_public_addresses_may_be_called(address):
    assert webhooks.may_be_called(address, sandbox=False)


def test_the_sandbox_adds_the_loopback_alone():
    opened = {address for address in INSIDE if webhooks.may_be_called(address, sandbox=True)}
    assert opened == {"127.0.0.1", "127.255.255.254", "::1", "64:ff9b::7f00:1"}


@given(st.ip_addresses(v=4))
def test_no_wrapping_makes_an_inside_address_public(address):
    wrapped = [IPv6Address(f"::ffff:{address}"), IPv6Address(int(IPv6Address("64:ff9b::")) | int(address))]
    for found in wrapped:
        assert webhooks.may_be_called(str(found), sandbox=False) <= webhooks.may_be_called(str(address), sandbox=False)
    assert webhooks.may_be_called(str(address), sandbox=False) <= IPv4Address(address).is_global


def test_the_signature_is_that_of_standard_webhooks():
    key, body = b"k" * 32, '{"text": "é"}'.encode()
    found = webhooks.signature(key, call_id="msg_1", timestamp=1_700_000_000, body=body)
    wanted = hmac.new(key, b"msg_1.1700000000." + body, hashlib.sha256).digest()
    assert found == f"v1,{base64.b64encode(wanted).decode()}"
    assert base64.b64decode(webhooks.shown_secret(key).removeprefix("whsec_")) == key


def test_a_name_becomes_no_mention_and_no_link():
    assert webhooks.slack_text("<!channel> & <https://evil|x>") == "&lt;!channel&gt; &amp; &lt;https://evil|x&gt;"
