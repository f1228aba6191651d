"""Loopback ports: is this one free, and which one may a process of the demo take?"""

import socket

LOOPBACK = "127.0.0.1"


def is_free(port: int) -> bool:
    """A listener on every address counts as well, which `bind` alone does not notice on macOS."""
    with socket.socket() as caller:
        caller.settimeout(1)
        if caller.connect_ex((LOOPBACK, port)) == 0:
            return False
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def free_ports(wanted: list[int]) -> list[int]:
    """Those wanted where they are free (0: any), else others; held until the last is found, so that all differ."""
    held: list[socket.socket] = []
    try:
        for port in wanted:
            held.append(listener := socket.socket())
            # A port whose last connections are still being forgotten is free all the same.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((LOOPBACK, port if is_free(port) else 0))
            listener.listen()
        return [listener.getsockname()[1] for listener in held]
    finally:
        for listener in held:
            listener.close()
