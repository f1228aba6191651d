"""One request with keys that are used once: signed by botocore, sent raw, read by botocore's parser.

A client of its own for such keys would cost three times as much and could never be used again.
"""

import socket
from functools import lru_cache
from random import random
from time import sleep
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.httpsession import URLLib3Session
from botocore.parsers import create_parser

from onboarding.aws.errors import FAILURES, AwsUnavailable, unavailable

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_sts import STSClient


def ask(
    client: "STSClient | IAMClient", credentials: Credentials, operation: str, *, region: str, **parameters: str
) -> dict[str, Any]:
    """The answer as botocore parses it, `Error` included. `client` lends its endpoint and its model, not its keys.

    Tried again as botocore's own clients do. Raises `AwsUnavailable` where no answer came.
    """
    for pause in _PAUSES:
        try:
            answer = _asked(client, credentials, operation, region, parameters)
        except AwsUnavailable:
            pass
        else:
            if answer["ResponseMetadata"]["HTTPStatusCode"] < _OUTAGE and not _is_throttled(answer):
                return answer
        sleep(pause * random())  # noqa: S311  spreads the tries; nothing is kept secret by it
    return _asked(client, credentials, operation, region, parameters)


_PAUSES = (1, 2, 4)
_OUTAGE = 500


def _is_throttled(answer: dict[str, Any]) -> bool:
    return str(answer.get("Error", {}).get("Code", "")).startswith("Throttl")


def _asked(
    client: "STSClient | IAMClient",
    credentials: Credentials,
    operation: str,
    region: str,
    parameters: dict[str, str],
) -> dict[str, Any]:
    model = client.meta.service_model
    body = urlencode({"Action": operation, "Version": model.api_version, **parameters})
    request = AWSRequest("POST", client.meta.endpoint_url, data=body)
    request.headers["Content-Type"] = "application/x-www-form-urlencoded; charset=utf-8"
    SigV4Auth(credentials, model.service_name, region).add_auth(request)
    shape = model.operation_model(operation).output_shape
    assert shape is not None, "both operations have an answer"  # noqa: S101  narrows botocore's optional type
    try:
        response = _http().send(request.prepare())
        answer = {"body": response.content, "headers": response.headers, "status_code": response.status_code}
        parsed: dict[str, Any] = create_parser("query").parse(answer, shape)
    except FAILURES as error:
        raise unavailable(error, where=operation) from error
    return parsed


@lru_cache(maxsize=1)
def _http() -> URLLib3Session:
    # As botocore's own clients do: head and body leave apart, and the body would wait 40 ms for the head's ACK.
    no_delay = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
    return URLLib3Session(timeout=(3, 5), max_pool_connections=64, socket_options=no_delay)  # type: ignore[arg-type]
