"""Asking STS a question that somebody else has signed: no key of ours, no redirect, no proxy, bounded in every way."""

import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from socket import SHUT_RDWR, socket
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

import botocore.session

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
    known = session.get_data("endpoints")["partitions"]
    suffix = next(found["dnsSuffix"] for found in known if found["partition"] == partition)
    regions = session.get_available_regions("sts", partition_name=partition)
    return {f"https://sts.{region}.{suffix}": region for region in regions}


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
    except (OSError, HTTPException, ET.ParseError) as error:
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
    told = ET.fromstring(body)  # noqa: S314  short, and from STS
    code = told.findtext(".//{*}Error/{*}Code", "")
    if response.status >= 500:
        raise AwsUnavailable(code or str(response.status), where=_WHERE)
    return StsAnswer(response.status, arn=told.findtext(".//{*}Arn", ""), error_code=code)
