"""The committed stream: in order, nothing missed, nothing twice, whoever writes, dies or rolls back."""

import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from tests.databases import Database
from tests.store.conftest import MakeBatch
from tram.errors import NotFoundError, UnavailableError
from tram.store import committed, observations
from tram.store.committed import Reader
from tram.store.database import Connection

T0 = 1_780_000_000_000_000


def all_seqs(conn: Connection) -> list[int]:
    found = [seq for (seq,) in conn.execute("SELECT seq FROM committed ORDER BY seq")]
    conn.commit()
    return found


def follow(database: Database, name: str, finished: threading.Event, *, drop: float = 0.0) -> list[int]:
    """Reads until the writers have finished and nothing is left; a share `drop` of its transactions rolls back."""
    conn = database.connect()
    chance = random.Random(name)
    reader, seen = Reader(name), list[int]()
    while True:
        last_look = finished.is_set()
        taken = reader.take(conn, batches=chance.randint(1, 5))
        if chance.random() < drop:
            conn.rollback()
            continue
        conn.commit()
        seen += [c.seq for c in taken]
        if last_look and not taken:
            return seen


@pytest.mark.parametrize("end", ["commit", "rollback", "kill"])
def test_no_reader_steps_over_a_smaller_seq(database: Database, batch: MakeBatch, end: str) -> None:
    """Five writers, whose transactions last differently long and some of which fail; three readers beside them."""
    with database.connect() as conn:
        for name in ("a", "b", "c"):
            Reader(name).start(conn)
    finished = threading.Event()

    def writer(number: int) -> int:
        chance = random.Random(number)
        stored = 0
        conn = database.connect()
        for step in range(25):
            rows = [(number, T0 + step * 1000 + k, 1.0) for k in range(chance.randint(1, 20))]
            observations.write(conn, batch(rows))
            # Other writers meanwhile; readers that do not respect the order of commit would now see theirs first.
            conn.execute("SELECT pg_sleep(%s)", (chance.random() * 0.004,))
            if end == "kill" and step % 7 == 3:
                with database.connect(autocommit=True) as other:
                    other.execute("SELECT pg_terminate_backend(%s)", (conn.info.backend_pid,))
                with pytest.raises(psycopg.OperationalError):
                    conn.execute("SELECT 1")
                conn = database.connect()
            elif end == "rollback" and chance.random() < 0.3:
                conn.rollback()
            else:
                conn.commit()
                stored += 1
        return stored

    with ThreadPoolExecutor(8) as pool:
        readers = [pool.submit(follow, database, name, finished, drop=0.3) for name in ("a", "b", "c")]
        writers = [pool.submit(writer, number) for number in range(1, 6)]
        try:
            stored = sum(w.result(60) for w in writers)
        finally:
            finished.set()
        expected = all_seqs(database.connect())
        assert len(expected) == stored
        assert len(set(expected)) == stored
        for reader in readers:
            assert reader.result(60) == expected


def test_writers_of_the_same_rows_neither_deadlock_nor_store_twice(database: Database, batch: MakeBatch) -> None:
    """Redelivery: several gateways get the same messages, in different orders, and write at once."""
    rows = [(id, T0 + k, float(k)) for id in range(1, 9) for k in range(25)]
    meet = threading.Barrier(4)

    def writer(number: int) -> int:
        mine = rows.copy()
        random.Random(number).shuffle(mine)
        conn = database.connect()
        inserted = 0
        for start in range(0, len(mine), 50):
            meet.wait(60)
            inserted += observations.write(conn, batch(mine[start : start + 50])).inserted
            conn.commit()
        return inserted

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(writer, range(4))) == len(rows)
    conn = database.connect()
    assert conn.execute("SELECT count(*) FROM observation").fetchone() == (len(rows),)
    assert conn.execute("SELECT sum(n) FROM committed").fetchone() == (len(rows),)


def test_a_writer_killed_before_its_commit_leaves_nothing(database: Database, batch: MakeBatch) -> None:
    dead, alive = database.connect(), database.connect()
    observations.write(dead, batch([(1, T0, 1.0)]))
    alive.execute("SELECT pg_terminate_backend(%s)", (dead.info.backend_pid,))
    with pytest.raises(UnavailableError):
        observations.write(dead, batch([(1, T0 + 1, 1.0)]))
    assert observations.write(alive, batch([(1, T0, 2.0)])).inserted == 1
    alive.commit()
    assert alive.execute("SELECT result FROM observation").fetchall() == [(2.0,)]
    assert len(all_seqs(alive)) == 1


def test_effects_and_position_are_one(database: Database, batch: MakeBatch) -> None:
    conn = database.connect()
    conn.execute("CREATE TABLE effect (seq bigint)")
    reader = Reader("r")
    assert reader.start(conn) == 0
    for k in range(5):
        observations.write(conn, batch([(1, T0 + k, 1.0)]))
    conn.commit()
    for dropped in (True, False, True, False, False):
        for one in reader.take(conn, batches=2):
            conn.execute("INSERT INTO effect VALUES (%s)", (one.seq,))
        conn.rollback() if dropped else conn.commit()
    assert [s for (s,) in conn.execute("SELECT seq FROM effect")] == [1, 2, 3, 4, 5]
    assert reader.take(conn) == []


def test_reading_is_bounded_by_rows_and_goes_on_past_a_large_batch(one_database: Database, batch: MakeBatch) -> None:
    conn = one_database.connect()
    reader = Reader("r")
    reader.start(conn)
    for k, n in enumerate((5, 100, 1, 1, 1)):
        observations.write(conn, batch([(k + 1, T0 + i, 1.0) for i in range(n)]))
    sizes = []
    while taken := reader.take(conn, rows=10, batches=2):
        sizes.append([len(c.batch) for c in taken])
    assert sizes == [[5, 100], [1, 1], [1]]


def test_two_instances_of_one_reader_take_turns(one_database: Database, batch: MakeBatch) -> None:
    first, second = one_database.connect(), one_database.connect()
    Reader("r").start(first)
    observations.write(first, batch([(1, T0, 1.0)]))
    first.commit()
    assert len(Reader("r").take(first)) == 1
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(Reader("r").take, second)
        until(lambda: blocked(one_database, second))
        first.commit()
        assert waiting.result(30) == []


def test_start(one_database: Database, batch: MakeBatch) -> None:
    conn = one_database.connect()
    with pytest.raises(NotFoundError, match="never started"):
        Reader("r").take(conn)
    observations.write(conn, batch([(1, T0, 1.0)]))
    assert Reader("end").start(conn) == 1
    assert Reader("end").start(conn, from_oldest=True) == 1
    assert Reader("oldest").start(conn, from_oldest=True) == 0
    assert Reader("end").start(conn, from_oldest=True, again=True) == 0
    assert Reader("end").lag(conn)[0] == 1
    assert 0 <= Reader("end").lag(conn)[1] < 60


def test_trimming_goes_round_the_ring_and_who_is_behind_is_told(database: Database, batch: MakeBatch) -> None:
    conn = database.connect()
    reader, slow = Reader("quick"), Reader("slow")
    reader.start(conn)
    slow.start(conn)
    taken = 0
    for k in range(3 * committed.PARTITIONS):
        observations.write(conn, batch([(1, T0 + k, 1.0)]))
        conn.commit()
        taken += len(reader.take(conn))
        conn.commit()
        committed.trim(conn, 0.0)
        conn.commit()
    assert taken == 3 * committed.PARTITIONS
    assert len(all_seqs(conn)) <= 2
    with pytest.raises(committed.FellBehindError, match=r"'slow' stands at 0.*rebuild"):
        slow.take(conn)
    conn.rollback()
    # The rebuild of docs/store.md: position and effects from one snapshot.
    conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    assert slow.start(conn, again=True) == 3 * committed.PARTITIONS
    assert conn.execute("SELECT count(*) FROM observation").fetchone() == (taken,)
    conn.commit()
    conn.isolation_level = None
    assert slow.take(conn) == []
    observations.write(conn, batch([(2, T0, 1.0)]))
    assert [c.seq for c in slow.take(conn)] == [3 * committed.PARTITIONS + 1]


def test_what_is_young_stays(one_database: Database, batch: MakeBatch) -> None:
    conn = one_database.connect()
    observations.write(conn, batch([(1, T0, 1.0)]))
    for _ in range(2 * committed.PARTITIONS):
        assert committed.trim(conn, 3600.0) == 0
    assert Reader("r").start(conn, from_oldest=True) == 0
    assert len(Reader("r").take(conn)) == 1


def test_trimming_never_waits_for_a_reader(one_database: Database, batch: MakeBatch) -> None:
    conn, long = one_database.connect(), one_database.connect()
    observations.write(conn, batch([(1, T0, 1.0)]))
    committed.trim(conn, 0.0)
    conn.commit()
    long.execute("SELECT count(*) FROM committed")
    assert committed.trim(conn, 0.0) == 0
    conn.commit()
    long.commit()
    assert committed.trim(conn, 0.0) == 1


def test_a_worker_that_trims_makes_another_skip(one_database: Database) -> None:
    first, second = one_database.connect(), one_database.connect()
    committed.trim(first, 3600.0)
    assert committed.trim(second, 3600.0) == 0


def test_listening(database: Database, batch: MakeBatch) -> None:
    conn = database.connect()
    listener = committed.Listener(database.settings)
    try:
        assert listener.wait(60) == [(committed.CHANNEL, "")]
        assert listener.wait(0.01) == []
        written = observations.write(conn, batch([(1, T0, 1.0)]))
        conn.commit()
        assert listener.wait(60) == [(committed.CHANNEL, str(written.seq))]
        observations.write(conn, batch([(1, T0 + 1, 1.0)]))
        conn.rollback()
        assert listener.wait(0.01) == []
        # The connection dies: said once, then opened again with the hint that something may have been missed.
        conn.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tram-listen'")
        with pytest.raises(UnavailableError):
            listener.wait(60)
        assert listener.wait(60) == [(committed.CHANNEL, "")]
        # Whoever shall end is not kept.
        stopping = threading.Event()
        threading.Timer(0.05, stopping.set).start()
        began = time.monotonic()
        assert listener.wait(300, stopping) == []
        assert time.monotonic() - began < 200
    finally:
        listener.close()


def blocked(database: Database, conn: Connection) -> bool:
    with database.connect(autocommit=True) as other:
        row = other.execute("SELECT cardinality(pg_blocking_pids(%s)) > 0", (conn.info.backend_pid,)).fetchone()
    return row is not None and bool(row[0])


def until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come"
        time.sleep(0.01)
