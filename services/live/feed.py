"""What the hub is told, read from the database in a thread of its own: no position is kept there, a hub has no effects.

    NOTIFY (committed, alarms, registry) -> read what is new, in order -> Update -> the loop takes it -> read on

One Update is under way at a time, so that a loop that is busy is not flooded. When the database is away the hub is
told, and it is tried again; a feed that fell behind the stream's end, or finds another stream, reads everything anew.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait

import numpy as np
import psycopg

from services.live import metrics, reading
from services.live.hub import Hub
from services.live.update import Registry, Update
from services.live.values import Row
from services.live.view import World
from tram.errors import UnavailableError
from tram.settings import Settings
from tram.store import alarms, committed, registry
from tram.store.batch import Batch
from tram.store.committed import Op
from tram.store.database import Connection, available, connect
from tram.store.notify import Listener

log = logging.getLogger(__name__)

ROWS = 50_000
"""Rows of one step, about."""
BATCHES = 100
CHANGES = 1_000
PATIENCE = 1.0
"""Seconds after which the feed looks although nothing was notified."""
RETRY = 1.0


class Feed:
    """The thread. `start` begins it, `stop` ends it."""

    def __init__(self, settings: Settings, hub: Hub, loop: asyncio.AbstractEventLoop) -> None:
        self._settings, self._hub, self._loop = settings, hub, loop
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="live-feed", daemon=True)
        self._world: World | None = None
        self._position = self._alarms = 0
        self._strangers: set[int] = set()

    def start(self) -> None:
        """Begins to read."""
        self._thread.start()

    def stop(self) -> None:
        """Asks it to end; it does soon (`join`)."""
        self._stop.set()

    def join(self) -> None:
        """Waits for its end; not on the loop, which it may be waiting for."""
        self._thread.join(5)

    def _run(self) -> None:
        listener = Listener(self._settings, (committed.CHANNEL, alarms.CHANNEL, registry.CHANNEL), "live")
        while not self._stop.is_set():
            try:
                with connect(self._settings, "live", autocommit=True) as conn:
                    self._serve(conn, listener)
            except (UnavailableError, psycopg.OperationalError, psycopg.InterfaceError) as error:
                log.warning("database: %s", str(error).strip().split("\n")[0])
            except Exception:
                # What nobody foresaw must not make the hub silent: everything is read anew.
                log.exception("the live feed failed; it begins anew")
                self._world = None
            listener.close()
            if not self._stop.is_set():
                self._call(lambda: self._hub.source("away"))
                self._stop.wait(RETRY)

    def _serve(self, conn: Connection, listener: Listener) -> None:
        while not self._stop.is_set():
            told = listener.wait(PATIENCE, self._stop)
            anew = any(payload == "" for _, payload in told)
            names = {payload for channel, payload in told if channel == registry.CHANNEL}
            if anew and (self._world is None or not self._continues(conn)):
                self._load(conn)  # it listens already: what changed meanwhile comes behind
            elif anew:
                self._give(Update(registry=self._registry(conn, None)))
            elif names:
                self._give(Update(registry=self._registry(conn, names)))
            self._catch_up(conn)
            self._call(lambda: self._hub.source("ok"))

    def _continues(self, conn: Connection) -> bool:
        """Whether the stream goes on from where this feed stands."""
        with available():
            end, gone = reading.stream(conn)
        return gone <= self._position <= end and self._alarms <= alarms.position(conn)

    def _load(self, conn: Connection) -> None:
        self._world, self._strangers = None, set()
        world = reading.load(conn)
        self._give(Update(world=world))
        self._world, self._position, self._alarms = world, world.position, world.alarms.position
        log.info("live: %d Things", len(world.catalogue))

    def _catch_up(self, conn: Connection) -> None:
        """Gives all that is new."""
        while not self._stop.is_set():
            changes = alarms.changes(conn, self._alarms, CHANGES)
            with available():
                found = reading.following(conn, self._position, rows=ROWS, batches=BATCHES)
                if reading.stream(conn)[1] > self._position:
                    log.warning("live: the hub fell behind the stream, it reads everything anew")
                    self._load(conn)
                    continue
            if not changes and not found:
                return
            steps = [(seq, batch, self._renewed(conn, op, batch)) for seq, op, batch in found]
            new = self._newcomers(conn, [batch for _, _, batch in found])
            self._give(Update(registry=new, batches=steps, alarms=changes))
            if found:
                self._position = found[-1][0]
                metrics.POSITION.set(self._position)
            if changes:
                self._alarms = changes[-1].seq

    def _renewed(self, conn: Connection, op: Op, batch: Batch) -> Sequence[Row] | None:
        if op is Op.INSERT:
            return None
        with available():
            return reading.latest_of(conn, np.unique(batch.datastream_id).tolist())

    def _newcomers(self, conn: Connection, batches: Sequence[Batch]) -> Registry | None:
        """The Things of Datastreams that were never heard of: nobody notifies of a new Datastream."""
        assert self._world is not None
        knows = self._world.catalogue.knows
        ids = {id for batch in batches for id in np.unique(batch.datastream_id).tolist() if not knows(id)}
        ids -= self._strangers
        if not ids:
            return None
        self._strangers |= ids  # of Things that are not active: asked for once, until the registry changes
        with available():
            return reading.registry(conn, reading.names_of(conn, sorted(ids)), knows)

    def _registry(self, conn: Connection, names: set[str] | None) -> Registry:
        """Things of these names, or whatever of all has changed: that is found here, where nobody waits for it. The
        loop changes the catalogue only while it takes what it was given, and this thread waits then."""
        assert self._world is not None
        self._strangers.clear()
        catalogue = self._world.catalogue
        with available():
            found = reading.registry(conn, names, catalogue.knows)
        return found.beside(catalogue) if names is None else found

    def _give(self, update: Update) -> None:
        self._call(lambda: self._hub.take(update))

    def _call(self, what: Callable[[], None]) -> None:
        """Has the loop do something, and waits for it. Raises what it raised."""
        done: Future[None] = Future()

        def run() -> None:
            try:
                what()
            except BaseException as error:  # raised again in the thread that asked
                done.set_exception(error)
            else:
                done.set_result(None)

        try:
            self._loop.call_soon_threadsafe(run)
        except RuntimeError:  # the loop is closed
            self._stop.set()
        while not self._stop.is_set() and not wait([done], 0.1).done:
            pass
        if done.done():
            done.result()
