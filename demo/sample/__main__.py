"""`python -m demo.sample`, in the portal's environment: ends when all is filled in and the worker answers."""

import argparse
from pathlib import Path

import django


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m demo.sample")
    parser.add_argument("--sandbox-port", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    django.setup()
    from demo.sample.filling import prepare  # noqa: PLC0415  models need the line above

    prepare(options.sandbox_port, options.out)


if __name__ == "__main__":
    main()
