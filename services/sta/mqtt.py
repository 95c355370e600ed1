"""SensorThings over MQTT (OGC 18-088 clauses 13 and 14): Observations in, and what was stored out.

    v1.1/Datastreams(id)/Observations --QoS 1, acknowledged after commit--> queue --> the one write path
    committed stream, from its own position --> v1.1/Datastreams(id)/Observations, v1.1/Observations,
                                                v1.1/FeaturesOfInterest(id)/Observations
    entity_change, until it was published ----> v1.1/Things, v1.1/Things(5), v1.1/Things(5)/name … (updates.py)
                                                              (QoS 1, not retained)

The position moves only after the broker has acknowledged, so nothing is missed across a restart of anything; after one,
the last messages may come twice. The queue holds QUEUE messages: when it is full reading from the broker stops, and the
broker's persistent session keeps the rest. What cannot be stored goes to the dead letters with its reason.
"""

import logging
import queue
import re
import threading
import time
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
import paho.mqtt.client as paho
import psycopg

from services import mqttclient
from services.sta import bodies, updates
from services.sta.access import EVERYTHING
from services.sta.model import ENTITIES
from services.sta.query import body, build
from services.sta.read import Reader
from services.sta.sql import Sql
from services.sta.syntax import Options
from services.sta.writer import Writer
from tram.clock import from_micros
from tram.errors import TramError, UnavailableError
from tram.settings import Settings
from tram.store import committed, deadletters
from tram.store.database import Connection, available, connect

log = logging.getLogger(__name__)

ROOT = updates.ROOT
SUBSCRIBED = "$SYS/broker/log/M/subscribe"
"""Where mosquitto says who subscribes to what, with `log_dest topic` and `log_type subscribe`."""
QUEUE = 1_000
ROWS = 1_000
"""Most Observations published in one transaction."""
LINE = 5_000
"""Most messages that wait for the broker at once: an import commits more rows than MQTT has packet ids (65,535)."""
PAUSE = 0.1
RETRY = 2.0
ACKNOWLEDGED = 10.0
"""Seconds the broker may take to acknowledge what was published; then it is published again."""
CORRECTABLE = ("result", "resultTime", "resultQuality", "validTime", "parameters")
_SUBSCRIPTION = re.compile(r" [0-2] (?P<topic>\S.*)")
_TOPIC = re.compile(rf"{ROOT}/Datastreams\((\d{{1,10}})\)/Observations")


class Told(NamedTuple):
    """An Observation that is published, and what it belongs to."""

    id: str
    datastream: int
    feature: int | None

    def parents(self) -> list[str]:
        """What stands before `Observations` in its topics."""
        of = [f"Datastreams({self.datastream})/", ""]
        return of if self.feature is None else [*of, f"FeaturesOfInterest({self.feature})/"]


class Bridge:
    """Runs in a thread of the worker. Several workers may run: the position's lock lets one publish at a time.

    Args:
        settings: resolved ones, with database_url and mqtt_url.
        stopping: ends it.
        name: of the reader of the committed stream, and of the MQTT session.
    """

    def __init__(self, settings: Settings, stopping: threading.Event, name: str = "tram-sensorthings") -> None:
        self._settings, self._stopping, self._name = settings, stopping, name
        self._stream = committed.Reader(name)
        self._incoming: queue.Queue[tuple[int, paho.MQTTMessage]] = queue.Queue(QUEUE)
        self._generation = 0
        self._watched = updates.Watched()
        self.subscribed = threading.Event()
        self._client = self._make_client()
        port = f":{settings.http_port}" if settings.http_port not in (80, 443) else ""
        self._base = (settings.public_url.rstrip("/") or f"http://{settings.http_host}{port}") + "/sta/v1.1"
        self._thread = threading.Thread(target=self.run, name="sensorthings-mqtt", daemon=True)

    def start(self) -> None:
        """Begins, in a thread."""
        self._thread.start()

    def join(self, timeout: float = 10) -> None:
        """Waits for its end, after `stopping` was set."""
        self._thread.join(timeout)

    def run(self) -> None:
        """Until `stopping`. Database or broker away: it waits and tries again."""
        mqttclient.begin(self._client, self._settings)
        try:
            while not self._stopping.is_set():
                try:
                    with connect(self._settings, "sensorthings") as conn:
                        self._begin(conn)
                        self._serve(conn)
                except (UnavailableError, psycopg.OperationalError, psycopg.InterfaceError) as error:
                    log.warning("database: %s", str(error).strip().split("\n")[0])
                    self._stopping.wait(RETRY)
                except Exception:
                    # What nobody foresaw must not end it for good; the position has not moved.
                    log.exception("SensorThings over MQTT failed; it goes on")
                    self._stopping.wait(RETRY)
        finally:
            mqttclient.end(self._client)

    def _make_client(self) -> paho.Client:
        client = mqttclient.client(self._settings, self._name, clean=False, manual_ack=True)
        client.on_connect = self._connected
        client.on_subscribe = lambda *_: self.subscribed.set()
        client.on_message = self._received
        return client

    def _connected(self, client: paho.Client, *_: Any) -> None:
        self._generation += 1
        self.subscribed.clear()
        topics = [f"{ROOT}/+/Observations", *([SUBSCRIBED] if self._settings.sta_mqtt == "logged" else [])]
        client.subscribe([(topic, 1) for topic in topics])

    def _received(self, client: paho.Client, userdata: object, message: paho.MQTTMessage) -> None:
        # What this server itself has published comes back on the same topic: it has a selfLink.
        if b'"@iot.selfLink"' in message.payload:
            client.ack(message.mid, message.qos)
            return
        generation = self._generation
        while not self._stopping.is_set():
            try:
                self._incoming.put((generation, message), timeout=0.5)
                return
            except queue.Full:
                continue

    # The database's side

    def _begin(self, conn: Connection) -> None:
        with available():
            self._stream.start(conn)
            self._watched.load(conn)
            conn.commit()

    def _serve(self, conn: Connection) -> None:
        while not self._stopping.is_set():
            busy = self._take_in(conn)
            busy |= self._give_out(conn)
            busy |= self._tell_changes(conn)
            if not busy:
                self._stopping.wait(PAUSE)

    def _take_in(self, conn: Connection) -> bool:
        """Stores one message and acknowledges it."""
        try:
            generation, message = self._incoming.get_nowait()
        except queue.Empty:
            return False
        try:
            self._store(conn, message)
            conn.commit()
        except (UnavailableError, psycopg.OperationalError, psycopg.InterfaceError):
            self._again(generation, message)
            raise
        except (TramError, psycopg.DataError) as error:
            conn.rollback()
            reason = error.code if isinstance(error, TramError) else "row"
            if reason != "conflict":  # a message that came twice was stored the first time
                detail = str(error).strip().split("\n")[0]
                letter = deadletters.DeadLetter(
                    message.topic, reason, detail, bytes(message.payload), time.time_ns() // 1000
                )
                deadletters.insert(conn, [letter])
                conn.commit()
        if generation == self._generation:  # the ids of messages count for their connection only
            self._client.ack(message.mid, message.qos)
        return True

    def _again(self, generation: int, message: paho.MQTTMessage) -> None:
        """Back to the front of the line, for when the database is back."""
        waiting = [(generation, message)]
        while not self._incoming.empty():
            waiting.append(self._incoming.get_nowait())
        for one in waiting:
            self._incoming.put_nowait(one)

    def _store(self, conn: Connection, message: paho.MQTTMessage) -> None:
        if message.topic == SUBSCRIBED:
            asked = _SUBSCRIPTION.search(message.payload.decode("utf-8", "replace"))
            if asked is not None:
                self._watched.learn(conn, asked["topic"])
            return
        found = _TOPIC.fullmatch(message.topic)
        if found is None:
            raise bodies.BodyError(f"nothing is created at {message.topic[:80]!r}")
        if len(message.payload) > self._settings.payload_bytes:
            raise bodies.BodyError(f"the message has more than {self._settings.payload_bytes} bytes")
        conn.execute("SET LOCAL statement_timeout = '5s'")
        writer = Writer(Reader(conn, EVERYTHING, self._base))
        stream = writer.find("Datastream", found[1])
        sent = bodies.read(ENTITIES["Observation"], bytes(message.payload), whole=True)
        writer.make(sent, ("Datastream", stream))
        writer.flush()

    def _give_out(self, conn: Connection) -> bool:
        """Publishes the next batches of the committed stream; moves on when the broker has them."""
        if not self._client.is_connected():
            return False
        try:
            taken = self._stream.take(conn, rows=ROWS, batches=20)
        except committed.FellBehindError as error:
            conn.rollback()
            log.warning("subscribers of SensorThings miss Observations: %s", error)
            self._stream.start(conn, again=True)
            conn.commit()
            return True
        if self._published(self._messages(conn, taken)):
            conn.commit()
        else:
            conn.rollback()  # published again from here
            self._stopping.wait(PAUSE)
        return bool(taken)

    def _messages(self, conn: Connection, taken: list[committed.Committed]) -> Iterator[updates.Message]:
        for one in taken:
            if one.op is committed.Op.DELETE:
                continue
            for row, text in self._observations(conn, one.batch.datastream_id, one.batch.phenomenon_time):
                yield from ((f"{ROOT}/{parent}Observations", text) for parent in row.parents())
                if one.op is committed.Op.CORRECT:
                    own = f"{ROOT}/Observations('{row.id}')"
                    yield own, text
                    yield from ((f"{own}/{name}", updates.select(text, [name])) for name in CORRECTABLE)

    def _tell_changes(self, conn: Connection) -> bool:
        """Publishes entities that were made or changed; forgets those changes when the broker has them."""
        if not self._client.is_connected():
            return False
        changes = updates.waiting(conn)
        if changes:
            told = updates.messages(Reader(conn, EVERYTHING, self._base), changes)
            conn.commit()  # nothing is locked while the broker takes its time
            if self._published(told):
                updates.told(conn, changes)
            else:
                self._stopping.wait(PAUSE)
        conn.commit()
        return bool(changes)

    def _published(self, told: Iterable[updates.Message]) -> bool:
        """Whether the broker has all of them; LINE at most wait for it at once."""
        sent: list[paho.MQTTMessageInfo] = []
        for topic, text in told:
            for each, payload in ((topic, text), *self._watched.also(topic, text)):
                sent.append(self._client.publish(each, payload, qos=1))
                if len(sent) >= LINE:
                    if not self._acknowledged(sent):
                        return False
                    sent = []
        return self._acknowledged(sent)

    def _acknowledged(self, sent: list[paho.MQTTMessageInfo]) -> bool:
        deadline = time.monotonic() + ACKNOWLEDGED
        for info in sent:
            try:
                info.wait_for_publish(max(0.0, deadline - time.monotonic()))
                if not info.is_published():
                    return False
            except (RuntimeError, ValueError):  # not even queued
                return False
        return not self._stopping.is_set()

    def _observations(self, conn: Connection, ids: Any, times: Any) -> Iterator[tuple[Told, str]]:
        """Rows that are still there, each with its JSON as a GET gives it."""
        for first in range(0, len(ids), ROWS):
            reader = Reader(conn, EVERYTHING, self._base)
            some = slice(first, first + ROWS)
            moments = [from_micros(int(t)) for t in times[some]]
            on = Sql(
                "(o.datastream_id, o.phenomenon_time) IN (SELECT * FROM unnest(%s::int[], %s::timestamptz[]))",
                (np.asarray(ids[some]).tolist(), moments),
            )
            query = build(conn, "Observation", "o", EVERYTHING, Options(), on=on)
            columns = [Sql(f"({query.table.id.format(e='o')})::text"), body(query, list(query.entity.properties))]
            feature = Sql(query.table.links["FeatureOfInterest"].key.format(e="o"))
            rows = reader.rows(query.select([*columns, Sql("o.datastream_id"), feature], limit=None))
            texts = reader.entities(query.entity, [row[:2] for row in rows], Options())
            yield from ((Told(row[0], *row[2:]), text) for row, text in zip(rows, texts, strict=True))
