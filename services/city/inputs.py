"""What a service computes from: numbers of Things by property and bucket, as numpy arrays."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tram.sensing import Micros
from tram.store import wire
from tram.store.columns import Layout
from tram.store.database import Connection, available
from tram.store.sqlfile import load_path
from tram.store.wire import timestamps

QUERIES = load_path(Path(__file__).with_name("queries.sql"))
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_ROWS = Layout(thing="int4", property="int2", time="time", result="float8")
MOST_BUCKETS = 200_000


@dataclass(frozen=True, slots=True)
class Touched:
    """What changed and is to be computed again; rows (Thing, property, bucket), shape (n,).

    Attributes:
        thing: ids, int64.
        property: names.
        bucket: starts, microseconds.
        now: microseconds: buckets that end later are not to be computed yet.
    """

    thing: Ints
    property: NDArray[np.str_]
    bucket: Ints
    now: Micros

    def __len__(self) -> int:
        return len(self.thing)


@dataclass(frozen=True)
class Cube:
    """Numbers of Things x properties x buckets; NaN (and n = 0) where there is none.

    Attributes:
        things: ids, shape (t,), rising.
        properties: names, p of them.
        first: start of the first bucket, microseconds; `width` of each.
        n: good numbers, shape (t, p, b); `mean` of those.
    """

    things: Ints
    properties: tuple[str, ...]
    first: Micros
    width: Micros
    n: NDArray[np.int32]
    mean: Floats

    @cached_property
    def starts(self) -> Ints:
        """Start of each bucket, shape (b,)."""
        return self.first + self.width * np.arange(self.n.shape[2], dtype=np.int64)

    def of(self, name: str) -> Floats:
        """Means of a property, shape (t, b)."""
        return self.mean[:, self.properties.index(name), :]


def means(
    conn: Connection, things: Sequence[int] | Ints, properties: Sequence[str], first: Micros, last: Micros,
    width: Micros, *, channel: str = "",
) -> Cube:  # fmt: skip
    """The means of the good values of every bucket from the one that begins at `first` to the one at `last`.

    From `observation` itself, by its index: the rollups also count what is not good.

    Args:
        channel: whose Datastreams: "" the measured ones, else a service's.

    Raises:
        ValueError: more than MOST_BUCKETS buckets.
        UnavailableError: the database is away or too slow.
    """
    ids = np.unique(np.asarray(things, np.int64))
    count = (last - first) // width + 1
    if count > MOST_BUCKETS:
        raise ValueError(f"{count} buckets at once: ask for less time")
    shape = (len(ids), len(properties), max(count, 0))
    cube = Cube(ids, tuple(properties), first, width, np.zeros(shape, np.int32), np.full(shape, np.nan))
    if 0 in shape:
        return cube
    start, end = timestamps(np.array([first, last + width - 1]))
    arguments = {
        "things": ids.tolist(), "properties": list(properties), "start": start, "last": end, "channel": channel
    }  # fmt: skip
    with available(), conn.cursor() as cursor, cursor.copy(QUERIES["means"], arguments) as copy:
        for thing, property, times, results in copy.rows():  # one Datastream at a time, however many values it has
            at = np.searchsorted(ids, wire.read_int(thing)), wire.read_int(property)
            column = (wire.from_postgres(wire.read_array(times, 8)) - first) // width
            n = np.bincount(column, minlength=count)
            total = np.bincount(column, wire.read_floats(results), count)
            cube.n[at] += n
            np.divide(total, n, out=cube.mean[at], where=n > 0)
    return cube


def reached(shape: tuple[int, int], row: Ints, begin: Ints, end: Ints) -> NDArray[np.bool_]:
    """Cells from column begin[i] to end[i], both in it, of row[i]: True, all others False."""
    edges = np.zeros((shape[0], shape[1] + 1), np.int64)
    kept = end >= begin
    np.add.at(edges, (row[kept], begin[kept]), 1)
    np.add.at(edges, (row[kept], end[kept] + 1), -1)
    return np.asarray(np.cumsum(edges, axis=1)[:, :-1] > 0)


def numbers(
    conn: Connection, things: Sequence[int] | Ints, properties: Sequence[str], start: Micros, end: Micros, *,
    channel: str = "",
) -> NDArray[np.void]:  # fmt: skip
    """Every good number with start <= time < end: fields thing, property (index), time, result; sorted by these."""
    first, last = timestamps(np.array([start, end - 1]))
    arguments = {"things": np.asarray(things).tolist(), "properties": list(properties), "start": first, "last": last,
                 "channel": channel}  # fmt: skip
    with available(), conn.cursor(binary=True) as cursor:
        return _ROWS.copy_out(cursor, QUERIES["rows"], arguments)
