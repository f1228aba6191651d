"""What is kept on this computer: the sign-in, for its owner alone, and a config that is never half written."""

import json
import os
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

from client.trouble import Trouble

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_OWNER_ONLY = 0o600
_LOCK_PATIENCE = 5.0


@dataclass(slots=True)
class SignIn:
    """The portal, our token there, and the config that it gave last, with the tag by which it knows that one."""

    portal: str
    token: str
    tag: str = ""
    config: str = ""


def config_path() -> Path:
    """Where the AWS CLI looks."""
    named = os.environ.get("AWS_CONFIG_FILE")
    return Path(named).expanduser() if named else Path.home() / ".aws" / "config"


def load_sign_in() -> SignIn | None:
    try:
        kept = json.loads(_sign_in_path().read_text(encoding="utf-8"))
        return SignIn(**kept)
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise Trouble(f"{_sign_in_path()} cannot be read. Run: portal-config login") from error


def save_sign_in(sign_in: SignIn) -> None:
    path = _sign_in_path()
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    _write_new(new, json.dumps(asdict(sign_in)).encode(), mode=_OWNER_ONLY)
    new.replace(path)


@contextmanager
def only_one() -> Iterator[None]:
    """Two at once would each write what the other does not know."""
    with (_folder() / "lock").open("ab") as lock:
        end = time.monotonic() + _LOCK_PATIENCE
        while not _locked(lock):
            if time.monotonic() > end:
                raise Trouble("Another portal-config is at work. Nothing was changed.")
            time.sleep(0.1)
        # The system lets go of it when the file is closed, however we end.
        yield


def read_config(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def replace_config(path: Path, content: bytes, *, was: bytes) -> Path | None:
    """Put `content` in place as a whole or not at all; returns where the file as it `was` is kept.

    A link stays a link: the file that it names is replaced.
    """
    target = Path(os.path.realpath(path))
    _make_folder_of(target)
    mode = _mode_of(target)
    # Ours alone, for only one of us is at work; left over where the power failed.
    new = target.with_name(f".{target.name}.portal-config")
    try:
        new.unlink(missing_ok=True)
        _write_new(new, content, mode=mode)
        if read_config(target) != was:
            raise Trouble(f"{path} changed meanwhile, by an editor perhaps. Nothing was written; try again.")
        backup = _back_up(target, was, mode=mode) if was else None
        new.replace(target)
        _sync_folder(target.parent)
    except OSError as error:
        raise Trouble(f"{path} could not be written: {error.strerror}. It is as it was.") from error
    finally:
        new.unlink(missing_ok=True)
    return backup


def _folder() -> Path:
    """Of the client's own files; nobody else may look inside."""
    if sys.platform == "win32":
        base = Path(os.environ.get("APPDATA") or Path.home() / "AppData" / "Roaming")
    else:
        base = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    folder = base / "portal-config"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    return folder


def _sign_in_path() -> Path:
    return _folder() / "sign-in.json"


def _locked(lock: BinaryIO) -> bool:
    try:
        if sys.platform == "win32":
            msvcrt.locking(lock.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _make_folder_of(target: Path) -> None:
    if not target.parent.exists():
        target.parent.mkdir(mode=0o700, parents=True)


def _mode_of(target: Path) -> int:
    try:
        found = target.stat().st_mode
    except FileNotFoundError:
        return _OWNER_ONLY
    if not stat.S_ISREG(found):
        raise Trouble(f"{target} is no ordinary file, so it is left alone.")
    return stat.S_IMODE(found)


def _write_new(path: Path, content: bytes, *, mode: int) -> None:
    """On the disk before anybody relies on it; private from its first moment on."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(path, flags, _OWNER_ONLY), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    path.chmod(mode)


def _back_up(target: Path, was: bytes, *, mode: int) -> Path:
    stamp = time.strftime("%Y%m%d-%H%M%S")
    names = (f"{target.name}.backup-{stamp}{more}" for more in ("", *(f"-{number}" for number in range(2, 100))))
    for name in names:
        with suppress(FileExistsError):
            _write_new(target.with_name(name), was, mode=mode)
            return target.with_name(name)
    raise Trouble(f"{target} could not be backed up, so it was left as it is.")


def _sync_folder(folder: Path) -> None:
    """So that the new name survives a power cut too; Windows has no such call."""
    if sys.platform == "win32":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
