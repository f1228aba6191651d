"""Keeps every record of the sandbox on disk; what was answered survives a kill."""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

Record = dict[str, Any]


class Records:
    """JSON records by kind and key. One SQLite transaction for each change, on disk before the call returns."""

    def __init__(self, folder: Path) -> None:
        """Raise `sqlite3.OperationalError` where another process has these records open."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._db = sqlite3.connect(folder / "state.sqlite3", timeout=1)
        # Exclusive, because a second sandbox over the same records would not see what the first one changes.
        self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS record (kind TEXT, key TEXT, value TEXT NOT NULL, PRIMARY KEY (kind, key))"
            " WITHOUT ROWID"
        )

    def all(self, kind: str) -> dict[str, Record]:
        rows = self._db.execute("SELECT key, value FROM record WHERE kind = ? ORDER BY key", (kind,))
        return {key: json.loads(value) for key, value in rows}

    def get(self, kind: str, key: str) -> Record | None:
        row = self._db.execute("SELECT value FROM record WHERE kind = ? AND key = ?", (kind, key)).fetchone()
        return json.loads(row[0]) if row else None

    def put(self, kind: str, key: str, record: Mapping[str, Any]) -> None:
        self.change(kind, {key: json.dumps(record)}, ())

    def delete(self, kind: str, *keys: str) -> None:
        self.change(kind, {}, keys)

    def change(self, kind: str, texts: Mapping[str, str], gone: Iterable[str]) -> None:
        """Write these records, as JSON text, and drop those, all or nothing."""
        with self._db:
            self._db.executemany("DELETE FROM record WHERE kind = ? AND key = ?", [(kind, key) for key in gone])
            self._db.executemany(
                "INSERT OR REPLACE INTO record VALUES (?, ?, ?)", [(kind, key, text) for key, text in texts.items()]
            )
