"""Series for plots: which level is used, true at once, gaps stay gaps; latest and extents with a tail."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.databases import Database
from tests.store.conftest import MakeBatch
from tram.clock import from_micros
from tram.errors import PayloadError
from tram.store import history, observations, registry, series
from tram.store.database import Connection
from tram.store.downsample import lttb
from tram.store.registry import Key, Resolved
from tram.store.rollups import Rollups

T0 = 1_780_012_800_000_000
SECOND, MINUTE, HOUR, DAY = 1_000_000, 60_000_000, 3_600_000_000, 86_400_000_000


def caught_up(conn: Connection) -> None:
    kept = Rollups(7)
    kept.start(conn)
    while kept.step(conn).batches:
        pass
    conn.commit()


def test_raw_a_minute_an_hour_a_day(database: Database, batch: MakeBatch) -> None:
    conn = database.connect()
    rows = [(1, T0 + k * 10 * SECOND, float(k % 360)) for k in range(8640 * 2) if not 2000 <= k < 3000]
    observations.write(conn, batch(rows))
    caught_up(conn)
    found = history.history(conn, 1, T0, T0 + HOUR, points=100)
    assert (found.used, found.width, found.thinned) == ("raw", 0, True)
    assert found.raw is not None
    assert len(found.raw) == 100
    assert not history.history(conn, 1, T0, T0 + HOUR, points=400).thinned
    found = history.history(conn, 1, T0, T0 + DAY, points=1000)
    assert (found.used, found.width) == ("1m", 2 * MINUTE)
    assert found.buckets is not None
    assert found.buckets["n"].sum() == 8640 - 1000
    assert (found.buckets["min"].min(), found.buckets["max"].max()) == (0.0, 359.0)
    steps = np.diff(found.buckets["bucket"])
    assert steps.min() == 2 * MINUTE
    assert steps.max() >= 1000 * 10 * SECOND - 4 * MINUTE  # the gap is a gap
    assert history.history(conn, 1, T0, T0 + 2 * DAY, points=50).used == "1h"
    assert history.history(conn, 1, T0 - 400 * DAY, T0 + 400 * DAY, points=50).used == "1h"  # few hours have any
    conn.execute("SET LOCAL statement_timeout = 0")  # 900 chunks are made
    observations.write(conn, batch([(3, T0 + k * DAY, 1.0) for k in range(900)]))
    found = history.history(conn, 3, T0, T0 + 900 * DAY, points=50)
    assert (found.used, found.width) == ("1d", 18 * DAY)
    assert found.buckets is not None
    assert found.buckets["n"].sum() == 900
    assert len(found.buckets) <= 51
    conn.execute("DELETE FROM committed_position")  # no worker: from raw
    again = history.history(conn, 3, T0, T0 + 900 * DAY, points=50, level="1d")
    assert again.buckets is not None
    assert again.buckets["n"].sum() == 900
    days = history.history(conn, 1, T0, T0 + 2 * DAY, level="1d")
    assert days.buckets is not None
    assert [int(b) % DAY for b in days.buckets["bucket"]] == [17 * HOUR] * len(days.buckets)
    assert days.buckets["n"].sum() == 2 * 8640 - 1000
    minutes = history.history(conn, 1, T0, T0 + DAY, level="1m")
    assert minutes.buckets is not None
    assert len(minutes.buckets) in (1273, 1274)
    with pytest.raises(PayloadError, match="no level"):
        history.history(conn, 1, T0, T0 + DAY, level="1w")
    assert history.history(conn, 2, -(2**62), 2**62).used == "raw"
    empty = history.history(conn, 1, T0, T0)
    assert empty.raw is not None
    assert len(empty.raw) == 0


def test_what_the_worker_has_not_applied_is_there_already(database: Database, batch: MakeBatch) -> None:
    conn = database.connect()
    Rollups(7).start(conn)
    observations.write(conn, batch([(1, T0 + k * SECOND, 1.0) for k in range(200)]))
    caught_up(conn)
    observations.write(conn, batch([(1, T0 + k * SECOND, 3.0) for k in range(100, 300)] + [(2, T0, 9.0)]))
    observations.write(conn, batch([(1, T0 - DAY, -5.0)]))
    conn.commit()
    found = history.history(conn, 1, T0 - 2 * DAY, T0 + DAY, level="1h")
    assert found.buckets is not None
    assert found.buckets["n"].tolist() == [1, 300]
    assert found.buckets["sum"].tolist() == [-5.0, 200 * 1.0 + 100 * 3.0]
    before = [row.tobytes() for row in found.buckets]
    caught_up(conn)
    found = history.history(conn, 1, T0 - 2 * DAY, T0 + DAY, level="1h")
    assert found.buckets is not None
    assert [row.tobytes() for row in found.buckets] == before


def test_latest_and_extents_are_true_at_once(database: Database, batch: MakeBatch) -> None:
    conn = database.connect()
    keys = [Key("x", "pm10"), Key("y", "pm10"), Key("z", "pm10"), Key("w", "pm10")]
    a, b, c, d = (r.datastream_id for r in registry.resolve(conn, keys, "open").values() if isinstance(r, Resolved))
    Rollups(7).start(conn)
    observations.write(conn, batch([(id, T0 + k, float(k)) for id in (a, b, c) for k in range(5)]))
    caught_up(conn)

    def at(result: float | None, k: int) -> tuple[float | None, int]:
        return result, T0 + k

    def now() -> dict[int, tuple[float | None, int]]:
        values = series.latest(conn)
        assert values == sorted(values, key=lambda v: v.datastream_id)
        assert series.latest(conn, limit=1) + series.latest(conn, after=values[0].datastream_id) == values
        spans = series.extents(conn)
        assert {v.datastream_id: v.time for v in values} == {id: last for id, (_, last) in spans.items()}
        return {v.datastream_id: (v.result, round(v.time.timestamp() * 1e6)) for v in values}

    assert now() == {a: at(4, 4), b: at(4, 4), c: at(4, 4)}
    observations.write(conn, batch([(a, T0 + 2, 0.0), (a, T0 - 9, 7.0), (b, T0 + 9, 8.0), (d, T0, 1.0)]))
    observations.delete(conn, [c], [T0 + 4])
    observations.correct(conn, batch([(b, T0 + 9, 8.5)]))
    expected = {a: at(4, 4), b: at(8.5, 9), c: at(3, 3), d: at(1, 0)}
    assert now() == expected
    assert series.extents(conn, [a])[a][0] == from_micros(T0 - 9)
    caught_up(conn)
    assert now() == expected
    observations.delete_interval(conn, c, T0 - DAY, T0 + DAY)
    del expected[c]
    assert now() == expected
    conn.execute("DELETE FROM committed_position")  # no worker ever: the Observations themselves answer
    assert now() == expected


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-1e6, 1e6), max_size=300), st.integers(0, 50))
def test_lttb_keeps_the_ends_and_as_many_as_asked(values: list[float], points: int) -> None:
    y = np.array(values)
    kept = lttb(np.arange(len(y)) * 1000 + T0, y, points)
    assert len(kept) == min(len(y), max(points, 3))
    assert (np.diff(kept) > 0).all()
    if len(y):
        assert (kept[0], kept[-1]) == (0, len(y) - 1)


def test_lttb_keeps_a_spike() -> None:
    y = np.zeros(1000)
    y[637] = 50.0
    assert 637 in lttb(np.arange(1000), y, 20)
