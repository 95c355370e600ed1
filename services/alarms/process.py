"""The loop: takes batches of the committed stream, lets the engine judge them, stores what follows, in one transaction.

    committed ──take──▶ Memory.hear ──transitions──▶ Keeper.apply ──▶ alarm, alarm_change, NOTIFY ─┐
        position, the engine's memory now and then ────────────────────────────────────────────────┴─▶ one commit

Several processes may run; the one whose session holds an advisory lock leads, and works in that same session. Whatever
fails is rolled back and begun anew from the store: the memory in RAM is never ahead of it.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import psycopg
from prometheus_client import Counter, Gauge, Histogram

from services.alarms.memory import Memory
from services.led import Led
from tram.alarms.model import AlarmChange
from tram.alarms.unit import Transition
from tram.clock import to_micros
from tram.errors import NotFoundError, UnavailableError
from tram.runtime.readiness import Readiness
from tram.settings import Settings
from tram.store import alarm_rules, registry, sqlfile
from tram.store.committed import CHANNEL, FellBehindError, Reader
from tram.store.database import Connection, available
from tram.store.notify import Listener

log = logging.getLogger(__name__)

PAUSE = 0.05
"""Seconds between two transactions: what came meanwhile is taken together."""
WAIT = 1.0
GRACE = timedelta(seconds=1)
"""What is due by time alone waits so long for readings under way that may say otherwise."""
KEEP = 20.0
"""Seconds after which the engine's memory is kept: a start hears no more than this again."""
REGISTRY = 5.0
"""Least seconds between two looks at the registry because Things changed; new Datastreams are looked up at once."""
ROWS, BATCHES = 50_000, 400

BATCHES_HEARD = Counter("tram_alarms_batches", "Batches of the committed stream that the engine heard")
READINGS = Counter("tram_alarms_readings", "Readings in them")
CHANGES = Counter("tram_alarms_changes", "Changes of alarms that it stored", ["kind"])
REBUILDS = Counter("tram_alarms_begun", "Times the engine was made anew", ["why"])
LAG = Gauge("tram_alarms_lag_seconds", "Age of the newest batch when it was judged")
SECONDS = Histogram("tram_alarms_seconds", "Time of a transaction")


class Alarms(Led):
    """The process's work.

    Args:
        clock: the present; None: the database's clock. Tests hand in their own.
    """

    retry = 1.0

    def __init__(
        self, settings: Settings, stopping: threading.Event, readiness: Readiness,
        clock: Callable[[], datetime] | None = None,
    ) -> None:  # fmt: skip
        channels = (CHANNEL, alarm_rules.CHANNEL, registry.CHANNEL)
        super().__init__(
            settings, stopping, "alarms", lock=120, channels=channels, readiness=readiness, autocommit=True
        )
        self._clock = clock
        self._reader = Reader("alarms")
        self._memory: Memory | None = None
        self._stale = False
        self._kept = self._looked = 0.0

    def detail(self) -> Mapping[str, Any]:
        """For the heartbeat."""
        memory = self._memory
        told: dict[str, Any] = {"role": "leader" if self.leading else "standby"}
        if memory is not None:
            told["rules"] = len(memory.engine.units)
            told["faulty"] = sum(1 for faults in memory.engine.faults().values() if faults) + len(memory.unreadable)
        return told

    def serve(self, conn: Connection, listener: Listener) -> None:
        self._memory = None
        while not self._stopping.is_set():
            busy = self.step(conn)
            if busy:
                self._stopping.wait(PAUSE)
            for channel, _ in listener.wait(0.0 if busy else WAIT, self._stopping):
                self.notified(channel)

    def notified(self, channel: str) -> None:
        """Something changed: rules at once, the registry not more often than every REGISTRY seconds."""
        if channel == alarm_rules.CHANNEL:
            self._stale, self._looked = True, 0.0
        elif channel == registry.CHANNEL:
            self._stale = True

    def step(self, conn: Connection) -> bool:
        """One transaction; whether there was anything to take. On an error the memory is dropped with what it did."""
        started = time.monotonic()
        try:
            with available(), conn.transaction():
                busy = self._work(conn)
        except FellBehindError as error:
            log.warning("%s; the engine begins with the latest values", error)
            self._begin_anew(conn)
            busy = True
        except BaseException:
            self._memory = None
            raise
        SECONDS.observe(time.monotonic() - started)
        return busy

    def _work(self, conn: Connection) -> bool:
        now = self._now(conn)
        made = self._memory is None
        memory = self._memory or self._start(conn, now)
        told = memory.caught_up(conn, now) if made else []
        changes: list[AlarmChange] = []
        if self._stale and time.monotonic() - self._looked > REGISTRY:
            self._stale, self._looked = False, time.monotonic()
            if not memory.holds(conn):
                changes += memory.keeper.apply(conn, told, now)
                memory, told = self._renew(conn, memory, now, "rules")
                made = True
        taken = self._reader.take(conn, rows=ROWS, batches=BATCHES)
        for one in taken:
            if not memory.knows(one.batch):
                changes += memory.keeper.apply(conn, told, now)
                memory, told = self._renew(conn, memory, now, "datastreams")
                memory.accept(one.batch)
                made = True
            told += memory.hear(one)
            READINGS.inc(len(one.batch))
        if not taken:
            told += memory.engine.tick(to_micros(now - GRACE))
        else:
            LAG.set((now - taken[-1].at).total_seconds())
            BATCHES_HEARD.inc(len(taken))
        changes += memory.keeper.apply(conn, told, now) + memory.keeper.clocks(conn, now)
        if made:
            changes += memory.keeper.close_gone(conn, now)
        memory.write_faults(conn)
        if made or time.monotonic() - self._kept > KEEP:
            self._keep(conn, memory)
        self._memory = memory
        for change in changes:
            CHANGES.labels(change.kind.value).inc()
        return bool(taken)

    # Where the memory comes from

    def _start(self, conn: Connection, now: datetime) -> Memory:
        """From what was kept and what came since; for the first time from the latest values."""
        queries = sqlfile.load("alarm_rules")
        memory = Memory(conn, self._settings.utc_offset, now)
        row = conn.execute(queries["engine"]).fetchone()
        try:
            position = self._reader.position(conn)
        except NotFoundError:
            position, row = self._reader.start(conn), None
        trimmed = conn.execute(queries["trimmed"]).fetchone()
        if row is not None and trimmed is not None and row[0] < trimmed[0] and row[0] < position:
            log.warning("what came since the engine's memory was kept is gone; it begins with the latest values")
            row = None
        memory.begin(conn, None if row is None else bytes(row[1]))
        if row is not None:
            memory.replay(conn, int(row[0]), position)
        REBUILDS.labels("start" if row is not None else "anew").inc()
        self._stale, self._looked = False, time.monotonic()
        return memory

    def _renew(self, conn: Connection, memory: Memory, now: datetime, why: str) -> tuple[Memory, list[Transition]]:
        """The rules and the registry as they are now; what was remembered of the same rules stays."""
        new = Memory(conn, self._settings.utc_offset, now)
        new.begin(conn, memory)
        REBUILDS.labels(why).inc()
        self._stale, self._looked = False, time.monotonic()
        return new, new.joined(conn, now)

    def _begin_anew(self, conn: Connection) -> None:
        """Rebuild (docs/store.md): position and latest values from ONE snapshot."""
        self._memory = None
        try:
            with available(), conn.transaction():
                conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                now = self._now(conn)
                self._reader.start(conn, again=True)
                memory = Memory(conn, self._settings.utc_offset, now)
                memory.begin(conn, None)
                told = memory.caught_up(conn, now)
                memory.keeper.apply(conn, told, now)
                memory.keeper.close_gone(conn, now)
                self._keep(conn, memory)
        except psycopg.errors.SerializationFailure as error:
            raise UnavailableError("somebody changed alarms meanwhile; it begins again") from error
        REBUILDS.labels("fell-behind").inc()
        self._memory = memory

    def _keep(self, conn: Connection, memory: Memory) -> None:
        values = {"seq": self._reader.position(conn), "state": memory.engine.pack()}
        conn.execute(sqlfile.load("alarm_rules")["keep_engine"], values)
        self._kept = time.monotonic()

    def _now(self, conn: Connection) -> datetime:
        if self._clock is not None:
            return self._clock()
        row = conn.execute(sqlfile.load("alarm_rules")["clock"]).fetchone()
        assert row is not None
        found: datetime = row[0]
        return found
