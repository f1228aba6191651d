"""Random tokens that stand for something until they expire: registrations, codes, tokens, browser sessions."""

import secrets
import time
from collections.abc import Mapping
from typing import Any

from sandbox.state import Record, Records


class Tickets:
    def __init__(self, records: Records) -> None:
        self._records = records

    def issue(self, kind: str, seconds: int, about: Mapping[str, Any], ticket: str | None = None) -> str:
        now = time.time()
        expired = [key for key, record in self._records.all(kind).items() if record["expires"] <= now]
        self._records.delete(kind, *expired)
        ticket = ticket or secrets.token_urlsafe(32)
        self._records.put(kind, ticket, {**about, "expires": now + seconds})
        return ticket

    def find(self, kind: str, ticket: str) -> Record | None:
        record = self._records.get(kind, ticket)
        return record if record and record["expires"] > time.time() else None

    def take(self, kind: str, ticket: str) -> Record | None:
        """Good for once."""
        record = self.find(kind, ticket)
        self._records.delete(kind, ticket)
        return record

    def change(self, kind: str, ticket: str, record: Record) -> None:
        self._records.put(kind, ticket, record)

    def delete(self, kind: str, ticket: str) -> None:
        self._records.delete(kind, ticket)
