"""What the worker does, job by job: each a period, a timeout, and a function that works in one transaction."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from tram.embedded.secret import keyring
from tram.identity import brokerrules, decide, machine
from tram.runtime import brokerfiles
from tram.runtime.brokercontrol import Control
from tram.settings import Settings
from tram.store import (
    alarm_history,
    areas,
    audit,
    committed,
    credentials,
    deadletters,
    events,
    factors,
    keys,
    processes,
    retention,
    sessions,
    watching,
)  # fmt: skip
from tram.store.database import Connection
from tram.store.rollups import Rollups


class Outcome(NamedTuple):
    """What one transaction of a job did: how much it removed, and whether there is more to do at once."""

    removed: int
    more: bool = False


@dataclass(frozen=True, slots=True)
class Job:
    """A job.

    Attributes:
        name: in metrics and logs.
        period: seconds from the end of one run to the next.
        timeout: seconds one run may take, all its transactions together; its statements are cancelled at that.
        work: does one bounded step and never commits: the worker does.
    """

    name: str
    period: float
    timeout: float
    work: Callable[[Connection, Settings], Outcome]


STEP = 10_000
PROCESS_KEPT = 3600.0


def trim_committed(conn: Connection, settings: Settings) -> Outcome:
    """Frees partitions of the committed stream that are older than it is kept."""
    return Outcome(committed.trim(conn, settings.committed_keep))


def trim_dead_letters(conn: Connection, settings: Settings) -> Outcome:
    """Deletes the oldest dead letters beyond their limit."""
    removed = deadletters.trim(conn, settings.dead_letters, STEP)
    return Outcome(removed, more=removed >= STEP)


def forget_processes(conn: Connection, settings: Settings) -> Outcome:
    """Deletes rows of processes that were not heard of for an hour."""
    return Outcome(processes.forget(conn, PROCESS_KEPT))


def forget_messages(conn: Connection, settings: Settings) -> Outcome:
    """Deletes messages that were kept for somebody to look at, an hour after they came."""
    return Outcome(watching.forget(conn))


def look_after_identity(conn: Connection, settings: Settings) -> Outcome:
    """Ends what is over (sessions, failed tries, claim codes, old events) and makes the next signing key in time."""
    now = time.time()
    removed = sessions.sweep(conn, now=now, idle=settings.session_idle) + factors.forget_tries(conn)
    removed += credentials.sweep_claims(conn)
    removed += events.trim(conn, datetime.fromtimestamp(now - settings.event_keep, UTC))
    if keys.rotate(conn, keyring(settings), now):
        events.security(conn, "key.rotated", at=int(now * 1e6), subject="keys", origin="worker")
    return Outcome(removed)


def trim_alarms(conn: Connection, settings: Settings) -> Outcome:
    """Deletes alarms that have been over for longer than they are kept, with what happened to them."""
    removed = alarm_history.trim(conn, datetime.fromtimestamp(time.time() - settings.alarm_keep, UTC))
    return Outcome(removed, more=removed > 0)


def anchor_audit(conn: Connection, settings: Settings) -> Outcome:
    """Writes the hash of the audit's last row outside the database."""
    audit.anchor(conn, settings.home / audit.ANCHORS, int(time.time() * 1e6))
    return Outcome(0)


def keep_rollups(conn: Connection, settings: Settings) -> Outcome:
    """Brings the rollups and latest values up to the committed stream's end, so many rows a transaction."""
    rollups = Rollups(settings.utc_offset)
    rollups.start(conn)
    return Outcome(0, more=rollups.step(conn).more)


def write_broker_files(conn: Connection, settings: Settings) -> Outcome:
    """Writes mosquitto's passwd when a credential was issued, ran out or was revoked."""
    if settings.broker_files:
        brokerfiles.write(conn, Path(settings.broker_files), time.time())
    return Outcome(0)


class SetBrokerRules:
    """Keeps what each user may do at mosquitto as the credentials say, over its control topic."""

    def __init__(self) -> None:
        self._control: Control | None = None

    def __call__(self, conn: Connection, settings: Settings) -> Outcome:
        """Sends what changed."""
        if not settings.broker_files:
            return Outcome(0)
        folder = Path(settings.broker_files)
        if self._control is None:
            self._control = brokerfiles.control(folder)
        users = brokerfiles.wanted(conn, folder, time.time())
        return Outcome(0, more=self._control.apply(brokerrules.rules(users)))


class ReadBrokerLog:
    """Writes what mosquitto refused as events. The same refusal is written once a minute."""

    AGAIN = 60.0
    REMEMBERED = 10_000

    def __init__(self) -> None:
        self._reader: brokerfiles.LogReader | None = None
        self._told: dict[tuple[str, str, str], float] = {}

    def __call__(self, conn: Connection, settings: Settings) -> Outcome:
        """Reads on from where it stopped."""
        if not settings.broker_log:
            return Outcome(0)
        now = time.time()
        if self._reader is None:
            self._reader = brokerfiles.LogReader(Path(settings.broker_log))
        folder = Path(settings.broker_files) if settings.broker_files else None
        users = credentials.in_force(conn, now) + (brokerfiles.planes(folder) if folder else [])
        self._reader.know(users)
        self._told = {key: at for key, at in self._told.items() if now - at < self.AGAIN}
        for refusal in self._reader.refusals():
            key = (refusal.code, refusal.user, refusal.topic)
            if key in self._told or len(self._told) >= self.REMEMBERED:
                continue
            self._told[key] = now
            detail = {"topic": refusal.topic} if refusal.topic else {}
            events.security(
                conn, refusal.code, at=int(now * 1e6), subject=refusal.subject, origin=refusal.origin, detail=detail
            )
        return Outcome(0)


def place_things(conn: Connection, settings: Settings) -> Outcome:
    """Gives Things the area they stand in, where nobody stated one."""
    return Outcome(0, more=areas.place(conn) > 0)


class Retain:
    """Removes what is older than it is to be kept, so many rows a transaction; a run that removed any is audited."""

    def __init__(self) -> None:
        self._rows = self._chunks = 0

    def __call__(self, conn: Connection, settings: Settings) -> Outcome:
        """One step; the last of a run writes the row."""
        done = retention.step(conn, settings.utc_offset)
        self._rows, self._chunks = self._rows + done.rows, self._chunks + done.chunks
        if not done.more and (self._rows or self._chunks):
            detail = {"rows": self._rows, "chunks": self._chunks}
            actor = machine("worker")
            why = decide(actor, "server.data", None, now=time.time()).why
            audit.write(
                conn, actor, "server.data", at=time.time_ns() // 1000, target="retention run", why=why,
                origin="worker", detail=detail,
            )  # fmt: skip
            self._rows = self._chunks = 0
        return Outcome(done.rows, done.more)


JOBS = (
    Job("retention", 300.0, 240.0, Retain()),
    Job("areas", 10.0, 30.0, place_things),
    Job("rollups", 20.0, 60.0, keep_rollups),
    Job("committed", 5.0, 30.0, trim_committed),
    Job("dead-letters", 10.0, 30.0, trim_dead_letters),
    Job("processes", 60.0, 10.0, forget_processes),
    Job("messages", 600.0, 30.0, forget_messages),
    Job("identity", 60.0, 30.0, look_after_identity),
    Job("alarms", 3600.0, 60.0, trim_alarms),
    Job("audit-anchor", 60.0, 10.0, anchor_audit),
    Job("broker-rules", 2.0, 30.0, SetBrokerRules()),
    Job("broker-files", 2.0, 30.0, write_broker_files),
    Job("broker-log", 2.0, 10.0, ReadBrokerLog()),
)
"""Waiting messages need no job: tram.store.pending.hold keeps them within their limit as it stores them."""
