"""Print the rows, as a table or as JSON."""

import argparse
import json
import sys

from benchmarks import configs, peers, sweeps, trust, validations
from benchmarks.measure import Row


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="benchmarks",
        description="Milliseconds of CPU where no row says otherwise, beside what one would use instead.",
    )
    parser.add_argument("--json", action="store_true", help="print a list of objects")
    parser.add_argument("--check", action="store_true", help="end with an error where a goal does not hold")
    parser.add_argument("--prowler", metavar="PYTHON", help="a Python that has Prowler, to measure it as well")
    arguments = parser.parse_args()
    rows = [*configs.rows(), *trust.rows(), *validations.rows(), *sweeps.rows()]
    rows += peers.rows(arguments.prowler) if arguments.prowler else []
    print(json.dumps([row.to_json() for row in rows], indent=2) if arguments.json else table(rows))
    return int(arguments.check and not all(row.holds for row in rows))


def table(rows: list[Row]) -> str:
    lines = [("", "ours", "other", "ratio", "goal", "", "other is")]
    lines += [
        (
            row.name,
            f"{row.ours:,.1f}",
            f"{row.other:,.1f}",
            f"{row.ratio:.3f}",
            f"{row.goal:g}",
            "holds" if row.holds else "FAILS",
            row.other_is,
        )
        for row in rows
    ]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    left = {0, 5, 6}
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column in left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


if __name__ == "__main__":
    sys.exit(main())
