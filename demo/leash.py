"""Runs one command in a process group of its own for as long as standard input stays open; then kills the whole group.

Started by path and with the standard library alone, so that it stays small: `python -I -S leash.py COMMAND…`.
"""

import ctypes
import os
import signal
import sys
import threading
from typing import NoReturn

_PR_SET_PDEATHSIG = 1
_CANNOT_RUN = 127


def main(command: list[str]) -> int:
    # Whoever interrupts the terminal means the supervisor, which then asks each child to end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # For the thread that waits for it: a handler would be late where the signal comes just before we begin to wait.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    own_pid = os.getpid()
    child = os.fork()
    if child == 0:
        _become(command, parent=own_pid)
    for watch in (_pass_on_requests_to_end, _kill_when_let_go):
        threading.Thread(target=watch, args=(child,), daemon=True).start()
    _, status = os.waitpid(child, 0)
    _kill_group(child)
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _become(command: list[str], *, parent: int) -> NoReturn:
    os.setsid()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    if sys.platform == "linux":
        # The pipe does the work everywhere; this covers a leash that is itself killed.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(_CANNOT_RUN)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    # The lock on the demo's folder is for the leash to hold; the command must not take it along.
    os.closerange(3, 256)
    try:
        os.execv(command[0], command)  # noqa: S606  no shell is wanted
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", file=sys.stderr, flush=True)
        os._exit(_CANNOT_RUN)


def _pass_on_requests_to_end(child: int) -> None:
    while True:
        signal.sigwait({signal.SIGTERM})
        try:
            os.kill(child, signal.SIGTERM)
        except ProcessLookupError:
            return


def _kill_when_let_go(child: int) -> None:
    while os.read(0, 1024):
        pass
    _kill_group(child)
    # The command may not have come as far as its own group.
    os.kill(child, signal.SIGKILL)


def _kill_group(leader: int) -> None:
    try:
        os.killpg(leader, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):  # macOS answers the latter for a group of zombies
        return


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
