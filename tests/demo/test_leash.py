"""The leash: nothing that was started under it outlives the pipe."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest

from tests.running import CHECKOUT

# How long a machine that is busy otherwise may take; it says nothing about the leash.
_PATIENCE_SECONDS = 30
_LEASH = [sys.executable, "-I", "-S", str(CHECKOUT / "demo" / "leash.py")]
# Deaf to a polite request, and with a child that is so too.
_STUBBORN = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.fork()
os.write(1, b"%d\\n" % os.getpid())
time.sleep(60)
"""


@contextmanager
def _leashed(program: str) -> Iterator[subprocess.Popen[str]]:
    command = [*_LEASH, sys.executable, "-c", program]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as leash:
        yield leash
        leash.kill()


def _two(leash: subprocess.Popen[str]) -> list[psutil.Process]:
    assert leash.stdout
    return [psutil.Process(int(leash.stdout.readline())) for _ in range(2)]


def test_closing_the_pipe_kills_the_command_and_its_children() -> None:
    with _leashed(_STUBBORN) as leash:
        group = _two(leash)
        assert leash.stdin
        leash.stdin.close()
        assert leash.wait(_PATIENCE_SECONDS) == 128 + 9
        assert psutil.wait_procs(group, timeout=_PATIENCE_SECONDS)[1] == []


def test_a_request_to_end_reaches_the_command_and_what_it_leaves_behind_is_killed() -> None:
    polite = _STUBBORN.replace("os.fork()", "if os.fork(): signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))")
    with _leashed(polite) as leash:
        group = _two(leash)
        leash.terminate()
        assert leash.wait(_PATIENCE_SECONDS) == 3
        assert psutil.wait_procs(group, timeout=_PATIENCE_SECONDS)[1] == []


@pytest.mark.skipif(sys.platform != "linux", reason="without the parent-death signal of Linux")
def test_a_leash_that_is_itself_killed_takes_the_command_along() -> None:
    with _leashed("import os, time; print(os.getpid(), flush=True); time.sleep(60)") as leash:
        assert leash.stdout
        command = psutil.Process(int(leash.stdout.readline()))
        leash.kill()
        command.wait(_PATIENCE_SECONDS)


def test_the_end_of_the_command_is_told_as_a_shell_tells_it() -> None:
    for program, status in (("raise SystemExit(7)", 7), ("import os; os.kill(os.getpid(), 9)", 137), ("pass", 0)):
        with _leashed(program) as leash:
            assert leash.wait(_PATIENCE_SECONDS) == status


def test_the_terminals_interrupt_is_not_for_the_command() -> None:
    with _leashed("import time; print('up', flush=True); time.sleep(0.5)") as leash:
        assert leash.stdout
        leash.stdout.readline()
        leash.send_signal(2)
        assert leash.wait(_PATIENCE_SECONDS) == 0


def test_a_command_that_does_not_exist_is_named() -> None:
    with subprocess.Popen(
        [*_LEASH, "/nowhere/server"], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as leash:
        assert leash.stderr
        assert leash.stderr.read() == "/nowhere/server: No such file or directory\n"
        assert leash.wait(_PATIENCE_SECONDS) == 127
