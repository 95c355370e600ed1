"""Retention on every edition: what goes, what stays, what rollups say afterwards."""

from datetime import UTC, datetime

import psycopg
import pytest

from tests.databases import Database
from tests.store.conftest import MakeBatch
from tram.clock import from_micros, to_micros
from tram.errors import NotFoundError, PayloadError
from tram.store import edition, observations, registry, retention, series
from tram.store.database import Connection
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
        gone, more, _ = retention.step(conn, 7, rows=30)
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


HOURS = "SELECT bucket, n, min, max, first, last FROM rollup_1h WHERE datastream_id = %s ORDER BY bucket"
DAYS = HOURS.replace("1h", "1d")


def _aged(database: Database, batch: MakeBatch, policies: list[Policy]) -> tuple[Connection, int, Rollups, list[int]]:
    """(connection, a Datastream, its rollups, times of its rows): 30 days, retention has run."""
    conn = database.connect()
    key = Key("aged", "pm10")
    answer = registry.resolve(conn, [key], "open")[key]
    assert isinstance(answer, Resolved)
    id = answer.datastream_id
    noon = to_micros(datetime.now(UTC)) // DAY * DAY - 7 * HOUR + DAY // 2  # noon of a day of the province
    times = [noon - day * DAY + k * 10 * 60_000_000 for day in range(1, 30) for k in range(4)]
    observations.write(conn, batch([(id, time, float(n)) for n, time in enumerate(times)]))
    rollups = Rollups(7)
    rollups.start(conn)
    rollups.step(conn)
    retention.put(conn, policies)
    while retention.step(conn, 7).more:
        conn.commit()
    conn.commit()
    return conn, id, rollups, times


def test_what_is_corrected_or_deleted_before_the_cut_leaves_the_rollups_as_they_stand(
    database: Database, batch: MakeBatch
) -> None:
    conn, id, rollups, times = _aged(database, batch, [Policy("", "raw", 10)])
    before = {level: conn.execute(level, (id,)).fetchall() for level in (HOURS, DAYS)}
    assert len(before[DAYS]) == 29
    # A row comes so late that its neighbours are gone: it is added, and that is all that can be known.
    late = times[4 * 20] + 60_000_000
    observations.write(conn, batch([(id, late, 1000.0)]))
    rollups.step(conn)
    with_late = {level: conn.execute(level, (id,)).fetchall() for level in (HOURS, DAYS)}
    assert sum(row[1] for row in with_late[DAYS]) == sum(row[1] for row in before[DAYS]) + 1
    assert max(row[3] for row in with_late[HOURS]) == 1000
    # Corrected and deleted there: raw could only give the one row, and the rollups know four.
    observations.correct(conn, batch([(id, late, 5.0)]))
    rollups.step(conn)
    assert {level: conn.execute(level, (id,)).fetchall() for level in (HOURS, DAYS)} == with_late
    observations.delete(conn, [id], [late])
    rollups.step(conn)
    assert {level: conn.execute(level, (id,)).fetchall() for level in (HOURS, DAYS)} == with_late
    # After the cut everything is computed anew, the day beside the cut too.
    recent = times[4 * 8]
    observations.delete(conn, [id], [recent])
    rollups.step(conn)
    after = conn.execute(DAYS, (id,)).fetchall()
    changed = [(old, new) for old, new in zip(with_late[DAYS], after, strict=True) if old != new]
    assert [(old[1], new[1]) for old, new in changed] == [(4, 3)]


@pytest.mark.parametrize("level", ["1m", "1h"])
def test_minutes_that_are_kept_shorter_than_raw_are_not_missed_by_hours_and_days(
    database: Database, batch: MakeBatch, level: str
) -> None:
    conn, id, rollups, times = _aged(database, batch, [Policy("", level, 5)])
    assert len(conn.execute(DAYS, (id,)).fetchall()) == 29
    old = times[4 * 20]
    hours = len(conn.execute(HOURS, (id,)).fetchall())
    observations.correct(conn, batch([(id, old, -7.0)]))
    observations.delete(conn, [id], [times[4 * 20 + 1]])
    rollups.step(conn)
    days = conn.execute(DAYS, (id,)).fetchall()
    (lowest,) = [row for row in days if row[2] == -7]
    assert (lowest[1], lowest[3]) == (3, float(4 * 20 + 3))
    assert sum(row[1] for row in days) == 4 * 29 - 1
    if level == "1m":
        assert len(conn.execute(HOURS, (id,)).fetchall()) == hours


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
    removed, _, chunks = retention.step(conn, 7)
    assert chunks > 0
    assert removed <= 4  # the rest of the one chunk that the cut lies in
    assert edition.old_chunks(conn, "observation", before) == []
    assert retention.doomed(conn, 7) == []
