"""What of a service's values stands already: nothing is written that is there, and what changed is a correction."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from services.city.inputs import QUERIES
from tram.store import wire
from tram.store.database import Connection, available

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


class Compared(NamedTuple):
    """n results beside what stands at their keys (Datastream, phenomenonTime); shapes (n,).

    Attributes:
        there: something stands there.
        same: it is the same: value and parameters.
    """

    there: Bools
    same: Bools


def compared(conn: Connection, ids: NDArray[np.int32], times: Ints, values: Floats, told: Sequence[bytes]) -> Compared:
    """Compares results with what stands at these keys; they may come in any order, and twice.

    Everything between the first and the last time of a Datastream is read: results are of buckets in a row.

    Args:
        values: NaN: no number.
        told: parameters, JSON; b"": none.

    Raises:
        UnavailableError: roll back and try again.
    """
    n = len(ids)
    found = Compared(np.zeros(n, bool), np.zeros(n, bool))
    if n == 0:
        return found
    order = np.lexsort((times, ids))
    ids, times, values = ids[order], times[order], values[order]
    told = [told[row] for row in order.tolist()]
    begins = np.flatnonzero(np.concatenate([[True], ids[1:] != ids[:-1]]))
    ends = np.append(begins[1:], n)
    # Of all, too: the planner looks only at the chunks of that time.
    least, most = wire.timestamps(np.array([times.min(), times.max()]))
    arguments = {
        "ids": ids[begins].tolist(), "first": wire.timestamps(times[begins]), "last": wire.timestamps(times[ends - 1]),
        "least": least, "most": most,
    }  # fmt: skip
    spans = {id: slice(*span) for id, *span in zip(ids[begins].tolist(), begins.tolist(), ends.tolist(), strict=True)}
    with available(), conn.cursor(binary=True) as cursor:
        rows = wire.raw(cursor, QUERIES["held"], arguments)
    for id, stored, results, texts in rows:
        mine = spans[wire.read_int(id)]
        stands = wire.from_postgres(wire.read_array(stored, 8))
        found.there[order[mine]], found.same[order[mine]] = _beside(
            stands, wire.read_floats(results), texts or b"", times[mine], values[mine], told[mine]
        )
    return found


def _beside(
    stands: Ints, results: Floats, texts: bytes, times: Ints, values: Floats, told: Sequence[bytes]
) -> tuple[Bools, Bools]:
    """One Datastream: what stands (`texts`: a line each), and the new, by time."""
    if len(stands) == len(times) and (stands == times).all():
        same = _equal(results, values)
        if texts != b"\n".join(told):  # one look at all of them is the usual case
            same[same] = _same_told(texts.split(b"\n"), told, np.flatnonzero(same), np.flatnonzero(same))
        return np.ones(len(times), bool), same
    by_time = np.argsort(stands, kind="stable")
    stands = stands[by_time]
    at = np.minimum(np.searchsorted(stands, times), len(stands) - 1)
    there, at = stands[at] == times, by_time[at]
    same = there & _equal(results[at], values)
    same[same] = _same_told(texts.split(b"\n"), told, at[same], np.flatnonzero(same))
    return there, same


def _equal(stands: Floats, values: Floats) -> Bools:
    return np.asarray((stands == values) | (np.isnan(stands) & ~np.isfinite(values)))


def _same_told(stands: Sequence[bytes], new: Sequence[bytes], theirs: Ints, mine: Ints) -> list[bool]:
    pairs = zip(theirs.tolist(), mine.tolist(), strict=True)
    return [stands[a] == new[b] or _same_object(stands[a], new[b]) for a, b in pairs]


def _same_object(stands: bytes, new: bytes) -> bool:
    """Whether two JSON texts are the same object, however they are written; b"" and {} are none."""
    return (msgspec.json.decode(stands or b"{}") or None) == (msgspec.json.decode(new or b"{}") or None)
