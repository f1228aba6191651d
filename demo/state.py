"""Where the demo keeps everything: one folder in the checkout, which one demo at a time may use."""

import fcntl
import os
import secrets
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent


_PATIENCE = 2.0


class AlreadyRunning(Exception):
    """Another demo uses the same folder."""


@dataclass(frozen=True, slots=True)
class State:
    """`root` is `var` unless somebody asks for another one."""

    root: Path

    @property
    def announcement(self) -> Path:
        return self.root / "demo.json"

    @property
    def folder(self) -> Path:
        return self.root / "demo"

    def path(self, *parts: str) -> Path:
        return self.folder.joinpath(*parts)

    def make_folders(self) -> None:
        for name in ("home/.aws", "logs", "tmp", "valkey", "sandbox"):
            self.path(name).mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)

    def secret_key(self) -> str:
        """Made once: sessions outlive a restart."""
        kept = self.path("secret-key")
        if not kept.exists():
            write_private(kept, secrets.token_urlsafe(50))
        return kept.read_text()


@contextmanager
def only_one(state: State) -> Iterator[int]:
    """The lock's descriptor; every leash holds it too, so that a new demo waits for what a killed one left to end.

    Raises `AlreadyRunning`.
    """
    with state.path("lock").open("w") as lock:
        deadline = time.monotonic() + _PATIENCE
        while not _locked(lock.fileno()):
            if time.monotonic() > deadline:
                raise AlreadyRunning
            time.sleep(0.05)
        yield lock.fileno()


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def write_private(path: Path, text: str) -> None:
    """All or nothing, and readable by its owner alone."""
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(descriptor)
    Path(draft).replace(path)
