"""AWS on the wire: the requests that must come, in their order, and what is answered to each."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

import botocore.session
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.httpsession import URLLib3Session
from botocore.model import StructureShape
from botocore.validate import ParamValidator

ANYTHING = object()
_NAMESPACE = {"sts": "https://sts.amazonaws.com/doc/2011-06-15/", "iam": "https://iam.amazonaws.com/doc/2010-05-08/"}
_MODELS = {name: botocore.session.get_session().get_service_model(name) for name in _NAMESPACE}
_SERVICES = {"AssumeRole": "sts", "GetCallerIdentity": "sts", "GetRole": "iam", "ListRoles": "iam"}


@dataclass(slots=True)
class Expected:
    operation: str
    parameters: dict[str, Any]
    body: bytes
    status: int = 200


@dataclass(slots=True)
class Wire:
    """`expect` what is asked and `deny` it or answer it; what was `sent` is kept."""

    sent: list[AWSPreparedRequest] = field(default_factory=list)
    _expected: list[Expected | Exception] = field(default_factory=list)

    def expect(self, operation: str, answer: str, **parameters: Any) -> None:
        namespace = _NAMESPACE[_SERVICES[operation]]
        metadata = f"<ResponseMetadata><RequestId>{operation}-1</RequestId></ResponseMetadata>"
        result = f"<{operation}Result>{answer}</{operation}Result>"
        body = f"<{operation}Response xmlns='{namespace}'>{result}{metadata}</{operation}Response>"
        self._expected.append(Expected(operation, parameters, body.encode()))

    def refuse(self, operation: str, code: str = "AccessDenied", *, message: str = "no", **parameters: Any) -> None:
        namespace = _NAMESPACE[_SERVICES[operation]]
        error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
        body = f"<ErrorResponse xmlns='{namespace}'>{error}<RequestId>{operation}-2</RequestId></ErrorResponse>"
        self._expected.append(
            Expected(operation, parameters, body.encode(), 503 if code == "ServiceUnavailable" else 403)
        )

    def answer_anything(self, operation: str, body: bytes, status: int = 200) -> None:
        self._expected.append(Expected(operation, {"*": ANYTHING}, body, status))

    def fail(self, error: Exception) -> None:
        self._expected.append(error)

    def send(self, request: AWSPreparedRequest) -> AWSResponse:
        self.sent.append(request)
        assert self._expected, f"nothing was expected after {len(self.sent) - 1} requests, but {request.body!r}"
        expected = self._expected.pop(0)
        if isinstance(expected, Exception):
            raise expected
        _check(request, expected)
        return AWSResponse(request.url, expected.status, {}, _Raw(expected.body))

    def header(self, number: int, name: str) -> str:
        """botocore's client makes bytes of it, and we do not."""
        value = self.sent[number].headers[name]
        return value.decode() if isinstance(value, bytes) else value

    def assert_all_came(self) -> None:
        assert self._expected == []


class _Raw:
    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self) -> Iterator[bytes]:
        yield self._body


def _check(request: AWSPreparedRequest, expected: Expected) -> None:
    """The parameters are those expected, and such as AWS's own model takes."""
    body = request.body.decode() if isinstance(request.body, bytes) else request.body
    asked = dict(parse_qsl(body, keep_blank_values=True))
    model = _MODELS[_SERVICES[expected.operation]]
    assert (asked.pop("Action"), asked.pop("Version")) == (expected.operation, model.api_version)
    shape = model.operation_model(expected.operation).input_shape
    assert isinstance(shape, StructureShape)
    typed = {name: int(value) if shape.members[name].type_name == "integer" else value for name, value in asked.items()}
    ParamValidator().validate(typed, shape).generate_report()
    assert not ParamValidator().validate(typed, shape).has_errors()
    if expected.parameters != {"*": ANYTHING}:
        assert set(typed) == set(expected.parameters)
        wanted = {name: value for name, value in expected.parameters.items() if value is not ANYTHING}
        assert {name: typed[name] for name in wanted} == wanted


@contextmanager
def aws_on_the_wire(monkeypatch: Any) -> Iterator[Wire]:
    wire = Wire()
    monkeypatch.setattr(URLLib3Session, "send", lambda _session, request: wire.send(request))
    yield wire
    wire.assert_all_came()
