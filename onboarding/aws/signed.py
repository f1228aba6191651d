"""One request, signed by botocore, sent raw and read by botocore's parser: half the work of botocore's own client.

For keys that are used once a client would cost three times as much again, and could never be used a second time.
"""

import socket
from functools import lru_cache, partial
from random import random
from time import sleep
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials, ReadOnlyCredentials
from botocore.httpsession import URLLib3Session
from botocore.parsers import ResponseParser, create_parser

from onboarding.aws.clients import TIMEOUTS, USER_AGENT
from onboarding.aws.errors import FAILURES, AwsUnavailable, unavailable

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_sts import STSClient

# At most, and half of it on average. A check takes seven calls, so where every second one fails, few tries are too few.
_PAUSES_SECONDS = (0.5, 1, 2, 2, 4)
_OUTAGE = 500
# What an answer of AWS must hold: a page of some box on the way may come with 200 as well.
_MEMBER = {"AssumeRole": "AssumedRoleUser", "GetCallerIdentity": "Arn", "GetRole": "Role"}


def ask(
    client: "STSClient | IAMClient",
    credentials: Credentials | ReadOnlyCredentials,
    operation: str,
    *,
    region: str,
    where: str,
    **parameters: str,
) -> dict[str, Any]:
    """The answer as botocore parses it, `Error` included. `client` lends its endpoint and its model, not its keys.

    Tried again as botocore's own clients do. Raises `AwsUnavailable` where no answer came.
    """
    ask_once = partial(_asked, client, credentials, operation, region=region, where=where, parameters=parameters)
    for pause in _PAUSES_SECONDS:
        try:
            answer = ask_once()
        except AwsUnavailable:
            pass
        else:
            if not _is_outage(answer, _MEMBER[operation]):
                return answer
        sleep(pause * random())  # noqa: S311  spreads the tries; nothing is kept secret by it
    return ask_once()


def _is_outage(answer: dict[str, Any], member: str) -> bool:
    code = str(answer.get("Error", {}).get("Code", ""))
    is_nobodys = not code and member not in answer
    return code.startswith("Throttl") or is_nobodys or answer["ResponseMetadata"]["HTTPStatusCode"] >= _OUTAGE


def _asked(
    client: "STSClient | IAMClient",
    credentials: Credentials | ReadOnlyCredentials,
    operation: str,
    *,
    region: str,
    where: str,
    parameters: dict[str, str],
) -> dict[str, Any]:
    model = client.meta.service_model
    body = urlencode({"Action": operation, "Version": model.api_version, **parameters})
    request = AWSRequest("POST", client.meta.endpoint_url, data=body)
    request.headers["Content-Type"] = "application/x-www-form-urlencoded; charset=utf-8"
    request.headers["User-Agent"] = USER_AGENT
    SigV4Auth(credentials, model.service_name, region).add_auth(request)
    shape = model.operation_model(operation).output_shape
    assert shape is not None, "these operations have an answer"  # noqa: S101  narrows botocore's optional type
    try:
        response = _http().send(request.prepare())
        answer = {"body": response.content, "headers": response.headers, "status_code": response.status_code}
        parsed: dict[str, Any] = _parser().parse(answer, shape)
    except FAILURES as error:
        raise unavailable(error, where=where) from error
    return parsed


@lru_cache(maxsize=1)
def _parser() -> ResponseParser:
    return create_parser("query")


@lru_cache(maxsize=1)
def _http() -> URLLib3Session:
    # As botocore's own clients do: head and body leave apart, and the body would wait 40 ms for the head's ACK.
    no_delay = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
    return URLLib3Session(timeout=TIMEOUTS, max_pool_connections=64, socket_options=no_delay)  # type: ignore[arg-type]
