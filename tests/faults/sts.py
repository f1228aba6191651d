"""An STS that has its troubles: it opens by the external ID, and does to each request what the test tells it to."""

import asyncio
import re
import threading
from collections.abc import Callable
from typing import Self
from urllib.parse import parse_qs

from benchmarks.sts_stand_in import Answer, answer

# What may be done to a request in place of answering it; None answers it.
Trouble = Callable[[dict[str, str], str], str | None]
_THROTTLED = "<ErrorResponse><Error><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>"
_EXPIRED = "<ErrorResponse><Error><Code>ExpiredToken</Code><Message>expired</Message></Error></ErrorResponse>"
_TROUBLES = {
    "throttle": Answer("400 Bad Request", _THROTTLED),
    "expired": Answer("403 Forbidden", _EXPIRED),
    "503": Answer("503 Service Unavailable", "<html>busy</html>"),
    "garbage": Answer("200 OK", "<html><body>Please sign in to the network</body></html>"),
    "forbidden by a proxy": Answer("403 Forbidden", "<html>AccessDenied</html>"),
}


class FaultySts:
    """A server in a thread of the test. `shut` holds the names of roles whose trust policy asks for something else."""

    def __init__(self, *, latency: float = 0.02) -> None:
        self.latency = latency
        self.trouble: Trouble = lambda _parameters, _authorization: None
        self.shut: set[str] = set()
        self.requests = 0
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._started.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, host="127.0.0.1", port=0))
        self.port = server.sockets[0].getsockname()[1]
        self._started.set()
        self._loop.run_forever()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        server.close()
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._answer_one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _answer_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        length = re.search(r"^content-length: *([0-9]+)", head, re.MULTILINE | re.IGNORECASE)
        body = await reader.readexactly(int(length[1]) if length else 0)
        parameters = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        found = re.search(r"^authorization:.*$", head, re.MULTILINE | re.IGNORECASE)
        authorization = found[0] if found else ""
        self.requests += 1
        await asyncio.sleep(self.latency)
        trouble = self.trouble(parameters, authorization)
        if trouble == "reset":
            writer.transport.abort()
            return False
        if trouble == "hang":
            await asyncio.sleep(3600)
        told = _TROUBLES[trouble] if trouble in _TROUBLES else self._decide(parameters, authorization)
        if trouble == "slow":
            return await _send_slowly(writer, told.to_bytes())
        writer.write(told.to_bytes())
        await writer.drain()
        return True

    def _decide(self, parameters: dict[str, str], authorization: str) -> Answer:
        if parameters.get("RoleArn", "").rpartition("/")[2] in self.shut:
            parameters = {**parameters, "ExternalId": "none that opens"}
        return answer(parameters, authorization)


async def _send_slowly(writer: asyncio.StreamWriter, octets: bytes) -> bool:
    for octet in octets:
        writer.write(bytes([octet]))
        await writer.drain()
        await asyncio.sleep(0.001)
    return True
