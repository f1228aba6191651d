"""`python -m demo`: reads the command line and says in one sentence what is in the way."""

import argparse
import json
import os
import shutil
import sys
from pathlib import Path

from demo.children import Failed
from demo.plan import Plan
from demo.ports import free_ports, is_free
from demo.state import CHECKOUT, AlreadyRunning, State, only_one, write_private
from demo.supervisor import stop_on_signals, supervise

_LAST_PORT = 65535


def main() -> int:
    options = _options()
    state = State(options.state.resolve())
    state.make_folders()
    stop_on_signals()
    try:
        with only_one(state) as lock:
            if options.reset:
                return _reset(state)
            state.announcement.unlink(missing_ok=True)
            if not is_free(options.port):
                other = free_ports([options.port % _LAST_PORT + 1])[0]
                return _say(f"Port {options.port} is taken. Choose another one: PORT={other} make demo")
            print("Starting the demo; the first start takes a little longer.", flush=True)
            supervise(_plan(options, state), lock)
    except AlreadyRunning:
        return _say(f"A demo runs already{_address(state)}. Stop that one first, with Ctrl-C in its terminal.")
    except Failed as failure:
        return _say(f"{failure}\nThe demo has stopped.")
    except KeyboardInterrupt:
        print("\nThe demo has stopped.", flush=True)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m demo", description="Runs Tobiishi with everything it needs.")
    port = os.environ.get("PORT") or "8000"
    parser.add_argument("--port", type=_port, default=port, help="of the portal's pages (default: PORT, or 8000)")
    parser.add_argument("--state", type=Path, default=CHECKOUT / "var", help="where everything is kept")
    parser.add_argument("--database-url", default="", help="a database server to use instead of SQLite")
    parser.add_argument("--redis-url", default="", help="a Redis server to use instead of the demo's own broker")
    parser.add_argument("--redis-key-prefix", default="tobiishi-demo", help="where the Redis server is shared")
    parser.add_argument("--reset", action="store_true", help="forget everything, start nothing")
    return parser.parse_args()


def _plan(options: argparse.Namespace, state: State) -> Plan:
    """The ports of the last start are taken again where they are free, so that what people noted stays true."""
    kept = state.path("ports.json")
    known = json.loads(kept.read_text()) if kept.exists() else []
    broker_port, sandbox_port, smtp_port = ports = free_ports([*known, 0, 0, 0][:3])
    write_private(kept, json.dumps(ports))
    return Plan(
        state=state,
        port=options.port,
        broker_port=broker_port,
        sandbox_port=sandbox_port,
        smtp_port=smtp_port,
        database_url=options.database_url,
        redis_url=options.redis_url,
        redis_key_prefix=options.redis_key_prefix,
    )


def _reset(state: State) -> int:
    state.announcement.unlink(missing_ok=True)
    shutil.rmtree(state.folder)
    print("The demo begins again with the next start.")
    return 0


def _port(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 0 < int(text) <= _LAST_PORT):
        raise argparse.ArgumentTypeError(f"{text!r} is no port: a number from 1 to {_LAST_PORT} is wanted")
    return int(text)


def _address(state: State) -> str:
    """Unknown while the other demo is still starting."""
    try:
        return f" at {json.loads(state.announcement.read_text())['base']}/"
    except FileNotFoundError:
        return ""


def _say(sentence: str) -> int:
    print(sentence, file=sys.stderr, flush=True)
    return 1


if __name__ == "__main__":
    sys.exit(main())
