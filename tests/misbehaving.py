"""Real HTTP servers that behave as a test wants: slow, huge, redirecting, or simply with this answer."""

import contextlib
import socketserver
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# Its address, and what was asked of it.
Serving = tuple[str, list[BaseHTTPRequestHandler]]
Behave = Callable[[BaseHTTPRequestHandler], None]


@contextlib.contextmanager
def serving(behave: Behave) -> Iterator[Serving]:
    asked: list[BaseHTTPRequestHandler] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self)
            # Whoever asked may have hung up.
            with contextlib.suppress(OSError):
                behave(self)

        do_POST = do_GET  # noqa: N815  the name is that of the method

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        socketserver.ThreadingMixIn.block_on_close = False
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


def answering(status: int, body: str, **headers: str) -> Behave:
    def behave(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body.encode())

    return behave
