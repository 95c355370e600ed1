"""A small province: enough for every endpoint and every panel to show something."""

import time
from datetime import UTC, datetime

import numpy as np

from tram.quality import Quality
from tram.readings import Message
from tram.sensing import Location, Thing
from tram.store import deadletters, observations, pending, processes, registry
from tram.store.batch import Batch
from tram.store.database import Connection

THINGS = {
    "aq-01": ("Trạm khí Quang Sơn", "air", Location(105.86, 21.68), ("pm2_5", "air_temperature")),
    "aq-02": ("Trạm khí Phổ Yên", "air", Location(105.87, 21.42), ("pm2_5", "air_temperature")),
    "river-01": ("Mực nước Gia Bảy", "river", Location(105.83, 21.60), ("water_level",)),
    "odd/name %41 <b>": ("", "", None, ("pm2_5",)),
}
UNITS = {"pm2_5": "ug/m3", "air_temperature": "Cel", "water_level": "m"}
MINUTES = 30


def now() -> int:
    """Microseconds."""
    return time.time_ns() // 1000


def fill(conn: Connection) -> dict[tuple[str, str], int]:
    """Things, half an hour of values each minute, one waiting Thing, dead letters, processes; commits.

    Returns:
        Datastream ids by (thing, property).
    """
    ids: dict[tuple[str, str], int] = {}
    for name, (label, kind, location, properties) in THINGS.items():
        registry.put(conn, Thing(name, label, kind, location=location))
        keys = [registry.Key(name, p, UNITS[p]) for p in properties]
        for key, found in registry.resolve(conn, keys, "open").items():
            assert isinstance(found, registry.Resolved), found
            ids[name, key.property] = found.datastream_id
    store(conn, list(ids.values()), [now() - m * 60_000_000 for m in range(MINUTES, 0, -1)])
    waiting = registry.Key("new-01", "pm2_5", "ug/m3")
    held = registry.resolve(conn, [waiting], "pending")[waiting]
    assert isinstance(held, registry.Held)
    pending.hold(conn, [(held.thing_id, Message("tram/v1/new-01/telemetry", b'{"pm2_5":1}', now()))], 1000)
    deadletters.insert(
        conn,
        [
            deadletters.DeadLetter("tram/v1/aq-01/telemetry", "nan", "pm2_5: not a number", b'{"pm2_5":NaN}', now()),
            deadletters.DeadLetter("tram/v1/aq-02/telemetry", "utf8", "not UTF-8", b"\xff\xfe\x00", now()),
        ],
    )
    for name, state in (("gateway", "ready"), ("worker", "degraded")):
        processes.heartbeat(
            conn, name, host="here", pid=7, version="0.1.0", state=state,
            started=datetime.now(UTC), detail={"stored": 210} if name == "gateway" else {"reasons": {"x": "why"}},
        )  # fmt: skip
    # Nobody beats for them here: they stay as they are for as long as a test session lasts.
    conn.execute("UPDATE process SET seen = now() + interval '1 day'")
    conn.commit()
    return ids


def store(conn: Connection, ids: list[int], times: list[int], quality: Quality = Quality.GOOD) -> None:
    """One value of each Datastream at each time; the caller commits."""
    n = len(ids) * len(times)
    when = np.repeat(np.asarray(times, np.int64), len(ids))
    values = 20 + np.arange(n) % 7 + 0.25
    batch = Batch(np.tile(np.asarray(ids, np.int32), len(times)), when, values, np.full(n, int(quality), np.int16))
    observations.write(conn, batch)
