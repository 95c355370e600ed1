"""The write path on real databases: what is stored, what is counted, what enters the committed stream."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.databases import Database
from tram.clock import from_micros
from tram.errors import PayloadError
from tram.store import committed, observations, wire
from tram.store.batch import Batch, concat, encode_json
from tram.store.database import Connection

T0 = 1_780_000_000_000_000


def batch(rows: Iterable[tuple[int, int, float]], json: dict[int, bytes] | None = None, **more: Any) -> Batch:
    """A batch of (datastream, time, result) rows."""
    ids, times, results = zip(*rows, strict=True)
    quality = np.zeros(len(ids), np.int16)
    return Batch(
        np.array(ids, np.int32), np.array(times, np.int64), np.array(results, float), quality, json or {}, **more
    )


def stored(conn: Connection) -> dict[tuple[int, Any], tuple[Any, ...]]:
    rows = conn.execute(
        "SELECT datastream_id, phenomenon_time, result, quality, result_json, parameters FROM observation"
    ).fetchall()
    found = {(row[0], row[1]): row[2:] for row in rows}
    assert len(found) == len(rows)
    return found


def stream(conn: Connection) -> list[Batch]:
    return [Batch.unpack(b) for (b,) in conn.execute("SELECT batch FROM committed ORDER BY seq")]


def test_new_rows_are_stored_and_committed(database: Database) -> None:
    conn = database.connect()
    written = observations.write(conn, batch([(2, T0, 1.5), (1, T0, -2.0), (1, T0 + 1, 3.0)]))
    conn.commit()
    assert written == (3, 0, 1)
    assert stored(conn) == {
        (2, from_micros(T0)): (1.5, 0, None, None),
        (1, from_micros(T0)): (-2.0, 0, None, None),
        (1, from_micros(T0 + 1)): (3.0, 0, None, None),
    }
    (one,) = stream(conn)
    assert list(zip(one.datastream_id, one.phenomenon_time, strict=True)) == [(1, T0), (1, T0 + 1), (2, T0)]


def test_a_replay_changes_nothing_and_appends_nothing(database: Database) -> None:
    conn = database.connect()
    first = batch([(1, T0, 1.0), (2, T0, 2.0)])
    observations.write(conn, first)
    conn.commit()
    assert observations.write(conn, first) == (0, 2, None)
    conn.commit()
    assert observations.write(conn, batch([(1, T0, 99.0), (3, T0, 3.0)])) == (1, 1, 2)
    conn.commit()
    assert stored(conn)[1, from_micros(T0)][0] == 1.0
    assert [b.datastream_id.tolist() for b in stream(conn)] == [[1, 2], [3]]


def test_of_the_same_key_in_one_batch_the_first_is_stored(database: Database) -> None:
    conn = database.connect()
    written = observations.write(conn, batch([(1, T0, 1.0), (1, T0, 2.0), (2, T0, 3.0), (1, T0, 4.0)]))
    assert written == (2, 2, 1)
    assert stored(conn)[1, from_micros(T0)][0] == 1.0
    assert stream(conn)[0].result.tolist() == [1.0, 3.0]


def test_what_is_no_number(database: Database) -> None:
    conn = database.connect()
    nan, inf = float("nan"), float("inf")
    rows = [(1, T0, nan), (2, T0, inf), (3, T0, nan), (4, T0, 4.0), (5, T0, 5.0)]
    some = batch(rows, {2: encode_json({"cửa": "mở"})}, parameters={3: b'{"claimed":"1970-01-01T00:00:00Z"}'})
    for expected in ((5, 0), (0, 5)):
        assert observations.write(conn, some)[:2] == expected
    conn.commit()
    at = from_micros(T0)
    assert stored(conn) == {
        (1, at): (None, 0, None, None),
        (2, at): (None, 0, None, None),
        (3, at): (None, 0, {"cửa": "mở"}, None),
        (4, at): (4.0, 0, None, {"claimed": "1970-01-01T00:00:00Z"}),
        (5, at): (5.0, 0, None, None),
    }
    (one,) = stream(conn)
    assert np.isnan(one.result[:3]).all()
    assert (one.result_json, one.parameters) == ({2: some.result_json[2]}, {3: some.parameters[3]})


@pytest.mark.parametrize("time", [observations.EARLIEST, observations.LATEST, 0, -1])
def test_extreme_times(database: Database, time: int) -> None:
    conn = database.connect()
    assert observations.write(conn, batch([(1, time, 1.0), (1, T0, 2.0)])).inserted == 2
    assert observations.write(conn, batch([(1, time, 1.0), (1, T0, 2.0)])).duplicates == 2
    assert (1, from_micros(time)) in stored(conn)
    assert time in stream(conn)[0].phenomenon_time


@pytest.mark.parametrize("time", [observations.EARLIEST - 1, observations.LATEST + 1, 2**63 - 1, -(2**63)])
def test_a_time_that_cannot_be_stored_is_said_before_anything_is_sent(one_database: Database, time: int) -> None:
    conn = one_database.connect()
    with pytest.raises(PayloadError, match="years 1 to 9999"):
        observations.write(conn, batch([(1, time, 1.0)]))
    assert conn.info.transaction_status == psycopg.pq.TransactionStatus.IDLE


def test_bytes_that_are_no_json_are_said(database: Database) -> None:
    conn = database.connect()
    with pytest.raises(PayloadError, match="invalid input syntax for type json"):
        observations.write(conn, batch([(1, T0, float("nan"))], {0: b"{"}))
    conn.rollback()
    assert stored(conn) == {}


def test_it_never_commits(database: Database) -> None:
    conn = database.connect()
    observations.write(conn, batch([(1, T0, 1.0)]))
    conn.rollback()
    assert stored(conn) == {}
    assert stream(conn) == []


def test_it_refuses_a_connection_without_a_transaction(one_database: Database) -> None:
    conn = one_database.connect(autocommit=True)
    with pytest.raises(psycopg.errors.NoActiveSqlTransaction):
        observations.write(conn, batch([(1, T0, 1.0)]))


def test_several_batches_of_one_transaction(database: Database) -> None:
    conn = database.connect()
    conn.execute("CREATE TEMPORARY TABLE before (x int)")
    assert observations.write(conn, batch([(1, T0, 1.0)])).inserted == 1
    assert observations.write(conn, batch([(1, T0, 1.0), (2, T0, 1.0)])) == (1, 1, 2)
    assert observations.write(conn, batch([(2, T0, 1.0), (3, T0, 1.0)])) == (1, 1, 3)
    conn.commit()
    assert len(stored(conn)) == 3
    assert conn.execute("SELECT count(*) FROM before").fetchone() == (0,)


def test_an_empty_batch(one_database: Database) -> None:
    assert observations.write(one_database.connect(), concat([])) == (0, 0, None)


def test_the_read_arrays_of_no_rows() -> None:
    assert wire.read_array(None, 4).tolist() == []


ROW = st.tuples(
    st.integers(1, 4),
    st.integers(0, 5).map(lambda k: T0 + k * 40_000_000_000)
    | st.integers(observations.EARLIEST // 10, observations.LATEST // 10),
    st.floats(width=64) | st.just(float("nan")),
    st.integers(0, 2**15 - 1),
    st.none() | st.sampled_from([True, "chữ", [1, 2.5], {"a": None}]),
    st.none() | st.just({"p": 1}),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(ROW, max_size=12), max_size=5))
def test_writing_equals_the_model(database: Database, history: list[list[tuple[Any, ...]]]) -> None:
    """Whatever the batches: the store and the sum of the stream are both the first row of every key."""
    conn = database.connect()
    conn.execute("TRUNCATE observation, committed")
    model: dict[tuple[int, Any], tuple[Any, ...]] = {}
    for rows in history:
        columns = list(zip(*rows, strict=True)) or [[]] * 6
        some = Batch(
            np.array(columns[0], np.int32), np.array(columns[1], np.int64), np.array(columns[2], float),
            np.array(columns[3], np.int16),
            {i: encode_json(v) for i, v in enumerate(columns[4]) if v is not None},
            {i: encode_json(v) for i, v in enumerate(columns[5]) if v is not None},
        )  # fmt: skip
        before = len(model)
        for id, time, result, quality, json, parameters in rows:
            number = result if np.isfinite(result) else None
            model.setdefault((id, from_micros(time)), (number, quality, json, parameters))
        written = observations.write(conn, some)
        assert written[:2] == (len(model) - before, len(rows) - (len(model) - before))
        assert (written.seq is None) == (written.inserted == 0)
    assert stored(conn) == model
    total = concat(stream(conn))
    assert {
        (id, from_micros(t)) for id, t in zip(total.datastream_id.tolist(), total.phenomenon_time.tolist(), strict=True)
    } == set(model)
    assert len(total) == len(model)
    conn.rollback()


def test_append_without_rows_of_its_own(one_database: Database) -> None:
    """Corrections and deletions travel the same way."""
    conn = one_database.connect()
    seq = committed.append(conn, committed.Op.DELETE, batch([(1, T0, 1.0)]))
    assert conn.execute("SELECT seq, op, n FROM committed").fetchall() == [(seq, 2, 1)]
