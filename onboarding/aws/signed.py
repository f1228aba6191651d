"""One request with keys that are used once: signed by botocore, sent raw, read by botocore's parser.

A client of its own for such keys would cost three times as much and could never be used again.
"""

import socket
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError
from botocore.httpsession import URLLib3Session
from botocore.parsers import create_parser

from onboarding.aws.errors import unavailable

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_sts import STSClient


def ask(
    client: "STSClient | IAMClient", credentials: Credentials, operation: str, *, region: str, **parameters: str
) -> dict[str, Any]:
    """The answer as botocore parses it, `Error` included. `client` lends its endpoint and its model, not its keys.

    Raises `AwsUnavailable` where no answer came.
    """
    model = client.meta.service_model
    body = urlencode({"Action": operation, "Version": model.api_version, **parameters})
    request = AWSRequest("POST", client.meta.endpoint_url, data=body)
    request.headers["Content-Type"] = "application/x-www-form-urlencoded; charset=utf-8"
    SigV4Auth(credentials, model.service_name, region).add_auth(request)
    try:
        response = _http().send(request.prepare())
    except BotoCoreError as error:
        raise unavailable(error, where=operation) from error
    answer = {"body": response.content, "headers": response.headers, "status_code": response.status_code}
    shape = model.operation_model(operation).output_shape
    assert shape is not None, "both operations have an answer"  # noqa: S101  narrows botocore's optional type
    parsed: dict[str, Any] = create_parser("query").parse(answer, shape)
    return parsed


@lru_cache(maxsize=1)
def _http() -> URLLib3Session:
    # As botocore's own clients do: head and body leave apart, and the body would wait 40 ms for the head's ACK.
    no_delay = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
    return URLLib3Session(timeout=8, max_pool_connections=64, socket_options=no_delay)  # type: ignore[arg-type]
