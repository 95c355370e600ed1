"""What a device has said and no broker has taken yet: one SQLite file, in order, bounded."""

import fcntl
import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple, Self

from tram.errors import UnavailableError

Full = Literal["drop-oldest", "refuse"]


class Row(NamedTuple):
    """One record: its place in the order, and its JSON."""

    id: int
    record: str


class StoreFull(UnavailableError):
    """The store is at its limit and its policy is to refuse."""

    code = "store-full"


class Store:
    """A queue on disk. Safe to use from several threads; one process at a time.

    WAL, so that a killed process loses nothing that `append` returned for; with `fsync` nor does a power cut.

    Args:
        path: the SQLite file; made if it is not there.
        max_rows, max_bytes: the limits; bytes count the records' JSON.
        full: what happens at a limit: the oldest records go and are counted, or `append` raises StoreFull.
        fsync: whether each append waits for the disk.

    Raises:
        UnavailableError: another process has it open, or it cannot be opened.
    """

    def __init__(self, path: Path, *, max_rows: int, max_bytes: int, full: Full, fsync: bool) -> None:
        self._max_rows, self._max_bytes, self._full = max_rows, max_bytes, full
        self._lock = threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._guard = path.with_name(path.name + ".lock").open("w")
        try:
            fcntl.flock(self._guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._guard.close()
            raise UnavailableError(f"{path} is in use by another process") from None
        try:
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5.0)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute(f"PRAGMA synchronous = {'FULL' if fsync else 'NORMAL'}")
            # AUTOINCREMENT: an id is never used again, so a late PUBACK cannot delete a newer record.
            self._db.execute(
                "CREATE TABLE IF NOT EXISTS record (id INTEGER PRIMARY KEY AUTOINCREMENT, json TEXT NOT NULL)"
            )
            self._db.execute("CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value) WITHOUT ROWID")
            self.rows: int
            self.bytes: int
            self.rows, self.bytes = self._db.execute(
                "SELECT count(*), coalesce(sum(length(CAST(json AS BLOB))), 0) FROM record"
            ).fetchone()
            self.dropped = int(self.fact("dropped") or 0)
            self.last_ts = int(self.fact("last_ts") or 0)
        except sqlite3.Error as error:
            self._guard.close()
            raise UnavailableError(f"{path} cannot be opened: {error}") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file; everything in it stays."""
        with self._lock:
            self._db.close()
            self._guard.close()

    def append(self, records: Sequence[tuple[int, str]]) -> None:
        """Adds (ts, JSON) records in one transaction. Raises StoreFull, or sqlite3.Error when the disk does."""
        size = sum(len(json.encode()) for _, json in records)
        with self._lock:
            over_rows, over_bytes = self.rows + len(records) - self._max_rows, self.bytes + size - self._max_bytes
            if (over_rows > 0 or over_bytes > 0) and (
                self._full == "refuse" or len(records) > self._max_rows or size > self._max_bytes
            ):
                raise StoreFull(f"{self.rows} records ({self.bytes} bytes) wait already")
            rows, used, dropped = self.rows + len(records), self.bytes + size, self.dropped
            self._db.execute("BEGIN IMMEDIATE")
            try:
                if over_rows > 0 or over_bytes > 0:
                    gone, freed, last = self._oldest(over_rows, over_bytes)
                    self._db.execute("DELETE FROM record WHERE id <= ?", (last,))
                    rows, used, dropped = rows - gone, used - freed, dropped + gone
                    self._set_fact("dropped", dropped)
                self._db.executemany("INSERT INTO record (json) VALUES (?)", [(json,) for _, json in records])
                last_ts = max(self.last_ts, *(ts for ts, _ in records))
                self._set_fact("last_ts", last_ts)
                self._db.execute("COMMIT")
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self.rows, self.bytes, self.dropped, self.last_ts = rows, used, dropped, last_ts

    def _oldest(self, rows: int, size: int) -> tuple[int, int, int]:
        """(how many, their bytes, the last one's id) of the oldest that must go to make room."""
        gone = freed = last = 0
        for record, length in self._db.execute("SELECT id, length(CAST(json AS BLOB)) FROM record ORDER BY id"):
            last, gone, freed = record, gone + 1, freed + length
            if gone >= rows and freed >= size:
                break
        return gone, freed, last

    def after(self, last: int, most_rows: int, most_bytes: int) -> list[Row]:
        """The records after an id, in order; at most so many, and one more than fits in `most_bytes` at least."""
        taken: list[Row] = []
        size = 0
        with self._lock:
            for row in self._db.execute(
                "SELECT id, json FROM record WHERE id > ? ORDER BY id LIMIT ?", (last, most_rows)
            ):
                size += len(row[1])
                if taken and size > most_bytes:
                    break
                taken.append(Row(*row))
        return taken

    def remove(self, first: int, last: int) -> int:
        """Forgets the records first..last, which the broker has; returns how many were still there."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            size = self._db.execute(
                "SELECT coalesce(sum(length(CAST(json AS BLOB))), 0) FROM record WHERE id BETWEEN ? AND ?",
                (first, last),
            ).fetchone()[0]
            gone = self._db.execute("DELETE FROM record WHERE id BETWEEN ? AND ?", (first, last)).rowcount
            self._db.execute("COMMIT")
            self.rows, self.bytes = self.rows - gone, self.bytes - size
            return gone

    def fact(self, name: str) -> str | int | None:
        """A small thing remembered beside the records, or None."""
        row = self._db.execute("SELECT value FROM fact WHERE name = ?", (name,)).fetchone()
        return row[0] if row else None

    def remember(self, name: str, value: str | int) -> None:
        """Keeps a small thing beside the records."""
        with self._lock:
            self._set_fact(name, value)

    def _set_fact(self, name: str, value: str | int) -> None:
        self._db.execute(
            "INSERT INTO fact VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", (name, value)
        )
