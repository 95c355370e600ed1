"""The worker on real databases: what it removes, one leader, errors that stay alone, outages."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest

from services.jobs import JOBS, Job, Outcome, Retain
from services.worker import Worker
from tests.databases import Database
from tests.services.filling import fill, now
from tram.errors import ConflictError
from tram.runtime.readiness import Readiness
from tram.settings import Settings
from tram.store import deadletters, observations, registry, retention
from tram.store.batch import Batch
from tram.store.database import Connection

SOON = tuple(replace(job, period=0.05) for job in JOBS)


@contextmanager
def working(settings: Settings, jobs: tuple[Job, ...] = SOON) -> Iterator[Worker]:
    """A worker in a thread, for as long as the block runs."""
    stopping = threading.Event()
    worker = Worker(settings, stopping, Readiness("database"), jobs)
    worker.retry = 0.1
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        yield worker
    finally:
        stopping.set()
        thread.join(60)
        assert not thread.is_alive()


def wait(holds: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.02)


def test_it_trims_what_has_a_limit(database: Database) -> None:
    with database.connect() as conn:
        fill(conn)
        deadletters.insert(conn, [deadletters.DeadLetter("t", f"r{i % 3}", "d", b"x", now()) for i in range(50)])
        conn.execute("UPDATE process SET seen = now() - interval '2 hours' WHERE name = 'worker'")
    settings = replace(database.settings, dead_letters=5)
    look = database.connect(autocommit=True)

    def count(table: str) -> int:
        row = look.execute(f"SELECT count(*) FROM {table}").fetchone()  # type: ignore[arg-type]
        assert row is not None
        return int(row[0])

    with working(settings) as worker:
        wait(lambda: count("dead_letter") == 5 and count("process") == 1)
        wait(lambda: worker.detail()["removed_dead_letters"] == 47)
        assert worker.detail()["removed_processes"] == 1
        assert "failing" not in worker.detail()
    kept = look.execute("SELECT id FROM dead_letter ORDER BY id").fetchall()
    assert [k[0] for k in kept] == list(range(48, 53))


def test_it_drops_old_batches_of_the_stream(database: Database) -> None:
    with database.connect() as conn:
        fill(conn)
        conn.execute("UPDATE committed SET at = at - interval '3 hours'")
        conn.execute("UPDATE committed_ring SET since = since - interval '3 hours'")
    look = database.connect(autocommit=True)
    with working(database.settings):
        wait(lambda: look.execute("SELECT count(*) FROM committed").fetchone() == (0,))
    row = look.execute("SELECT count(*) FROM observation").fetchone()
    assert row is not None
    assert row[0] > 0


def test_one_leads_and_another_takes_over(one_database: Database) -> None:
    with working(one_database.settings) as first:
        wait(lambda: first.leading)
        with working(one_database.settings) as second:
            # Two tries of the second one, at least.
            threading.Event().wait(5 * second.retry)
            assert not second.leading
            one_database.connect(autocommit=True).execute(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2"
                " AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            )
            wait(lambda: first.leading != second.leading)
            assert first.leading + second.leading == 1


def test_a_job_that_fails_or_hangs_leaves_the_others_alone(one_database: Database) -> None:
    ran: list[str] = []

    def fails(conn: Connection, settings: Settings) -> Outcome:
        conn.execute("INSERT INTO dropped VALUES ('half', 1)")
        raise ConflictError("on purpose")

    def hangs(conn: Connection, settings: Settings) -> Outcome:
        conn.execute("SELECT pg_sleep(60)")
        return Outcome(0)

    def works(conn: Connection, settings: Settings) -> Outcome:
        ran.append("works")
        return Outcome(1, more=len(ran) % 3 != 0)

    jobs = (Job("fails", 0.05, 1, fails), Job("hangs", 0.05, 0.2, hangs), Job("works", 0.05, 1, works))
    with working(one_database.settings, jobs) as worker:
        wait(lambda: len(ran) >= 6 and len(worker.detail().get("failing", {})) == 2)
        assert worker.detail()["failing"]["fails"] == "on purpose"
        assert worker.detail()["role"] == "leader"
    look = one_database.connect(autocommit=True)
    assert look.execute("SELECT count(*) FROM dropped").fetchone() == (0,)


def test_without_a_database_it_waits_and_says_so() -> None:
    stopping = threading.Event()
    readiness = Readiness("database")
    worker = Worker(Settings(database_url="postgresql://nobody@127.0.0.1:1/x"), stopping, readiness, SOON)
    thread = threading.Thread(target=worker.run)
    thread.start()
    wait(lambda: readiness.reasons.get("database", "starting") != "starting")
    stopping.set()
    thread.join(60)
    assert not thread.is_alive()


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.name)
def test_jobs_are_bounded(job: Job) -> None:
    assert 0 < job.timeout <= 600
    assert job.period > 0


def test_a_run_of_retention_that_removed_anything_is_audited(database: Database) -> None:
    conn = database.connect()
    key = registry.Key("old", "pm10")
    found = registry.resolve(conn, [key], "open")[key]
    assert isinstance(found, registry.Resolved)
    times = np.array([1_700_000_000_000_000 + k * 86_400_000_000 for k in range(9)])
    ids = np.full(9, found.datastream_id, np.int32)
    observations.write(conn, Batch(ids, times, np.zeros(9), np.zeros(9, np.int16)))
    run = Retain()
    told = "SELECT actor_name, operation, detail FROM audit WHERE target = 'retention run'"
    assert run(conn, database.settings) == Outcome(0)
    assert conn.execute(told).fetchall() == []
    retention.put(conn, [retention.Policy("", "raw", 30)])
    while run(conn, database.settings).more:
        pass
    ((actor, operation, detail),) = conn.execute(told).fetchall()
    assert (actor, operation) == ("worker", "server.data")
    assert detail["rows"] + detail["chunks"] > 0
    assert conn.execute("SELECT count(*) FROM observation").fetchone() == (0,)
    run(conn, database.settings)
    assert len(conn.execute(told).fetchall()) == 1
