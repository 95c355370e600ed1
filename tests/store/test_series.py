"""Reading: latest values, the newest of all, series by pages."""

import numpy as np
import pytest

from tests.databases import Database
from tests.store.conftest import MakeBatch
from tram.clock import from_micros
from tram.store import observations, registry, series
from tram.store.batch import Batch
from tram.store.database import Connection
from tram.store.registry import Key, Resolved

T0 = 1_780_000_000_000_000
DAY = 86_400_000_000


def datastreams(conn: Connection, *keys: Key) -> list[int]:
    found = registry.resolve(conn, keys, "open")
    return [a.datastream_id for a in (found[key] for key in keys) if isinstance(a, Resolved)]


def test_latest_is_the_largest_time_whatever_came_last(database: Database, batch: MakeBatch) -> None:
    conn = database.connect()
    a, b, silent = datastreams(conn, Key("x", "pm10"), Key("y", "mùi", "kg"), Key("y", "pm10"))
    observations.write(conn, batch([(a, T0, 1.0), (a, T0 + 3 * DAY, 2.0), (b, T0, 3.0)]))
    observations.write(conn, batch([(a, T0 + DAY, 99.0)]))
    found = {v.datastream_id: v for v in series.latest(conn)}
    assert silent not in found
    assert found[a] == series.Value(a, "x", "", "pm10", "ug/m3", from_micros(T0 + 3 * DAY), 2.0, None, 0)
    assert (found[b].property, found[b].unit, found[b].result) == ("mùi", "kg", 3.0)
    thing = registry.get_thing(conn, "y")
    assert [v.datastream_id for v in series.latest(conn, thing_id=thing.id)] == [b]
    assert [v.datastream_id for v in series.latest(conn, limit=1)] == [min(a, b)]
    assert [v.datastream_id for v in series.latest(conn, after=min(a, b))] == [max(a, b)]
    registry.refuse(conn, thing.id)
    assert [v.datastream_id for v in series.latest(conn)] == [a]


def test_newest_reads_the_end_of_the_stream(database: Database, batch: MakeBatch) -> None:
    conn = database.connect()
    assert series.newest(conn) == []
    a, b = datastreams(conn, Key("x", "pm10"), Key("y", "pm10"))
    observations.write(conn, batch([(a, T0 + k, float(k)) for k in range(100)]))
    late = Batch(
        np.array([b], np.int32), np.array([T0 - DAY]), np.array([np.nan]), np.array([256], np.int16), {0: b'"on"'}
    )
    observations.write(conn, late)
    found = series.newest(conn, 3)
    assert [(v.thing, v.result, v.result_json, v.quality) for v in found] == [
        ("y", None, "on", 256), ("x", 99.0, None, 0), ("x", 98.0, None, 0),
    ]  # fmt: skip
    # When the stream has been trimmed away, the latest values stand in.
    conn.execute("TRUNCATE committed")
    assert [v.thing for v in series.newest(conn, 3)] == ["x", "y"]


@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize("limit", [1, 3, 7, 100])
def test_pages_of_a_series_have_no_gap_and_no_repeat(
    one_database: Database, batch: MakeBatch, newest_first: bool, limit: int
) -> None:
    conn = one_database.connect()
    times = [T0 + k * DAY // 5 for k in range(20)]
    observations.write(conn, batch([(1, t, float(t)) for t in times] + [(2, T0 + 1, 0.0)]))
    start, end = times[2], times[17]
    seen: list[int] = []
    after = None
    while page := series.series(conn, 1, start, end, limit=limit, after=after, newest_first=newest_first):
        assert len(page) <= limit
        seen += [o.phenomenon_time for o in page]
        after = seen[-1]
    assert seen == (times[2:17][::-1] if newest_first else times[2:17])


def test_a_series_has_everything_of_an_observation(database: Database) -> None:
    conn = database.connect()
    one = Batch(
        np.array([1], np.int32),
        np.array([T0]),
        np.array([np.nan]),
        np.array([3], np.int16),
        {0: b"[1,null]"},
        {0: b'{"a":1}'},
    )
    observations.write(conn, one)
    (found,) = series.series(conn, 1, T0, T0 + 1)
    assert (found.result, found.quality, found.result_json, found.parameters) == (None, 3, [1, None], {"a": 1})
    assert series.series(conn, 1, T0 + 1, T0) == []
    assert len(series.series(conn, 1, -(2**63), 2**63 - 1)) == 1
    assert series.series(conn, 99, 0, 2**60) == []


def test_counts(database: Database, batch: MakeBatch) -> None:
    conn = database.connect()
    assert series.counts(conn) == series.Counts(0, 0, 0, 0, 0, 0)
    a, _ = datastreams(conn, Key("x", "pm10"), Key("x", "pm2_5"))
    registry.resolve(conn, [Key("z", "pm10")], "pending")
    observations.write(conn, batch([(a, T0 + k, 1.0) for k in range(50)]))
    observations.write(conn, batch([(a, T0 + k, 1.0) for k in range(40, 60)]))
    conn.commit()
    conn.execute("SELECT pg_stat_force_next_flush()")
    conn.commit()
    counted = series.counts(conn)
    assert (counted.things, counted.pending, counted.datastreams, counted.last_minute) == (1, 1, 2, 60)
    # The statistics count the rows of a COPY that was rolled back as dead, not as live.
    assert counted.observations == 60


def test_reading_takes_the_index(database: Database, batch: MakeBatch) -> None:
    """The latest of a Datastream is one descent of the index in the newest chunk, not a scan."""
    conn = database.connect()
    observations.write(conn, batch([(id, T0 + k * 3_600_000_000, 1.0) for id in range(1, 51) for k in range(100)]))
    conn.commit()
    conn.execute("ANALYZE observation")
    plan = conn.execute(
        "EXPLAIN SELECT result FROM observation WHERE datastream_id = 7 ORDER BY phenomenon_time DESC LIMIT 1"
    ).fetchall()
    text = "\n".join(line for (line,) in plan)
    assert "Index" in text
    assert "Seq Scan" not in text
    assert "Sort" not in text
