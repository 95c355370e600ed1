"""From the committed stream to a service's results: one Follower a derivation, a job of the worker.

A step notes which buckets of measured Datastreams were touched, with the stream's position, and computes those that are
over, in one transaction: nothing is missed or done twice. What arrives late touches its bucket again, and that alone.
"""

import logging
import time
from collections.abc import Sequence

import numpy as np

from services.city.domain import Derivation, Domain
from services.city.inputs import QUERIES, Touched
from services.city.putting import put
from services.jobs import Outcome
from tram.clock import DAY, from_micros
from tram.errors import NotFoundError
from tram.sensing import Micros
from tram.settings import Settings
from tram.store.committed import Committed, FellBehindError, Reader
from tram.store.database import Connection, available
from tram.store.wire import timestamps

log = logging.getLogger(__name__)

SPAN = 400
"""Buckets that are computed together: data of years ago is not put into one array with today's."""
LIMIT = 20_000
"""Touched buckets of one transaction."""
BEHIND = 3 * DAY
"""How far back everything is computed anew when the stream was lost (docs/guides/adding-a-service.md)."""


class Follower:
    """Keeps one derivation up to date. One works at a time: the reader's position is locked."""

    def __init__(self, domain: Domain, derivation: Derivation) -> None:
        self.domain, self.derivation = domain, derivation
        self.name = f"{domain.name}.{derivation.name}"
        self._reader = Reader(f"city.{self.name}")

    def __call__(self, conn: Connection, settings: Settings) -> Outcome:
        """One step by the server's clock; the worker commits it."""
        return self.step(conn, settings, time.time_ns() // 1000)

    def step(self, conn: Connection, settings: Settings, now: Micros) -> Outcome:
        """One step at a time (microseconds). Never commits.

        Raises:
            UnavailableError: roll back and try again.
        """
        with available():
            conn.execute(QUERIES["alone"], (self.name,))
        more = self.follow(conn, now)
        if more:  # first all that is known, then what follows from it: a bucket is computed once, not once a batch
            return Outcome(0, more=True)
        return Outcome(0, more=self.compute(conn, settings, now))

    def follow(self, conn: Connection, now: Micros) -> bool:
        """Notes what the stream touched; whether there may be more of it at once."""
        try:
            self._reader.position(conn)
        except NotFoundError:
            self._reader.start(conn)
            self._touch_all(conn, now)
        try:
            taken = self._reader.take(conn, rows=200_000, batches=1_000)
        except FellBehindError:
            log.warning("the stream was lost: the last days are computed anew", extra={"derivation": self.name})
            self._reader.start(conn, again=True)
            self._touch_all(conn, now)
            return False
        if taken:
            self._touch(conn, taken)
        return len(taken) >= 1_000

    def compute(self, conn: Connection, settings: Settings, now: Micros) -> bool:
        """Computes what was touched and is over; whether there is more."""
        before = now - self.derivation.width - self.derivation.grace
        told = {
            "derivation": self.name,
            "before": from_micros(before),
            "span": SPAN * self.derivation.width,
            "limit": LIMIT,
        }
        with available():
            rows = conn.execute(QUERIES["due"], told).fetchall()
            if not rows:
                return False
            inputs = self._inputs(conn)
        rows = [(id, bucket) for id, bucket in rows if id in inputs]  # a Thing may be gone meanwhile
        if rows:
            of = [inputs[id] for id, _ in rows]
            touched = Touched(
                np.array([thing for thing, _ in of], np.int64), np.array([name for _, name in of]),
                np.array([bucket for _, bucket in rows], np.int64), now - self.derivation.grace,
            )  # fmt: skip
            made = self.derivation.compute(conn, touched, settings)
            done = put(conn, self.domain, made)
            log.debug("computed", extra={"derivation": self.name, **done._asdict()})
        row = conn.execute(QUERIES["waiting"], {"derivation": self.name, "before": from_micros(before)}).fetchone()
        return bool(row and row[0])

    def touch(self, conn: Connection, ids: Sequence[int], buckets: Sequence[Micros]) -> None:
        """Notes (Datastream, start of a bucket) pairs to be computed."""
        arguments = {"derivation": self.name, "ids": list(ids), "buckets": timestamps(np.asarray(buckets, np.int64))}
        with available():
            conn.execute(QUERIES["touch"], arguments)

    def _touch(self, conn: Connection, taken: Sequence[Committed]) -> None:
        ids = np.concatenate([one.batch.datastream_id for one in taken])
        times = np.concatenate([one.batch.phenomenon_time for one in taken])
        mine = np.isin(ids, np.array(sorted(self._inputs(conn)), ids.dtype))
        if not mine.any():
            return
        width, offset = self.derivation.width, self.derivation.offset
        pairs = np.unique(np.stack([ids[mine].astype(np.int64), (times[mine] + offset) // width]), axis=1)
        self.touch(conn, pairs[0].tolist(), (pairs[1] * width - offset).tolist())

    def _touch_all(self, conn: Connection, now: Micros) -> None:
        arguments = {
            "derivation": self.name, "ids": sorted(self._inputs(conn)), "since": from_micros(now - BEHIND),
            "width": self.derivation.width, "offset": self.derivation.offset,
        }  # fmt: skip
        with available():
            conn.execute(QUERIES["touch_all"], arguments)

    def _inputs(self, conn: Connection) -> dict[int, tuple[int, str]]:
        """Datastream -> (Thing, property) of what is measured."""
        with available():
            rows = conn.execute(QUERIES["inputs"], (sorted(self.derivation.inputs),)).fetchall()
        return {id: (thing, name) for id, thing, name in rows}
