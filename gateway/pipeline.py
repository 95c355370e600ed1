"""The pipeline's thread: draws batches from the buffer, takes them through the stages, acknowledges what is in."""

import logging
import threading
import time
from functools import partial

import psycopg

from gateway.buffer import Buffer
from gateway.deadletter import letter
from gateway.decode import Decoder
from gateway.directory import Directory
from gateway.metrics import Metrics
from gateway.mqtt import Subscriber
from gateway.normalise import Normaliser, Work
from gateway.patience import POISON, PatientDatabase, StoppedError
from gateway.pending import MOST, Replayer
from gateway.redecode import Redecoder
from gateway.rows import Rows
from gateway.watch import Watcher
from gateway.writer import Writer
from tram.clock import SECOND, TimePolicy
from tram.errors import TramError
from tram.settings import Settings
from tram.store import registry
from tram.store.database import Connection
from tram.store.introductions import introduce
from tram.store.observations import Written
from tram.store.resolver import Refused

log = logging.getLogger(__name__)

CHORES = 1.0  # seconds between looks for accepted Things
NOTE_SEEN = 10.0  # seconds between notes of when Things were last heard of
ASK_AGAIN = 30.0  # seconds after which a refusal is not trusted any more
IDLE = 0.25  # seconds of waiting for messages before the stop signal is looked at


class Pipeline:
    """Buffer to commit to acknowledgement. Run it in one thread."""

    def __init__(
        self, settings: Settings, buffer: Buffer, subscriber: Subscriber, database: PatientDatabase, metrics: Metrics,
        stopping: threading.Event,
    ) -> None:  # fmt: skip
        self._settings, self._buffer, self._subscriber = settings, buffer, subscriber
        self._database, self._metrics, self._stopping = database, metrics, stopping
        self._directory = Directory(settings.provisioning, settings.pending_things)
        self._decoder = Decoder(
            self._directory, payload_bytes=settings.payload_bytes, payload_readings=settings.payload_readings
        )
        policy = TimePolicy(
            int(settings.clock_future * SECOND), int(settings.clock_past * SECOND), int(settings.clock_late * SECOND)
        )
        self._normaliser = Normaliser(self._directory, policy)
        self._writer = Writer(database, metrics, pending_messages=settings.pending_messages)
        self._replayer = Replayer(
            database, self._decoder, self._directory, self._normaliser, self._writer, metrics
        )  # fmt: skip
        self._redecoder = Redecoder(database, self._decoder, self._directory, policy, self._writer, metrics)
        self._watcher = Watcher(database, self._directory)
        self._chores_due = self._note_due = self._ask_due = 0.0

    def run(self) -> None:
        """Works until `stopping` is set, or the connection's thread is gone."""
        try:
            while not self._stopping.is_set() and self._subscriber.alive:
                if self._buffer.wait_for_batch(self._settings.batch_rows, self._settings.batch_wait, IDLE):
                    self._batch()
                self._chores()
        except StoppedError:
            log.info("stopping with %d messages not stored: they stay at the broker", self._buffer.messages)

    def _batch(self) -> None:
        """One batch through all stages."""
        start = time.perf_counter()
        self._listen()
        rows = self._decode()
        decoded = time.perf_counter()
        if rows.things:
            self._introduce(rows)
        if self._directory.asks:
            self._resolve()
        work = self._normaliser.normalise(rows)
        normalised = time.perf_counter()
        written = self._writer.write(work)
        stored = time.perf_counter()
        self._subscriber.acknowledge(rows.chunks)
        self._buffer.release(rows.chunks)
        self._watcher.keep(work)
        for stage, seconds in (
            ("decode", decoded - start), ("normalise", normalised - decoded), ("store", stored - normalised),
            ("acknowledge", time.perf_counter() - stored),
        ):  # fmt: skip
            self._metrics.stage.labels(stage).observe(seconds)
        self._count(rows, work, written)

    def _resolve(self) -> None:
        """Asks the registry about new keys, in a transaction of its own.

        New Things and Datastreams are seldom, other gateways may wait for them, and they stand on their own feet when
        the batch that named them has to be tried again.
        """
        try:
            self._database.run(self._directory.resolve)
        except POISON as error:
            log.warning("the registry refuses some of %d keys, asking one by one: %s", self._directory.asks, error)
            for slot in self._directory.unknown:
                try:
                    self._database.run(partial(self._directory.resolve, slots=(slot,)))
                except POISON as fault:
                    self._directory.refuse(slot, "name", str(fault))

    def _introduce(self, rows: Rows) -> None:
        """What devices say of themselves, in a transaction of its own; a refusal is a dead letter."""
        settings = self._settings

        def note(conn: Connection) -> dict[str, Refused]:
            return introduce(conn, rows.things, settings.provisioning, settings.pending_things)

        try:
            refused = self._database.run(note)
        except POISON as error:
            log.exception("%d descriptions cannot be stored", len(rows.things))
            refused = {thing.name: Refused("refused-by-store", str(error)) for thing in rows.things}
        for name, answer in refused.items():
            text = f"what {name} says of itself: {answer.detail}"
            rows.letters.append(letter(answer.reason, text, "", b"", rows.chunks[0].received))

    def _decode(self) -> Rows:
        """Chunks until there are enough rows, or none is left."""
        rows = Rows()
        while len(rows) < self._settings.batch_rows and (chunk := self._buffer.take()) is not None:
            self._decoder.decode(chunk, rows)
        if rows.counts:
            self._buffer.rows_a_message = 0.8 * self._buffer.rows_a_message + 0.2 * len(rows) / len(rows.counts)
        return rows

    def _count(self, rows: Rows, work: Work, written: Written) -> None:
        metrics, batch = self._metrics, work.batch
        now = time.time_ns() // 1000
        metrics.acknowledged.inc(len(rows.counts))
        metrics.count_work(work, written)
        metrics.commit_lag.observe((now - rows.chunks[0].received) / SECOND)
        if len(batch):
            metrics.age.observe(max(0, now - int(batch.phenomenon_time.max())) / SECOND)

    def _listen(self) -> None:
        """Takes in what the registry told since the last batch, and starts over when too many keys are remembered."""
        changed = self._database.changes()
        if changed is None or changed:
            self._directory.forget(changed)
        if self._directory.full:
            self._directory.start_over()
            self._decoder.start_over()
            self._normaliser.start_over()

    def _chores(self) -> None:
        """What is not about the newest messages: accepted Things, and when Things were last heard of."""
        now = time.monotonic()
        if now < self._chores_due:
            return
        self._chores_due = now + CHORES
        if now > self._ask_due:
            self._ask_due = now + ASK_AGAIN
            self._directory.forget_unstored()
        try:
            self._listen()
            while self._replayer.replay() == MOST and not self._stopping.is_set():
                pass
            self._redecoder.run()
            self._watcher.look()
            if now > self._note_due:
                self._note_due = now + NOTE_SEEN
                if heard := self._directory.take_heard():
                    self._database.attempt(lambda conn: registry.seen(conn, heard))
        except (psycopg.Error, TramError) as error:
            log.warning("the database is not to be had for chores: %s", error)
            self._chores_due = now + 5 * CHORES
