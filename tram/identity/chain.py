"""The audit's hash chain: each row's hash covers its content and the hash of the row before.

An edited row no longer fits its hash, a deleted one leaves a hole in the numbers, a re-linked chain no longer fits an
anchor: a (seq, hash) that was written OUTSIDE the database (tram.store.audit). A cut-off tail is found by the anchors
alone, which is why they are written every minute and why their file should be sent elsewhere.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

GENESIS = bytes(32)


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the audit: who did what to what, from where, and why it was allowed.

    Attributes:
        seq: 1, 2, 3 … without a hole.
        at: microseconds since 1970.
        actor: the principal's id (`p:12`), and `actor_name` for people to read.
        operation: what (operations.py).
        target: on what: a code, never a patient's name.
        outcome: `allowed`, `refused` or `failed`.
        why: the rule that allowed it, or what was missing.
        origin: the address it came from; `cli` for commands.
        detail: more, as JSON without floats; never a secret.
    """

    seq: int
    at: int
    actor: str
    actor_name: str
    operation: str
    target: str
    outcome: str
    why: str
    origin: str
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Linked:
    """An entry with its place in the chain."""

    entry: Entry
    previous: bytes
    hash: bytes


@dataclass(frozen=True, slots=True)
class Anchor:
    """What was written outside: up to this row, the chain had this hash."""

    seq: int
    hash: bytes
    at: int


@dataclass(frozen=True, slots=True)
class Fault:
    """Something is wrong at row `seq`: `edited`, `missing`, `relinked`, `cut-off` or `disordered`."""

    seq: int
    kind: str
    message: str


def digest(entry: Entry, previous: bytes) -> bytes:
    """SHA-256 over the previous hash and the entry as JSON in one fixed form (keys in order, no spaces)."""
    fields = [
        entry.seq, entry.at, entry.actor, entry.actor_name, entry.operation, entry.target, entry.outcome, entry.why,
        entry.origin, entry.detail,
    ]  # fmt: skip
    text = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(previous + text.encode()).digest()


def verify(rows: Iterable[Linked], anchors: Iterable[Anchor] = (), *, after: Anchor | None = None) -> Iterator[Fault]:
    """Walks the chain and yields every fault.

    Args:
        rows: in the order of seq.
        anchors: what was written outside.
        after: start behind this anchor (rows before it were dropped by retention, or checked already).
    """
    by_seq: dict[int, set[bytes]] = {}
    last_anchor = 0
    for anchor in anchors:
        by_seq.setdefault(anchor.seq, set()).add(anchor.hash)
        last_anchor = max(last_anchor, anchor.seq)
    expected, previous = (after.seq + 1, after.hash) if after else (1, GENESIS)
    for row in rows:
        seq = row.entry.seq
        if seq > expected:
            yield Fault(expected, "missing", f"rows {expected} to {seq - 1} are missing")
        elif seq < expected:
            yield Fault(seq, "disordered", f"row {seq} stands again")
        if digest(row.entry, row.previous) != row.hash:
            yield Fault(seq, "edited", f"row {seq} was changed after it was written")
        elif seq == expected and row.previous != previous:
            yield Fault(seq, "relinked", f"row {seq} does not follow the row before it")
        if any(hash != row.hash for hash in by_seq.get(seq, ())):
            yield Fault(seq, "relinked", f"row {seq} is not the one whose hash was written outside")
        expected, previous = seq + 1, row.hash
    if last_anchor >= expected:
        yield Fault(expected, "cut-off", f"rows {expected} to {last_anchor} were cut off: their hash stands outside")
