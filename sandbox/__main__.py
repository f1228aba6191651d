"""Starts the sandbox on loopback ports: `python -m sandbox --port N --smtp-port M --state DIR`."""

import argparse
import asyncio
import signal
import socket
import sqlite3
import sys
from pathlib import Path
from typing import cast

from hypercorn.asyncio import serve
from hypercorn.config import Config
from hypercorn.typing import ASGIFramework

from sandbox.app import build
from sandbox.mail import Mailbox, serve_smtp
from sandbox.state import Records


async def _run(port: int, smtp_port: int, folder: Path) -> None:
    config = Config()
    config.bind = [f"fd://{socket.create_server(('127.0.0.1', port)).detach()}"]
    config.graceful_timeout = 1
    config.loglevel = "WARNING"
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    records = Records(folder)
    mailbox = Mailbox(records)
    app = cast("ASGIFramework", await build(records, mailbox))
    if smtp_port:
        await serve_smtp(mailbox, smtp_port)
    await serve(app, config, shutdown_trigger=stop.wait)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description="A local AWS on 127.0.0.1.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--smtp-port", type=int, default=0, help="where it takes mail, if anywhere")
    parser.add_argument("--state", type=Path, required=True, metavar="DIR", help="where everything is kept")
    options = parser.parse_args()
    try:
        asyncio.run(_run(options.port, options.smtp_port, options.state))
    except OSError as error:
        mail = f" and mail on {options.smtp_port}" if options.smtp_port else ""
        sys.exit(f"The sandbox cannot start on 127.0.0.1:{options.port}{mail}: {error}")
    except sqlite3.OperationalError as error:
        sys.exit(f"The sandbox cannot use {options.state}: {error}. Does another sandbox run on it?")


if __name__ == "__main__":
    main()
