"""Retention on every edition: what goes, what stays, what rollups say afterwards."""

from datetime import UTC, datetime

import psycopg
import pytest

from tests.databases import Database
from tests.store.conftest import MakeBatch
from tram.clock import from_micros, to_micros
from tram.errors import NotFoundError, PayloadError
from tram.store import edition, observations, registry, retention, series
from tram.store.registry import Key, Resolved
from tram.store.retention import Policy
from tram.store.rollups import Rollups

HOUR, DAY = 3_600_000_000, 86_400_000_000


def test_what_is_older_goes_and_rollups_stand(database: Database, batch: MakeBatch) -> None:
    conn = database.connect()
    found = registry.resolve(conn, [Key("x", "pm10"), Key("x", "pm2_5")], "open")
    short, long = (answer.datastream_id for answer in found.values() if isinstance(answer, Resolved))
    now = to_micros(datetime.now(UTC))
    rows = [(id, now - k * 6 * HOUR, float(k)) for id in (short, long) for k in range(1, 120)]
    observations.write(conn, batch(rows))
    kept = Rollups(7)
    kept.start(conn)
    kept.step(conn)
    conn.commit()
    policies = [
        Policy("", "raw", 20),
        Policy("pm10", "raw", 5),
        Policy("pm10", "1m", 10),
        Policy("pm2_5", "1h", None),
    ]
    retention.put(conn, policies)
    told = {(row.property, row.level): row for row in retention.doomed(conn, 7)}
    assert set(told) == {("pm10", "raw"), ("pm10", "1m"), ("pm2_5", "raw")}
    assert all(to_micros(row.cut) % DAY == 17 * HOUR for row in told.values())
    removed, more, steps = 0, True, 0
    while more:
        gone, more = retention.step(conn, 7, rows=30)
        conn.commit()
        assert gone <= 30
        removed, steps = removed + gone, steps + 1
    if database.edition == "plain":
        assert removed == sum(row.rows for row in told.values())
        assert steps > 3
    assert retention.doomed(conn, 7) == []
    for id, name in ((short, "pm10"), (long, "pm2_5")):
        cut = to_micros(told[name, "raw"].cut)
        left = [time for i, time, _ in rows if i == id and time >= cut]
        assert len(series.series(conn, id, 0, now)) == len(left)
        assert series.extents(conn)[id] == (from_micros(min(left)), from_micros(max(left)))
    counts = conn.execute("SELECT datastream_id, sum(n)::int FROM rollup_1h GROUP BY 1 ORDER BY 1").fetchall()
    assert counts == [(short, 119), (long, 119)]
    # Neither a rebuild nor a deletion next to the cut takes away what raw no longer has.
    conn.commit()
    conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    kept.rebuild(conn)
    conn.commit()
    assert conn.execute("SELECT datastream_id, sum(n)::int FROM rollup_1h GROUP BY 1 ORDER BY 1").fetchall() == counts
    with pytest.raises(NotFoundError):
        retention.put(conn, [Policy("nothing", "raw", 5)])
    conn.rollback()
    for bad in (Policy("", "2m", 5), Policy("", "raw", 0)):
        with pytest.raises(PayloadError):
            retention.put(conn, [bad])


def test_whole_chunks_are_dropped(database: Database, batch: MakeBatch) -> None:
    if database.edition == "plain":
        pytest.skip("plain PostgreSQL has no chunks")
    conn = database.connect()
    found = registry.resolve(conn, [Key("x", "pm10")], "open")
    (id,) = (answer.datastream_id for answer in found.values() if isinstance(answer, Resolved))
    now = to_micros(datetime.now(UTC))
    observations.write(conn, batch([(id, now - k * DAY // 2, 1.0) for k in range(60)]))
    before = from_micros(now - 12 * DAY)
    assert len(edition.old_chunks(conn, "observation", before)) > 10
    retention.put(conn, [Policy("", "raw", 10)])
    removed, _ = retention.step(conn, 7)
    assert removed <= 4  # the rest of the one chunk that the cut lies in
    assert edition.old_chunks(conn, "observation", before) == []
    assert retention.doomed(conn, 7) == []
