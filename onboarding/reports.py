"""Reports as files: line by line, so that ten thousand roles fit into any memory."""

import csv
import json
from collections.abc import Iterable, Iterator

from onboarding.core import spreadsheets
from onboarding.core.history import Span
from onboarding.services.history import Line

_COLUMNS = (
    "partner",
    "account",
    "role",
    "role_arn",
    "state",
    "first_proven_at",
    "proven_seconds",
    "watched_seconds",
    "proven_share",
    "checks",
    "passed",
)
# Spreadsheets take a text for UTF-8 where it begins with this mark.
_BYTE_ORDER_MARK = "\ufeff"


class _Echo:
    """A file that gives back each row in place of keeping it."""

    def write(self, row: str) -> str:
        return row


def csv_lines(lines: Iterable[Line], _within: Span) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield _BYTE_ORDER_MARK + writer.writerow(_COLUMNS)
    for line in lines:
        yield writer.writerow([spreadsheets.cell(value) for value in _values(line)])


def json_lines(lines: Iterable[Line], within: Span) -> Iterator[str]:
    yield f'{{"from": "{within.start.isoformat()}", "to": "{within.end.isoformat()}", "roles": ['
    for number, line in enumerate(lines):
        told = dict(zip(_COLUMNS, _values(line), strict=True))
        yield (",\n" if number else "\n") + json.dumps(told, ensure_ascii=False)
    yield "\n]}\n"


def _values(line: Line) -> list[object]:
    role, share = line.role, line.proof.share
    return [
        role.account.partner.name,
        role.account.account_id,
        role.role_name,
        role.role_arn,
        role.state,
        role.first_proven_at.isoformat() if role.first_proven_at else None,
        round(line.proof.proven.total_seconds()),
        round(line.proof.watched.total_seconds()),
        None if share is None else round(share, 6),
        line.checks,
        line.passed,
    ]
