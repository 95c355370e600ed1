"""What operators ask of a gateway: dead letters read once more, messages put aside to be looked at."""

import json
import threading
from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry

from gateway.decode import Decoder
from gateway.directory import Directory
from gateway.framing import Chunk
from gateway.metrics import Metrics
from gateway.normalise import Normaliser, Work
from gateway.patience import PatientDatabase
from gateway.redecode import Redecoder
from gateway.rows import Rows
from gateway.watch import Watcher
from gateway.writer import Writer
from tests.databases import Database
from tram.clock import SECOND, TimePolicy, to_micros
from tram.readings import Message
from tram.runtime import Readiness
from tram.sensing import Thing
from tram.store import deadletters, pending, registry, watching
from tram.store.deadletters import DeadLetter

NOW = 1_800_000_000 * SECOND
POLICY = TimePolicy(300 * SECOND, 30 * 86_400 * SECOND, 900 * SECOND)


class Plant:
    """A gateway's stages on a real database, without its thread and broker."""

    def __init__(self, database: Database, policy: str = "closed") -> None:
        self.metrics = Metrics(CollectorRegistry())
        self.patient = PatientDatabase(
            database.settings, Readiness("database"), self.metrics, threading.Event()
        )  # fmt: skip
        self.directory = Directory(policy, 10)
        self.decoder = Decoder(self.directory, payload_bytes=100_000, payload_readings=1000)
        self.writer = Writer(self.patient, self.metrics, pending_messages=10)
        self.redecoder = Redecoder(
            self.patient, self.decoder, self.directory, POLICY, self.writer, self.metrics
        )  # fmt: skip
        self.watcher = Watcher(self.patient, self.directory)

    def receive(self, *messages: tuple[str, object]) -> Work:
        """A batch through all stages, as the pipeline does it."""
        rows = Rows()
        payloads = [p if isinstance(p, bytes) else json.dumps(p).encode() for _, p in messages]
        topics = [topic.encode() for topic, _ in messages]
        self.decoder.decode(Chunk(topics, [b"\0\1"] * len(topics), payloads, received=NOW), rows)
        self.patient.run(self.directory.resolve)
        work = Normaliser(self.directory, POLICY).normalise(rows)
        self.writer.write(work)
        self.watcher.keep(work)
        return work


@pytest.fixture
def plant(one_database: Database) -> Iterator[Plant]:
    made = Plant(one_database)
    yield made
    made.patient.close()


def observations(database: Database) -> list[tuple[str, float, int]]:
    with database.connect(autocommit=True) as conn:
        return conn.execute(
            "SELECT p.name, o.result, (extract(epoch FROM o.phenomenon_time) * 1e6)::int8 FROM observation o"
            " JOIN datastream d ON d.id = o.datastream_id JOIN observed_property p ON p.id = d.observed_property_id"
            " ORDER BY 1, 3"
        ).fetchall()


def test_letters_are_read_once_more_after_what_was_wrong_was_mended(plant: Plant, one_database: Database) -> None:
    stated = NOW - 60 * SECOND
    work = plant.receive(
        ("tram/v1/desk-1/telemetry", {"ts": stated // 1000, "pm2_5": 12.5}),  # an unknown Thing, which is refused
        ("tram/v1/desk-1/telemetry", {"air_temperature": 21.0}),  # without a time of its own
        ("tram/v1/desk-1/telemetry", b'{"pm2_5": '),  # never to be read
    )
    assert len(work.letters) == 3
    with one_database.connect() as conn:
        deadletters.insert(conn, [DeadLetter("tram/v1/desk-1/telemetry", "too-large", "", b"x" * 20_000, NOW)])
        ids = [row.id for row in deadletters.list_newest(conn)]
        assert deadletters.ask(conn, [], "p:1") == (0, 0, 0)
        conn.commit()
        assert plant.redecoder.run() == 0, "nobody asked"

        registry.put(conn, Thing("desk-1", "Trạm", "air"))  # what was wrong is mended
        assert deadletters.ask(conn, [*ids, ids[0], 10**12], "p:1") == (4, 0, 1)
        conn.commit()
        assert plant.redecoder.run() == 4
        found = {row.payload[:20]: row for row in deadletters.list_newest(conn)}
        conn.commit()
    outcomes = sorted((row.outcome, row.stored) for row in found.values())
    assert outcomes == [("cut", 0), ("still-bad", 0), ("stored", 1), ("stored", 1)]
    assert observations(one_database) == [("air_temperature", 21.0, NOW + 1), ("pm2_5", 12.5, stated)]
    bad = found[b'{"pm2_5": ']
    assert (bad.reason, bad.asked_by) == ("json", "p:1")
    assert bad.settled is not None
    assert plant.metrics.stored_total == 2

    # Again: what was stored is left alone, the rest is as bad as before, and no letter is written for a letter.
    with one_database.connect() as conn:
        assert deadletters.ask(conn, ids, "p:2") == (2, 2, 0)
        conn.commit()
        assert plant.redecoder.run() == 2
        assert len(deadletters.list_newest(conn)) == 4
    assert len(observations(one_database)) == 2


def test_a_letter_stored_meanwhile_by_another_way_stores_nothing_twice(plant: Plant, one_database: Database) -> None:
    message = ("tram/v1/desk-2/telemetry", {"ts": NOW // 1000, "pm2_5": 1.0})
    plant.receive(message)
    with one_database.connect() as conn:
        registry.put(conn, Thing("desk-2", "", "air"))
        conn.commit()
        plant.directory.forget()
        plant.receive(message)
        deadletters.ask(conn, [row.id for row in deadletters.list_newest(conn)], "p:1")
        conn.commit()
        assert plant.redecoder.run() == 1
        [row] = deadletters.list_newest(conn)
    assert (row.outcome, row.stored) == ("stored", 0)
    assert len(observations(one_database)) == 1


def test_messages_of_who_is_looked_at_are_put_aside(one_database: Database) -> None:
    plant = Plant(one_database, "open")
    one, other, body = "tram/v1/seen-1/telemetry", "tram/v1/other/telemetry", "tram/v1/body/telemetry"
    plant.receive((one, {"pm2_5": 1}), (other, {"pm2_5": 1}), (body, {"heart_rate": 71}))
    with one_database.connect() as conn:
        things = {name: registry.get_thing(conn, name).id for name in ("seen-1", "other", "body")}
        assert watching.newest(conn, things["seen-1"]) == [], "nobody looked"
        for name in ("seen-1", "body"):
            watching.ask(conn, things[name], "p:1")
        conn.commit()
        plant.watcher.look()
        plant.receive(
            (other, {"pm2_5": 2}), (body, {"heart_rate": 72}), (one, b'{"pm2_5": '), (one, {"pm2_5": 2, "x": 3})
        )
        found = watching.newest(conn, things["seen-1"])
        assert [message.payload for message in found] == [b'{"pm2_5": 2, "x": 3}', b'{"pm2_5": ']
        assert to_micros(found[0].received) == NOW + 3
        assert watching.newest(conn, things["other"]) == []
        assert watching.newest(conn, things["body"]) == [], "a vital sign is nobody's to look at"

        plant.receive(*[(one, {"pm2_5": n}) for n in range(50)])
        newest = watching.newest(conn, things["seen-1"])
        assert [json.loads(message.payload)["pm2_5"] for message in newest] == list(range(49, 29, -1))
        kept = conn.execute("SELECT count(*) FROM watched_message").fetchone()
        assert kept == (watching.KEPT,)
        conn.execute("UPDATE watched_message SET received = now() - interval '2 hours'")
        assert watching.forget(conn) == watching.KEPT
        conn.execute("UPDATE watch SET until = now()")
        conn.commit()
    plant.watcher.look()
    plant.receive((one, {"pm2_5": 5}))
    with one_database.connect() as conn:
        assert watching.newest(conn, things["seen-1"]) == [], "nobody looks any more"
        waiting = registry.Key("waits-1", "pm2_5", "")
        held = registry.resolve(conn, [waiting], "pending")[waiting]
        assert isinstance(held, registry.Held)
        pending.hold(conn, [(held.thing_id, Message("tram/v1/waits-1/telemetry", b'{"pm2_5":1}', NOW))], 10)
        assert [m.payload for m in watching.newest(conn, held.thing_id)] == [b'{"pm2_5":1}']
    plant.patient.close()
