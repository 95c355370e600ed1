"""The running processes, as they report themselves every few seconds."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tram.store import sqlfile
from tram.store.batch import encode_json
from tram.store.database import Connection, available


@dataclass(frozen=True, slots=True)
class ProcessRow:
    """A process. `age` is the seconds since it was last heard of, by the database's clock."""

    name: str
    host: str
    pid: int
    version: str
    state: str
    started: datetime
    seen: datetime
    age: float
    detail: Mapping[str, Any]


def heartbeat(
    conn: Connection,
    name: str,
    *,
    host: str,
    pid: int,
    version: str,
    state: str,
    started: datetime,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Says that a process is there. `state`: starting, ready, degraded, stopping, stopped. Never commits."""
    arguments = {
        "name": name, "host": host, "pid": pid, "version": version, "state": state, "started": started,
        "detail": encode_json(dict(detail or {})).decode(),
    }  # fmt: skip
    with available():
        conn.execute(sqlfile.load("processes")["heartbeat"], arguments)


def list_processes(conn: Connection, *, within: float = 3600.0) -> list[ProcessRow]:
    """Those heard of in the last `within` seconds, by name."""
    with available():
        return [ProcessRow(*row) for row in conn.execute(sqlfile.load("processes")["list"], (within,))]


def forget(conn: Connection, older: float = 3600.0) -> int:
    """Deletes rows of processes not heard of for `older` seconds; returns how many. The worker calls it."""
    with available():
        return conn.execute(sqlfile.load("processes")["forget"], (older,)).rowcount
