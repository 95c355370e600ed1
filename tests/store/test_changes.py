"""Corrections and deletions on real databases: what stands there then, and what the committed stream says."""

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.databases import Database
from tests.store.conftest import MakeBatch
from tram.clock import from_micros
from tram.errors import PayloadError
from tram.quality import Quality
from tram.store import observations
from tram.store.batch import Batch
from tram.store.committed import Op
from tram.store.database import Connection

T0 = 1_780_000_000_000_000
DAY = 86_400_000_000


def stored(conn: Connection) -> dict[tuple[int, Any], tuple[Any, ...]]:
    rows = conn.execute(
        "SELECT datastream_id, phenomenon_time, result, quality, result_json, parameters FROM observation"
    ).fetchall()
    return {(row[0], row[1]): row[2:] for row in rows}


def stream(conn: Connection) -> list[tuple[int, Batch]]:
    return [(op, Batch.unpack(b)) for op, b in conn.execute("SELECT op, batch FROM committed ORDER BY seq")]


def test_a_correction_changes_what_is_there_and_says_so(database: Database, batch: MakeBatch) -> None:
    conn = database.connect()
    observations.write(conn, batch([(1, T0, 1.0), (1, T0 + DAY, 2.0), (2, T0, 3.0)]))
    some = Batch(
        np.array([2, 1, 1, 9], np.int32),
        np.array([T0, T0, T0, T0]),
        np.array([np.nan, 5.0, 6.0, 7.0]),
        np.array([int(Quality.RANGE), 0, 0, 0], np.int16),
        {0: b'"closed"'},
        {2: b'{"by":"an"}'},
    )
    changed = observations.correct(conn, some)
    conn.commit()
    assert (changed.corrected, changed.missing) == (2, 1)  # of the same key the last; (9, T0) is not there
    assert stored(conn) == {
        (1, from_micros(T0)): (6.0, 1024, None, {"by": "an"}),
        (1, from_micros(T0 + DAY)): (2.0, 0, None, None),
        (2, from_micros(T0)): (None, 1024 | 2, "closed", None),
    }
    op, told = stream(conn)[-1]
    assert op == Op.CORRECT
    assert told.datastream_id.tolist() == [1, 2]
    assert told.quality.tolist() == [1024, 1026]
    assert told.result[0] == 6.0
    assert told.result_json == {1: b'"closed"'}
    assert observations.correct(conn, batch([(9, T0, 1.0)])) == (0, 1, None)


def test_what_is_put_is_new_or_corrects(database: Database, batch: MakeBatch) -> None:
    conn = database.connect()
    observations.write(conn, batch([(1, T0, 1.0), (1, T0 + DAY, 2.0), (2, T0, 3.0)]))
    some = Batch(
        np.array([2, 1, 9, 1], np.int32),
        np.array([T0, T0 + DAY, T0 + 9 * DAY, T0 + DAY]),
        np.array([4.0, 5.0, 6.0, 7.0]),
        np.array([64, 64, 64, 64], np.int16),
        {},
        {2: b'{"by":"an"}', 3: b'{"by":"binh"}'},
    )
    assert observations.put(conn, some) == (1, 2)
    conn.commit()
    assert stored(conn) == {
        (1, from_micros(T0)): (1.0, 0, None, None),
        (1, from_micros(T0 + DAY)): (7.0, 1024 | 64, None, {"by": "binh"}),  # of the same key the last
        (2, from_micros(T0)): (4.0, 1024 | 64, None, None),
        (9, from_micros(T0 + 9 * DAY)): (6.0, 64, None, {"by": "an"}),
    }
    told = [(op, b.datastream_id.tolist(), b.quality.tolist(), b.parameters) for op, b in stream(conn)[1:]]
    assert told == [
        (Op.INSERT, [9], [64], {0: b'{"by":"an"}'}),
        (Op.CORRECT, [1, 2], [1088, 1088], {0: b'{"by":"binh"}'}),
    ]
    assert observations.put(conn, some.take(np.array([0, 3]))) == (0, 2)
    assert observations.put(conn, some.take(np.array([], np.intp))) == (0, 0)


def test_a_deletion_says_what_was_there(database: Database, batch: MakeBatch) -> None:
    conn = database.connect()
    observations.write(conn, batch([(1, T0, 1.0), (1, T0 + DAY, 2.0), (2, T0, 3.0)]))
    gone = observations.delete(conn, [2, 1, 1, 9, 1], [T0, T0, T0, T0, 2**62])
    conn.commit()
    assert (gone.removed, gone.more) == (2, False)
    assert list(stored(conn)) == [(1, from_micros(T0 + DAY))]
    op, told = stream(conn)[-1]
    assert op == Op.DELETE
    assert (told.datastream_id.tolist(), told.result.tolist()) == ([1, 2], [1.0, 3.0])
    assert observations.delete(conn, [9], [T0]) == (0, None, False)
    # The key is free again.
    assert observations.write(conn, batch([(2, T0, 8.0)])).inserted == 1


def test_an_interval_goes_in_pieces(database: Database, batch: MakeBatch) -> None:
    conn = database.connect()
    observations.write(conn, batch([(1, T0 + k * DAY // 4, float(k)) for k in range(20)] + [(2, T0 + 1, 0.0)]))
    removed, pieces, more = 0, 0, True
    while more:
        gone = observations.delete_interval(conn, 1, T0 + DAY, T0 + 4 * DAY, rows=5)
        conn.commit()
        removed, pieces, more = removed + gone.removed, pieces + 1, gone.more
    assert (removed, pieces) == (12, 3)
    left = sorted(value[0] for key, value in stored(conn).items() if key[0] == 1)
    assert left == [0.0, 1.0, 2.0, 3.0, 16.0, 17.0, 18.0, 19.0]
    assert [len(b) for op, b in stream(conn) if op == Op.DELETE] == [5, 5, 2]
    assert observations.delete_interval(conn, 1, T0 + DAY, T0 + 4 * DAY) == (0, None, False)
    assert observations.delete_interval(conn, 1, -(2**62), 2**62).removed == 8


def test_bad_input_is_said(one_database: Database, batch: MakeBatch) -> None:
    conn = one_database.connect()
    observations.write(conn, batch([(1, T0, 1.0)]))
    conn.commit()
    with pytest.raises(PayloadError, match="years 1 to 9999"):
        observations.correct(conn, batch([(1, 2**62, 1.0)]))
    bad = batch([(1, T0, float("nan"))])
    with pytest.raises(PayloadError, match="json"):
        observations.correct(conn, Batch(bad.datastream_id, bad.phenomenon_time, bad.result, bad.quality, {0: b"{"}))
    conn.rollback()
    assert stored(conn)[1, from_micros(T0)][0] == 1.0
    assert conn.execute("SHOW enable_hashjoin").fetchone() == ("on",)


KEY = st.tuples(st.integers(1, 3), st.integers(0, 6).map(lambda k: T0 + k * DAY // 3))
STEP = st.tuples(st.sampled_from(list(Op)), st.lists(st.tuples(KEY, st.integers(-3, 3).map(float)), max_size=6))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(STEP, max_size=8))
def test_the_stream_tells_the_whole_story(database: Database, history: list[tuple[Op, list[Any]]]) -> None:
    """Applying the stream's batches in order gives what the table has."""
    conn = database.connect()
    conn.execute("TRUNCATE observation, committed")
    for op, rows in history:
        ids, times = np.array([k[0] for k, _ in rows], np.int32), np.array([k[1] for k, _ in rows], np.int64)
        some = Batch(ids, times, np.array([v for _, v in rows]), np.zeros(len(rows), np.int16))
        if op is Op.DELETE:
            observations.delete(conn, ids, times)
        else:
            (observations.write if op is Op.INSERT else observations.correct)(conn, some)
    told: dict[tuple[int, Any], tuple[float, int]] = {}
    for op, b in stream(conn):
        columns = (b.datastream_id.tolist(), b.phenomenon_time.tolist(), b.result.tolist(), b.quality.tolist())
        for id, time, result, quality in zip(*columns, strict=True):
            key = (id, from_micros(time))
            assert (key in told) == (op != Op.INSERT)
            if op == Op.DELETE:
                assert told.pop(key) == (result, quality)
            else:
                told[key] = (result, quality)
    assert {key: value[:2] for key, value in stored(conn).items()} == told
    conn.rollback()
