"""The queries of a live hub: everything at one moment, and what is new behind it."""

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import psycopg

from services.live.catalogue import Entry
from services.live.messages import Stream, Thing
from services.live.update import Registry
from services.live.values import Row, Values
from services.live.view import World
from tram.clock import to_micros
from tram.store import alarms, people, series
from tram.store.batch import Batch, encode_json
from tram.store.committed import Op
from tram.store.database import Connection, available
from tram.store.sqlfile import load_path

QUERIES = load_path(Path(__file__).with_name("queries.sql"))
PAGE = 5_000
BEFORE_BATCHES, BEFORE_ROWS = 2_000, 400_000
"""How much of the stream before its start a hub knows: who stood there can go on without a snapshot."""


def load(conn: Connection) -> World:
    """The world at one moment. `conn` is in autocommit. Raises UnavailableError."""
    world = World()
    conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    try:
        with available(), conn.transaction():
            world.position = stream(conn)[0]
            # One snapshot: every batch up to this seq is committed in it, and none behind (docs/adr/0021).
            found = registry(conn, None)
            world.catalogue.tree = found.tree
            for entry in found.entries:
                world.catalogue.put(entry)
            _latest(conn, world.values)
            world.from_position = _before(conn, world)
            world.alarms.restart(alarms.position(conn), alarms.current(conn))
    finally:
        conn.isolation_level = None
    return world


def _latest(conn: Connection, values: Values) -> None:
    after = 0
    while True:
        page = series.latest(conn, after=after, limit=2 * PAGE)
        if not page:
            return
        json = {n: encode_json(value.result_json) for n, value in enumerate(page) if value.result_json is not None}
        values.insert(
            0,
            Batch(
                np.array([value.datastream_id for value in page], np.int32),
                np.array([to_micros(value.time) for value in page], np.int64),
                np.array([np.nan if value.result is None else value.result for value in page], np.float64),
                np.array([value.quality for value in page], np.int16),
                json,
            ),
        )
        if len(page) < 2 * PAGE:
            return
        after = page[-1].datastream_id


def _before(conn: Connection, world: World) -> int:
    """Notes what changed in the last batches; returns the seq before the first of them."""
    place = world.position
    arguments = {"seq": world.position, "batches": BEFORE_BATCHES, "rows": BEFORE_ROWS}
    with conn.cursor(binary=True) as cursor:
        for seq, data in cursor.execute(QUERIES["stream_before"], arguments):
            world.values.touch(seq, np.unique(Batch.unpack(bytes(data)).datastream_id))
            place = seq - 1
    return place


def stream(conn: Connection) -> tuple[int, int]:
    """(last seq of the committed stream, last seq that was trimmed away)."""
    row = conn.execute(QUERIES["stream_end"]).fetchone()
    gone = conn.execute(QUERIES["trimmed"]).fetchone()
    assert row is not None
    assert gone is not None
    return int(row[0]), int(gone[0])


def following(conn: Connection, after: int, *, rows: int, batches: int) -> list[tuple[int, Op, Batch]]:
    """The next batches of the stream, in order."""
    arguments = {"seq": after, "rows": rows, "batches": batches}
    with conn.cursor(binary=True) as cursor:
        found = cursor.execute(QUERIES["stream_next"], arguments).fetchall()
    return [(seq, Op(op), Batch.unpack(bytes(data))) for seq, op, data in found]


def latest_of(conn: Connection, ids: Sequence[int]) -> list[Row]:
    """What stands there now; those without a value are not in it."""
    return [
        (id, time, result, None if json is None else json.encode(), quality)
        for id, time, result, json, quality in conn.execute(QUERIES["latest_of"], (list(ids),))
    ]


def names_of(conn: Connection, streams: Sequence[int]) -> list[str]:
    """Names of the Things of these Datastreams."""
    return [name for (name,) in conn.execute(QUERIES["names_of"], (list(streams),))]


def registry(
    conn: Connection, names: Collection[str] | None, knows: Callable[[int], bool] = lambda stream: True
) -> Registry:
    """Active Things as they are now, all of them or those of some names, and the tree of areas.

    The values of Datastreams that are not known come with them: a Thing that is active again has had some before.
    """
    entries: list[Entry] = []
    after = 0
    while True:
        arguments = {"after": after, "names": None if names is None else list(names), "limit": PAGE}
        page = conn.execute(QUERIES["things"], arguments).fetchall()
        entries += [_entry(*row) for row in page]
        if len(page) < PAGE:
            break
        after = page[-1][0]
    new = [stream.id for entry in entries for stream in entry.thing.streams if not knows(stream.id)]
    rows = latest_of(conn, new) if new else []
    return Registry(names or (), entries, people.area_tree(conn), new, rows)


def _entry(
    id: int, name: str, label: str, kind: str, area: str | None, longitude: float | None, latitude: float | None,
    public: bool, ids: list[int], properties: list[str], units: list[str],
) -> Entry:  # fmt: skip
    columns: Any = zip(ids, properties, units, strict=True)
    location = None if longitude is None or latitude is None else [longitude, latitude]
    return Entry(Thing(id, name, label, kind, area, location, [Stream(*one) for one in columns]), public)
