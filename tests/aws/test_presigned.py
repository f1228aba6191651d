"""Asking with somebody else's signature: real HTTP servers that behave as STS never does."""

import time
from http.server import BaseHTTPRequestHandler

import pytest

from onboarding.aws import AwsUnavailable, presigned
from onboarding.core.arns import Partition
from onboarding.core.proof import SignedRequest, StsAnswer
from tests.misbehaving import Behave, answering, serving

ARN = "arn:aws:sts::303040405050:assumed-role/HoshinoTelemetry/ken@hoshino.example"
GOOD = (
    '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
    f"<Arn>{ARN}</Arn><UserId>AROAEXAMPLE:ken</UserId><Account>303040405050</Account></GetCallerIdentityResult>"
    "<ResponseMetadata><RequestId>x</RequestId></ResponseMetadata></GetCallerIdentityResponse>"
)
WRONG = (
    '<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>'
    "<Code>SignatureDoesNotMatch</Code><Message>no</Message></Error><RequestId>x</RequestId></ErrorResponse>"
)


def ask(origin: str) -> StsAnswer:
    return presigned.ask_caller(
        SignedRequest(origin, "Action=GetCallerIdentity&X-Amz-Signature=ab"), nonce="tobiishi.x"
    )


def test_the_question_is_sent_as_it_was_signed_with_the_nonce_in_its_header() -> None:
    with serving(answering(200, GOOD)) as (origin, asked):
        assert ask(origin) == StsAnswer(200, arn=ARN)
    assert asked[0].path == "/?Action=GetCallerIdentity&X-Amz-Signature=ab"
    assert asked[0].headers["x-k8s-aws-id"] == "tobiishi.x"
    assert "authorization" not in asked[0].headers


def test_a_refusal_of_aws_is_a_result() -> None:
    with serving(answering(403, WRONG)) as (origin, _):
        assert ask(origin) == StsAnswer(403, error_code="SignatureDoesNotMatch")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_told_and_not_followed(status: int) -> None:
    with (
        serving(answering(200, GOOD)) as (elsewhere, asked_elsewhere),
        serving(answering(status, "", Location=elsewhere)) as (origin, asked),
    ):
        assert ask(origin) == StsAnswer(status)
    assert len(asked) == 1
    assert asked_elsewhere == []


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with serving(answering(200, GOOD)) as (origin, _):
        assert ask(origin).arn == ARN


@pytest.mark.parametrize("body", ["", "no xml", "<a", "{}", GOOD[:-30]])
def test_what_is_no_answer_of_sts_is_an_outage(body: str) -> None:
    with serving(answering(200, body)) as (origin, _), pytest.raises(AwsUnavailable):
        ask(origin)


def test_an_answer_that_names_nobody_names_nobody() -> None:
    with serving(answering(200, "<a/>")) as (origin, _):
        assert ask(origin) == StsAnswer(200)


@pytest.mark.parametrize("status", [500, 503])
def test_trouble_at_sts_is_an_outage(status: int) -> None:
    with serving(answering(status, WRONG)) as (origin, _), pytest.raises(AwsUnavailable):
        ask(origin)


def _huge(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    while True:
        handler.wfile.write(b"<x>" * 10_000)


def _dripping_body(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    for byte in GOOD.encode() * 1_000:
        handler.wfile.write(bytes([byte]))
        handler.wfile.flush()
        time.sleep(0.05)


def _dripping_head(handler: BaseHTTPRequestHandler) -> None:
    for byte in b"HTTP/1.1 200 OK\r\nX: " + b"x" * 60_000:
        handler.connection.sendall(bytes([byte]))
        time.sleep(0.05)


def _silent(_: BaseHTTPRequestHandler) -> None:
    time.sleep(60)


def _hanging_up(handler: BaseHTTPRequestHandler) -> None:
    handler.connection.close()


@pytest.mark.parametrize("behave", [_huge, _dripping_body, _dripping_head, _silent, _hanging_up])
def test_an_answer_is_bounded_in_size_and_in_time(behave: Behave, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presigned, "_CONNECT_SECONDS", 0.5)
    monkeypatch.setattr(presigned, "_WHOLE_SECONDS", 1.0)
    began = time.monotonic()
    with serving(behave) as (origin, _), pytest.raises(AwsUnavailable):
        ask(origin)
    assert time.monotonic() - began < 30


def test_nobody_at_the_address_is_an_outage() -> None:
    with pytest.raises(AwsUnavailable):
        ask("http://127.0.0.1:9")


@pytest.mark.parametrize("partition", Partition)
def test_sts_is_known_in_every_region_of_every_partition(partition: Partition) -> None:
    origins = presigned.sts_origins(partition)
    assert origins
    for origin, region in origins.items():
        assert origin.startswith(f"https://sts.{region}.")
    others = {origin for other in Partition if other is not partition for origin in presigned.sts_origins(other)}
    assert not others & origins.keys()


def test_sts_of_the_partitions_that_people_use() -> None:
    assert presigned.sts_origins(Partition.AWS)["https://sts.ap-northeast-1.amazonaws.com"] == "ap-northeast-1"
    assert presigned.sts_origins(Partition.CHINA)["https://sts.cn-north-1.amazonaws.com.cn"] == "cn-north-1"
    assert presigned.sts_origins(Partition.GOVCLOUD)["https://sts.us-gov-west-1.amazonaws.com"] == "us-gov-west-1"
    assert presigned.sts_origins(Partition.EUROPE)["https://sts.eusc-de-east-1.amazonaws.eu"] == "eusc-de-east-1"
