"""The writer on a real database: poison is set apart, the rest is stored, and the registry's changes are heard."""

import threading
from collections.abc import Iterator

import numpy as np
import pytest
from prometheus_client import CollectorRegistry

from gateway.directory import Directory
from gateway.framing import Chunk
from gateway.metrics import Metrics
from gateway.normalise import Work
from gateway.patience import PatientDatabase, StoppedError
from gateway.rows import Rows
from gateway.writer import Writer
from tests.databases import Database
from tram.clock import SECOND
from tram.runtime import Readiness
from tram.settings import Settings
from tram.store import deadletters, registry
from tram.store.batch import Batch
from tram.store.deadletters import DeadLetter

NOW = 1_800_000_000 * SECOND


@pytest.fixture
def patient(database: Database) -> Iterator[PatientDatabase]:
    made = PatientDatabase(
        database.settings, Readiness("database"), Metrics(CollectorRegistry()), threading.Event()
    )  # fmt: skip
    yield made
    made.close()


def work_of(patient: PatientDatabase, texts: dict[int, bytes], n: int = 20) -> Work:
    directory = Directory("open", 10)
    slot = directory.slot("thing", "property", "")
    patient.run(directory.resolve)
    result = np.ones(n)
    result[list(texts)] = np.nan
    times = NOW + np.arange(n, dtype=np.int64)
    batch = Batch(np.full(n, directory.datastream[slot]), times, result, np.zeros(n, np.int16), texts)
    rows = Rows([Chunk([b"t"] * n, [b"\0\1"] * n, [b"payload %d" % i for i in range(n)], received=NOW)])
    return Work(batch, np.arange(n), rows, [], [])


def test_poison_is_set_apart_and_the_rest_stored(patient: PatientDatabase, database: Database) -> None:
    """Bytes that are no JSON, such as no format should ever let through, in rows 3 and 17."""
    writer = Writer(patient, Metrics(CollectorRegistry()), pending_messages=10)
    written = writer.write(work_of(patient, {3: b'{"broken', 5: b'"fine"', 17: b"\x00"}))
    assert (written.inserted, written.duplicates) == (18, 0)
    conn = database.connect()
    found = deadletters.list_newest(conn)
    assert sorted(bytes(row.payload) for row in found) == [b"payload 17", b"payload 3"]
    assert {row.reason for row in found} == {"refused-by-store"}
    row = conn.execute("SELECT count(*), count(result_json) FROM observation").fetchone()
    assert row == (18, 1)


def test_letters_and_rows_are_one_transaction(patient: PatientDatabase, database: Database) -> None:
    work = work_of(patient, {})
    work.letters.append(DeadLetter("t", "json", "why", b"?", NOW))
    Writer(patient, Metrics(CollectorRegistry()), pending_messages=10).write(work)
    conn = database.connect()
    assert deadletters.counts(conn) == {"json": 1}
    assert (
        Writer(patient, Metrics(CollectorRegistry()), pending_messages=10).write(work_of(patient, {})).duplicates == 20
    )


def test_others_changes_are_heard_and_own_are_not(patient: PatientDatabase, database: Database) -> None:
    assert patient.changes() is None  # not connected yet: anything may have been missed
    work_of(patient, {})
    assert patient.changes() is None  # connected since
    patient.attempt(lambda conn: conn.execute("SELECT 1"))
    assert patient.changes() == set()
    with database.connect() as conn:
        registry.describe(conn, registry.get_thing(conn, "thing").id, label="Trạm")
    patient.attempt(lambda conn: conn.execute("SELECT 1"))
    patient.attempt(lambda conn: conn.execute("SELECT 1"))
    assert patient.changes() == {"thing"}


def test_waiting_for_a_database_ends_with_the_process() -> None:
    stopping, readiness = threading.Event(), Readiness("database")
    nowhere = Settings(database_url="postgresql://nobody@127.0.0.1:1/none", database_timeout=1)
    patient = PatientDatabase(nowhere, readiness, Metrics(CollectorRegistry()), stopping)
    threading.Timer(0.5, stopping.set).start()
    with pytest.raises(StoppedError):
        patient.run(lambda conn: conn.execute("SELECT 1"))
    assert "database" in readiness.reasons
