"""Asking STS a question that somebody else has signed: no key of ours, no redirect, no proxy, bounded in every way."""

import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from functools import cache, lru_cache
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from socket import SHUT_RDWR, socket
from urllib.parse import urlsplit

import botocore.session
from botocore.model import Shape
from botocore.parsers import ResponseParserError, create_parser

from onboarding.aws.errors import AwsUnavailable
from onboarding.core.arns import Partition
from onboarding.core.proof import NONCE_HEADER, SignedRequest, StsAnswer

_WHERE = "presigned_caller_identity"
_CONNECT_SECONDS = 3.0
_WHOLE_SECONDS = 6.0
# GetCallerIdentity answers with less than a thousandth of this.
_MAX_ANSWER = 64 * 1024


@cache
def sts_origins(partition: Partition) -> Mapping[str, str]:
    """The addresses of STS in this partition, each with its region, as botocore knows them."""
    session = botocore.session.Session()
    resolver = session.get_component("endpoint_resolver")
    regions = session.get_available_regions("sts", partition_name=partition)
    hosts = {region: resolver.construct_endpoint("sts", region)["hostname"] for region in regions}
    return {f"https://{host}": region for region, host in hosts.items()}


def ask_caller(request: SignedRequest, *, nonce: str) -> StsAnswer:
    """Raises `AwsUnavailable` where no usable answer came in time."""
    connection = _connection(request.origin)
    try:
        connection.connect()
        # A time limit of a socket is one for each read; an answer that drips would outlast them all.
        end = threading.Timer(_WHOLE_SECONDS, _hang_up, [connection.sock])
        end.daemon = True
        end.start()
        try:
            answer = _asked(connection, request.query, nonce)
            if end.finished.is_set():
                raise AwsUnavailable("Timeout", where=_WHERE)
        finally:
            end.cancel()
    except (OSError, HTTPException, ResponseParserError) as error:
        raise AwsUnavailable(type(error).__name__, where=_WHERE) from error
    finally:
        connection.close()
    return answer


def _connection(origin: str) -> HTTPConnection:
    address = urlsplit(origin)
    if address.scheme == "https":
        return HTTPSConnection(address.netloc, timeout=_CONNECT_SECONDS, context=ssl.create_default_context())
    return HTTPConnection(address.netloc, timeout=_CONNECT_SECONDS)


def _hang_up(sock: socket) -> None:
    # Of the plain socket: TLS would first say good-bye, and the reader holds its state.
    with suppress(OSError):
        socket.shutdown(sock, SHUT_RDWR)


def _asked(connection: HTTPConnection, query: str, nonce: str) -> StsAnswer:
    connection.request("GET", f"/?{query}", headers={NONCE_HEADER: nonce, "Accept": "text/xml"})
    response = connection.getresponse()
    if response.status != 200 and response.status < 400:
        return StsAnswer(response.status)
    body = response.read(_MAX_ANSWER + 1)
    if len(body) > _MAX_ANSWER:
        raise AwsUnavailable("AnswerTooLong", where=_WHERE)
    answer = {"body": body, "headers": dict(response.headers), "status_code": response.status}
    parsed = create_parser("query").parse(answer, _shape())
    code = str(parsed.get("Error", {}).get("Code", ""))
    if response.status >= 500:
        raise AwsUnavailable(code or str(response.status), where=_WHERE)
    return StsAnswer(response.status, arn=str(parsed.get("Arn", "")), error_code=code)


@lru_cache(maxsize=1)
def _shape() -> Shape:
    shape = botocore.session.Session().get_service_model("sts").operation_model("GetCallerIdentity").output_shape
    assert shape is not None, "the operation has an answer"  # noqa: S101  narrows botocore's optional type
    return shape
