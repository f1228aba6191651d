"""The gate before STS, IAM and one bucket: lets signed requests for these through, and answers all others itself."""

import json
import re
from collections.abc import Mapping
from urllib.parse import parse_qsl
from uuid import uuid4
from xml.sax.saxutils import escape

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from sandbox.engine import STS_ACTIONS, Engine
from sandbox.errors import AwsError
from sandbox.stacks import is_template

_MAX_BODY = 256 * 1024
_SIGNED = re.compile(r"AWS4-HMAC-SHA256 (?:.*,\s*)?Credential=([^,\s]+)", re.ASCII)
_CREDENTIAL = re.compile(r"A(?:KIA|SIA)[A-Z0-9]{16}/\d{8}/[a-z0-9-]+/([a-z0-9-]+)/aws4_request", re.ASCII)
_UNSIGNED = AwsError("MissingAuthenticationToken", "Request is missing Authentication Token", 403)
_UNKNOWN_KEY = AwsError("InvalidClientTokenId", "The security token included in the request is invalid.", 403)


class AwsGate:
    """Everything that no page and no SSO route answers ends here."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        if request.method == "GET" and scope["path"] == "/" and not scope["query_string"]:
            await RedirectResponse("/console/", 303)(scope, receive, send)
            return
        if scope["path"] != "/" and "authorization" not in request.headers and not scope["query_string"]:
            raise HTTPException(404, "Nothing lives at this address.")
        body = await request.body()
        try:
            asked = _checked(request, body)
        except AwsError as error:
            await _refusal(error, request.headers)(scope, receive, send)
            return
        await self._engine.serve(scope, body, asked, send)


def _checked(request: Request, body: bytes) -> dict[str, str]:
    """What a signed request for an action of STS or IAM asks. Raise `AwsError` for any other."""
    if is_template(request.url.path):
        return _checked_template(request)
    if request.method not in ("GET", "POST") or len(body) > _MAX_BODY:
        raise AwsError("InvalidRequest", "The sandbox takes GET and POST of at most 256 KiB.")
    service = _service(request)
    if service not in ("iam", "sts") or request.url.path != "/" or "x-amz-target" in request.headers:
        message = f"The sandbox has no {service}. It is STS, IAM and the SSO portal; nothing else lives here."
        raise AwsError("UnknownOperationException", message, 404)
    asked = _parameters(request, body)
    action = asked.get("Action")
    if service == "sts" and action not in STS_ACTIONS:
        raise AwsError("InvalidAction", f"Could not find operation {action} in the sandbox's STS.")
    return asked


def _checked_template(request: Request) -> dict[str, str]:
    """S3 is one bucket, into which a template is put, and out of which it is read."""
    if request.method not in ("GET", "PUT") or "x-amz-target" in request.headers or _service(request) != "s3":
        raise AwsError(
            "MethodNotAllowed", "The sandbox's S3 takes templates and gives them, and does nothing else.", 405
        )
    return {}


def _parameters(request: Request, body: bytes) -> dict[str, str]:
    """Each parameter once, so that no two readers of a request can understand it differently."""
    in_body = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
    pairs = [*request.query_params.multi_items(), *in_body]
    asked = dict(pairs)
    if len(asked) != len(pairs) or (body and request.method == "GET"):
        raise AwsError("MalformedInput", "Each parameter is given once, and GET has no body.")
    return asked


def _service(request: Request) -> str:
    """The service that the request is signed for; a request signed twice, or with no key of an account, is refused."""
    in_header = _SIGNED.match(request.headers.get("authorization", ""))
    in_query = request.query_params.getlist("X-Amz-Credential")
    credentials = [in_header[1], *in_query] if in_header else in_query
    if not credentials:
        raise _UNSIGNED
    found = _CREDENTIAL.fullmatch(credentials[0])
    if len(credentials) > 1 or not found:
        raise _UNKNOWN_KEY
    return found[1]


def _refusal(error: AwsError, headers: Headers | Mapping[str, str]) -> Response:
    request_id = str(uuid4())
    out = {"x-amzn-requestid": request_id, "x-amzn-errortype": error.code}
    if "json" in headers.get("content-type", "") or "x-amz-target" in headers:
        text = json.dumps({"__type": error.code, "message": error.message})
        return Response(text, error.status, out, media_type="application/x-amz-json-1.1")
    text = (
        f"<ErrorResponse><Error><Type>Sender</Type><Code>{escape(error.code)}</Code>"
        f"<Message>{escape(error.message)}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>"
    )
    return Response(text, error.status, out, media_type="text/xml")
