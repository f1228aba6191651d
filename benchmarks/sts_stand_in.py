"""A small STS on loopback, for benchmarks: it answers in STS's XML, and decides by the external ID alone.

`python -m benchmarks.sts_stand_in [--latency-ms 80]` prints its port and serves until its standard input closes. The
right external ID of a role is `bench-` and the role's name; GetCallerIdentity answers whom the access key belongs to.
"""

import argparse
import asyncio
import re
import sys
from dataclasses import dataclass
from urllib.parse import parse_qs

VALIDATOR_ROLE_ARN = "arn:aws:iam::111122223333:role/tobiishi-validator"
_VALIDATOR_SESSION = "arn:aws:sts::111122223333:assumed-role/tobiishi-validator/tobiishi-validator"
_ROLE_ARN = re.compile(r"arn:aws:iam::([0-9]{12}):role/([A-Za-z0-9_+=,.@-]{1,64})")
_ASSUMED_KEY = re.compile(r"Credential=ASIA([0-9]{12})([A-Za-z0-9_+=,.@-]+)/")
_NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"
_METADATA = "<ResponseMetadata><RequestId>7a62c49f-0000-0000-0000-000000000000</RequestId></ResponseMetadata>"


def right_external_id(role_name: str) -> str:
    return f"bench-{role_name}"


@dataclass(frozen=True, slots=True)
class Answer:
    status: str
    xml: str

    def to_bytes(self) -> bytes:
        body = self.xml.encode()
        return (
            f"HTTP/1.1 {self.status}\r\nContent-Type: text/xml\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
        )


def answer(parameters: dict[str, str], authorization: str) -> Answer:
    match parameters.get("Action"):
        case "GetCallerIdentity":
            return _identity(authorization)
        case "AssumeRole":
            return _assume_role(parameters)
        case action:
            return _error("400 Bad Request", "InvalidAction", f"Could not find operation {action}")


def _identity(authorization: str) -> Answer:
    assumed = _ASSUMED_KEY.search(authorization)
    arn = f"arn:aws:sts::{assumed[1]}:assumed-role/{assumed[2]}/tobiishi-validator" if assumed else _VALIDATOR_SESSION
    account = arn.split(":")[4]
    return _result(
        "GetCallerIdentity", f"<Arn>{arn}</Arn><UserId>AROA:tobiishi-validator</UserId><Account>{account}</Account>"
    )


def _assume_role(parameters: dict[str, str]) -> Answer:
    role = _ROLE_ARN.fullmatch(parameters.get("RoleArn", ""))
    if not role or parameters.get("ExternalId") != right_external_id(role[2]):
        return _error("403 Forbidden", "AccessDenied", "not authorized to perform: sts:AssumeRole")
    session = parameters["RoleSessionName"]
    return _result(
        "AssumeRole",
        f"<AssumedRoleUser><AssumedRoleId>AROA:{session}</AssumedRoleId>"
        f"<Arn>arn:aws:sts::{role[1]}:assumed-role/{role[2]}/{session}</Arn></AssumedRoleUser>"
        f"<Credentials><AccessKeyId>ASIA{role[1]}{role[2]}</AccessKeyId><SecretAccessKey>invented</SecretAccessKey>"
        "<SessionToken>invented</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>",
    )


def _result(action: str, inner: str) -> Answer:
    result = f"<{action}Result>{inner}</{action}Result>"
    return Answer("200 OK", f'<{action}Response xmlns="{_NAMESPACE}">{result}{_METADATA}</{action}Response>')


def _error(status: str, code: str, message: str) -> Answer:
    error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
    return Answer(status, f'<ErrorResponse xmlns="{_NAMESPACE}">{error}{_METADATA}</ErrorResponse>')


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, latency: float) -> None:
    """One connection, kept open from request to request."""
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            headers = dict(re.findall(r"^([^:\r\n]+):[ ]*(.*)\r$", head.lower(), re.MULTILINE))
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            authorization = re.search(r"^authorization:.*$", head, re.MULTILINE | re.IGNORECASE)
            parameters = {name: values[0] for name, values in parse_qs(body.decode()).items()}
            await asyncio.sleep(latency)
            writer.write(answer(parameters, authorization[0] if authorization else "").to_bytes())
            await writer.drain()
    except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
        writer.close()


async def _main(latency: float) -> None:
    server = await asyncio.start_server(
        lambda reader, writer: _serve(reader, writer, latency=latency), host="127.0.0.1", port=0
    )
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    server.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--latency-ms", type=float, default=0)
    asyncio.run(_main(parser.parse_args().latency_ms / 1000))
