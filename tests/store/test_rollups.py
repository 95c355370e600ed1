"""Rollups equal what is computed from raw, whatever the history: pure arithmetic, then on real databases."""

import math
from typing import Any

import numpy as np
import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.databases import Database
from tests.store.conftest import MakeBatch
from tram.clock import from_micros
from tram.errors import SettingsError
from tram.store import aggregate, observations
from tram.store.batch import Batch
from tram.store.columns import Layout
from tram.store.committed import Op
from tram.store.database import Connection
from tram.store.rollups import Level, Rollups, levels
from tram.store.wire import timestamps

T0 = 1_780_000_000_000_000
MINUTE, HOUR, DAY = 60_000_000, 3_600_000_000, 86_400_000_000
FINITE = st.floats(-1e6, 1e6).map(lambda x: round(x, 3)) | st.sampled_from([0.0, 0.1, -0.1, 1e9, 1e-6, 1 / 3])


def expected(rows: list[tuple[int, int, float | None, int]], level: Level) -> dict[tuple[int, int], tuple[Any, ...]]:
    """Plain Python: (Datastream, bucket) -> everything of the bucket."""
    groups: dict[tuple[int, int], list[tuple[int, float, int]]] = {}
    for id, time, result, quality in sorted(rows):
        if result is not None:
            bucket = (time + level.offset) // level.width * level.width - level.offset
            groups.setdefault((id, bucket), []).append((time, result, quality))
    return {
        key: (
            len(found), sum(q & 255 == 0 for _, _, q in found), math.fsum(v for _, v, _ in found),
            min(v for _, v, _ in found), max(v for _, v, _ in found), found[0][1], found[-1][1], found[0][0],
            found[-1][0],
        )
        for key, found in groups.items()
    }  # fmt: skip


def as_dict(rows: Any) -> dict[tuple[int, int], tuple[Any, ...]]:
    found = {}
    for row in rows:
        total = float(row["sum"] + row["sum_low"])
        key = (int(row["datastream_id"]), int(row["bucket"]))
        names = ("min", "max", "first", "last", "first_time", "last_time")
        found[key] = (int(row["n"]), int(row["good"]), total, *(row[name].item() for name in names))
    assert len(found) == len(rows)
    return found


def stored(conn: Connection, level: Level) -> dict[tuple[int, int], tuple[Any, ...]]:
    query = psycopg.sql.SQL(
        "COPY (SELECT datastream_id, bucket, n, good, sum, sum_low, min, max, first, last, first_time, last_time "
        "FROM {}) TO STDOUT (FORMAT binary)"
    ).format(level.table)
    with conn.cursor(binary=True) as cursor:
        return as_dict(aggregate.BUCKET.copy_out(cursor, query))


def raw(conn: Connection) -> list[tuple[int, int, float | None, int]]:
    return conn.execute(
        "SELECT datastream_id, (extract(epoch FROM phenomenon_time) * 1000000)::bigint, result, quality "
        "FROM observation"
    ).fetchall()  # type: ignore[return-value]


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(
        st.tuples(st.integers(1, 3), st.integers(-5 * DAY, 5 * DAY)), st.tuples(FINITE, st.sampled_from([0, 2, 256])),
        min_size=1, max_size=60,
    ),
    st.integers(1, 5),
)  # fmt: skip
def test_combining_in_any_parts_is_exact(rows: dict[tuple[int, int], tuple[float, int]], parts: int) -> None:
    keys = list(rows)
    columns = (
        np.array([k[0] for k in keys], np.int32), np.array([k[1] for k in keys], np.int64),
        np.array([rows[k][0] for k in keys]), np.array([rows[k][1] for k in keys], np.int16),
    )  # fmt: skip
    plain = [(k[0], k[1], rows[k][0], rows[k][1]) for k in keys]
    minute, hour, day = levels(7)
    whole = aggregate.of_observations(*columns)
    pieces = np.concatenate([aggregate.combine(whole[part::parts], minute.width) for part in range(parts)])
    minutes = aggregate.combine(pieces, minute.width)
    hours = aggregate.combine(minutes, hour.width)
    assert as_dict(minutes) == expected(plain, minute)
    assert as_dict(aggregate.combine_observations(*columns, minute.width)) == expected(plain, minute)
    assert as_dict(hours) == expected(plain, hour)
    assert as_dict(aggregate.combine(hours, day.width, day.offset)) == expected(plain, day)


def test_what_has_no_sum() -> None:
    ids, times, quality = np.ones(3, np.int32), np.arange(3), np.zeros(3, np.int16)
    rows = aggregate.of_observations(ids, times, np.array([1e308, 1e308, 1.0]), quality)
    one = aggregate.combine(rows, MINUTE)
    assert np.isnan(aggregate.means(one)).all()
    assert (one["max"][0], one["n"][0]) == (1e308, 3)
    assert len(aggregate.combine(aggregate.of_observations(ids, times, np.full(3, np.nan), quality), MINUTE)) == 0


def test_a_copy_of_other_columns_is_refused() -> None:
    layout = Layout(a="int4", t="time")
    rows = layout.empty(2)
    rows["a"], rows["t"] = (1, -2), (T0, -(10**17))
    assert layout.decode(layout.encode(rows)).tolist() == rows.tolist()
    for bad in (b"", layout.encode(rows)[:-1], Layout(a="int4", t="float8", x="int2").encode(
        Layout(a="int4", t="float8", x="int2").empty(1))):  # fmt: skip
        with pytest.raises(ValueError, match="COPY"):
            layout.decode(bad)


@given(st.integers(-62_167_219_200_000_000, 253_402_300_799_999_999))
def test_times_as_text_before_the_year_1_too(time: int) -> None:
    text = timestamps(np.array([time]))[0]
    assert text.endswith("BC") == (time < observations.EARLIEST)
    if time >= observations.EARLIEST:
        assert np.datetime64(text[:-6], "us").astype(int) == time


KEY = st.tuples(
    st.integers(1, 2),
    st.integers(0, 40).map(lambda k: T0 + (k % 5) * 20_000_000 + (k // 5 % 3) * HOUR + (k // 15) * DAY),
)
VALUE = FINITE | st.just(math.nan)
ROWS = st.lists(st.tuples(KEY, VALUE, st.sampled_from([0, 0, 2, 256])), min_size=1, max_size=8)
CHANGE = st.tuples(st.sampled_from([Op.INSERT, Op.INSERT, Op.CORRECT, Op.DELETE]), ROWS)
STEPS = st.lists(CHANGE | st.integers(1, 12), max_size=14)
AT = (1, T0)
AHEAD: list[Any] = [
    (Op.INSERT, [(AT, 1.0, 0)]), (Op.DELETE, [(AT, 0.0, 0)]), (Op.INSERT, [(AT, 5.0, 0)]),
    (Op.INSERT, [((1, T0 + 1), 7.0, 0)]), 1, 1, (Op.CORRECT, [(AT, 6.0, 0)]), (Op.INSERT, [((1, T0 + 2), 8.0, 2)]), 1,
]  # fmt: skip


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
@example(AHEAD)
def test_rollups_and_latest_equal_raw_after_any_history(database: Database, history: list[Any]) -> None:
    """Late, repeated, corrected and deleted readings, applied in steps of any size, many of them behind the stream."""
    conn = database.connect()
    conn.execute(
        "TRUNCATE observation, committed, committed_position, rollup_1m, rollup_1h, rollup_1d, latest, rollup_ahead"
    )
    kept = Rollups(7)
    kept._reader.start(conn, from_oldest=True)
    for change in history:
        if isinstance(change, int):
            kept.step(conn, rows=change)
            continue
        op, rows = change
        some = Batch(
            np.array([k[0] for k, _, _ in rows], np.int32), np.array([k[1] for k, _, _ in rows], np.int64),
            np.array([v for _, v, _ in rows]), np.array([q for _, _, q in rows], np.int16),
        )  # fmt: skip
        if op is Op.DELETE:
            observations.delete(conn, some.datastream_id, some.phenomenon_time)
        else:
            (observations.write if op is Op.INSERT else observations.correct)(conn, some)
    while kept.step(conn, rows=3).batches:
        pass
    check(conn)
    conn.rollback()


def check(conn: Connection) -> None:
    rows = raw(conn)
    for level in levels(7):
        assert stored(conn, level) == expected(rows, level), level.name
    assert conn.execute("SELECT count(*) FROM rollup_ahead").fetchone() == (0,)
    newest: dict[int, tuple[Any, ...]] = {}
    for id, time, result, quality in sorted(rows, key=lambda row: row[:2]):
        first = newest[id][0] if id in newest else from_micros(time)
        newest[id] = (first, from_micros(time), result, quality)
    found = conn.execute("SELECT datastream_id, first_time, last_time, result, quality FROM latest").fetchall()
    assert {row[0]: row[1:] for row in found} == newest


def test_a_rebuild_gives_the_same(database: Database, batch: MakeBatch) -> None:
    conn = database.connect()
    rows = [(id, T0 + k * 7_000_000 + id, k / 7) for id in (1, 2, 3) for k in range(3000)]
    observations.write(conn, batch(rows))
    observations.delete_interval(conn, 2, T0, T0 + DAY, rows=700)
    observations.write(conn, batch([(9, observations.EARLIEST, 1.5), (9, observations.LATEST, 2.5)]))
    conn.commit()
    kept = Rollups(7)
    kept.start(conn)
    while kept.step(conn).batches:
        conn.commit()
    conn.commit()
    check(conn)
    conn.execute("UPDATE rollup_1m SET n = 99")
    conn.execute("DELETE FROM rollup_1h")
    conn.execute("DELETE FROM latest")
    observations.write(conn, batch([(1, T0 + DAY * 9, 4.0)]))  # not applied: the rebuild has it
    conn.commit()
    conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    assert kept.rebuild(conn) == 4
    conn.commit()
    conn.isolation_level = None
    assert kept.step(conn).batches == 0
    check(conn)


def test_history_that_the_stream_no_longer_has_is_said(one_database: Database, batch: MakeBatch) -> None:
    conn = one_database.connect()
    observations.write(conn, batch([(1, T0, 1.0)]))
    conn.execute("TRUNCATE committed")
    with pytest.raises(SettingsError, match="tram rollups rebuild"):
        Rollups(7).start(conn)
    conn.rollback()
    Rollups(7).start(conn)
    with pytest.raises(SettingsError, match=r"UTC\+7, not \+8"):
        Rollups(8).start(conn)
