"""What of a service's values stands already: nothing is written that is there, and what changed is a correction."""

from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from services.city.inputs import QUERIES
from tram.store import wire
from tram.store.database import Connection, available


class Held(NamedTuple):
    """What stands at n keys (Datastream, phenomenonTime).

    Attributes:
        there: whether something does, shape (n,).
        values: NaN: no number, or nothing at all.
        parameters: JSON as PostgreSQL writes it; b"": none.
    """

    there: NDArray[np.bool_]
    values: NDArray[np.float64]
    parameters: list[bytes]


def held(conn: Connection, ids: NDArray[np.int32], times: NDArray[np.int64]) -> Held:
    """What stands at these keys, in their order; they may come twice.

    Everything between the first and the last time of a Datastream is read: results are of buckets in a row.

    Raises:
        UnavailableError: roll back and try again.
    """
    n = len(ids)
    found = Held(np.zeros(n, bool), np.full(n, np.nan), [b""] * n)
    if n == 0:
        return found
    order = np.lexsort((times, ids))
    sorted_ids, sorted_times = ids[order], times[order]
    begins = np.flatnonzero(np.concatenate([[True], sorted_ids[1:] != sorted_ids[:-1]]))
    ends = np.append(begins[1:], n)
    arguments = {
        "ids": sorted_ids[begins].tolist(), "first": wire.timestamps(sorted_times[begins]),
        "last": wire.timestamps(sorted_times[ends - 1]),
    }  # fmt: skip
    spans = dict(zip(sorted_ids[begins].tolist(), zip(begins.tolist(), ends.tolist(), strict=True), strict=True))
    with available(), conn.cursor(binary=True) as cursor:
        rows = wire.raw(cursor, QUERIES["held"], arguments)
    for id, stored, results, texts in rows:
        begin, end = spans[wire.read_int(id)]
        stands = wire.from_postgres(wire.read_array(stored, 8))
        by_time = np.argsort(stands, kind="stable")
        stands = stands[by_time]
        at = np.minimum(np.searchsorted(stands, sorted_times[begin:end]), len(stands) - 1)
        hit = stands[at] == sorted_times[begin:end]
        mine, theirs = order[begin:end][hit], by_time[at[hit]]
        found.there[mine] = True
        found.values[mine] = wire.read_floats(results)[theirs]
        lines = (texts or b"").split(b"\n")
        for row, line in zip(mine.tolist(), theirs.tolist(), strict=True):
            found.parameters[row] = lines[line]
    return found


def same_object(stands: bytes, new: bytes) -> bool:
    """Whether two JSON texts are the same object, however they are written; b"" and {} are none."""
    if stands == new:
        return True
    return (msgspec.json.decode(stands or b"{}") or None) == (msgspec.json.decode(new or b"{}") or None)
