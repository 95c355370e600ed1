"""The audit: written in the transaction of what it tells of, in one hash chain (tram.identity.chain), never changed.

Its anchors stand OUTSIDE the database, in an append-only file: one line `seq hash time` a minute while rows come. Send
that file elsewhere (a log collector, another machine): who can write both the database and the anchors can forge both.
"""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tram.clock import from_micros, to_micros
from tram.errors import UnavailableError
from tram.identity import chain
from tram.identity.chain import GENESIS, Anchor, Entry, Linked
from tram.identity.principal import Principal
from tram.store import sqlfile
from tram.store.batch import encode_json, storable_text
from tram.store.database import Connection, available

STEP = 5_000
"""Rows read at a time when verifying and exporting."""
ANCHORS = "audit-anchors.txt"
"""Name of the anchors' file under settings.home."""


@dataclass(frozen=True, slots=True)
class Search:
    """What to look for; empty means any. `actor` is an id or a sign-in name, `target` a part of it."""

    actor: str = ""
    operation: str = ""
    target: str = ""
    outcome: str = ""
    start: datetime | None = None
    end: datetime | None = None


def write(
    conn: Connection, actor: Principal, operation: str, *, at: int, target: str = "", outcome: str = "allowed",
    why: str = "", origin: str = "", detail: Mapping[str, Any] | None = None,
) -> int:  # fmt: skip
    """Appends a row; returns its seq. Never commits: it stands or falls with what it tells of. Call it LAST.

    It holds the chain's lock until the transaction ends: that is what makes the order one.

    Args:
        at: microseconds since 1970.
        outcome: `allowed`, `refused` or `failed`.
        detail: JSON without floats and without secrets or patients' data.
    """
    queries = sqlfile.load("oversight")
    with available():
        conn.execute(queries["audit_lock"])
        row = conn.execute(queries["audit_head"]).fetchone()
        seq, previous = (row[0] + 1, bytes(row[1])) if row else (1, GENESIS)
        texts = [storable_text(t)[:500] for t in (actor.id, actor.name, operation, target, outcome, why, origin)]
        entry = Entry(
            seq=seq, at=at, actor=texts[0], actor_name=texts[1], operation=texts[2], target=texts[3], outcome=texts[4],
            why=texts[5], origin=texts[6], detail=json.loads(encode_json(dict(detail or {}))),
        )  # fmt: skip
        values = {
            "seq": seq, "at": from_micros(at), "actor": entry.actor, "actor_name": entry.actor_name,
            "operation": entry.operation, "target": entry.target, "outcome": entry.outcome, "why": entry.why,
            "origin": entry.origin, "previous": previous, "hash": chain.digest(entry, previous),
            "detail": json.dumps(entry.detail, sort_keys=True, separators=(",", ":")),
        }  # fmt: skip
        conn.execute(queries["audit_add"], values)
    return int(seq)


def head(conn: Connection) -> tuple[int, bytes]:
    """(seq, hash) of the last row; (0, GENESIS) of an empty audit."""
    with available():
        row = conn.execute(sqlfile.load("oversight")["audit_head"]).fetchone()
    return (int(row[0]), bytes(row[1])) if row else (0, GENESIS)


def rows(conn: Connection, *, after: int = 0) -> Iterator[Linked]:
    """All rows behind `after`, in order, read in steps."""
    while True:
        with available():
            values = {"after": after, "limit": STEP}
            found = conn.execute(sqlfile.load("oversight")["audit_rows"], values).fetchall()
        for row in found:
            yield _linked(row)
        if len(found) < STEP:
            return
        after = found[-1][0]


def search(conn: Connection, what: Search, *, before: int | None = None, limit: int = 100) -> list[Linked]:
    """Newest first. The next page is `before` the last seq."""
    pattern = "%" + what.target.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    values = {
        "before": before, "actor": what.actor, "operation": what.operation, "target": what.target,
        "target_pattern": pattern, "outcome": what.outcome, "start": what.start, "end": what.end, "limit": limit,
    }  # fmt: skip
    with available():
        return [_linked(row) for row in conn.execute(sqlfile.load("oversight")["audit_search"], values)]


def verify(conn: Connection, anchors: Iterator[Anchor] | list[Anchor]) -> list[chain.Fault]:
    """Every fault of the whole chain, given what was written outside. Reads it all: minutes for millions of rows."""
    return list(chain.verify(rows(conn), anchors))


def anchor(conn: Connection, file: Path, at: int) -> Anchor | None:
    """Writes the head of the chain outside, if it moved since the last line; returns what was written.

    Raises:
        UnavailableError: the file cannot be written.
    """
    seq, hash = head(conn)
    known = read_anchors(file)
    if seq == 0 or (known and known[-1].seq == seq and known[-1].hash == hash):
        return None
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, f"{seq} {hash.hex()} {at}\n".encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise UnavailableError(f"the audit's anchors cannot be written to {file}: {error.strerror}") from None
    return Anchor(seq, hash, at)


def read_anchors(file: Path) -> list[Anchor]:
    """The anchors of a file, in order; a line that was cut (power loss) is left out, an absent file has none."""
    try:
        lines = file.read_text(encoding="ascii", errors="replace").splitlines()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise UnavailableError(f"the audit's anchors cannot be read from {file}: {error.strerror}") from None
    found = []
    for line in lines:
        parts = line.split()
        try:
            seq, hash, at = int(parts[0]), bytes.fromhex(parts[1]), int(parts[2])
        except (IndexError, ValueError):
            continue
        if len(hash) == len(GENESIS):
            found.append(Anchor(seq, hash, at))
    return found


def exported(row: Linked) -> dict[str, Any]:
    """A row as JSON for export: with its hashes, so that the export can be verified by itself."""
    entry = row.entry
    return {
        "seq": entry.seq, "at": entry.at, "actor": entry.actor, "actor_name": entry.actor_name,
        "operation": entry.operation, "target": entry.target, "outcome": entry.outcome, "why": entry.why,
        "origin": entry.origin, "detail": entry.detail, "previous": row.previous.hex(), "hash": row.hash.hex(),
    }  # fmt: skip


def imported(line: Mapping[str, Any]) -> Linked:
    """A row of an export again. Raises KeyError, ValueError or TypeError: it is none."""
    names = ("seq", "at", "actor", "actor_name", "operation", "target", "outcome", "why", "origin", "detail")
    entry = Entry(*(line[name] for name in names))
    return Linked(entry, bytes.fromhex(line["previous"]), bytes.fromhex(line["hash"]))


def _linked(row: tuple[Any, ...]) -> Linked:
    seq, at, actor, name, operation, target, outcome, why, origin, detail, previous, hash = row
    try:
        parsed = json.loads(detail)
    except ValueError:
        parsed = {"unreadable": detail}
    entry = Entry(seq, to_micros(at), actor, name, operation, target, outcome, why, origin, parsed)
    return Linked(entry, bytes(previous), bytes(hash))
