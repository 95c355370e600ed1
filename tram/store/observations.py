"""The write path: one batch of Observations into the store and the committed stream, in the caller's transaction.

    batch --sorted--> SAVEPOINT, binary COPY into observation --ok---------------------> committed_append
                                    | unique violation                                        ^
                                    v                                                         |
                      ROLLBACK TO, COPY into staging, INSERT … ON CONFLICT DO NOTHING --the rows that are new

Reasons and measurements: docs/adr/0020-write-path.md. `correct`, `put`, `delete` and `delete_interval` change what
stands there already, and tell the stream the same way.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import LiteralString, NamedTuple

import numpy as np
import psycopg
from numpy.typing import ArrayLike, NDArray

from tram.clock import SECOND, from_micros, to_micros
from tram.errors import PayloadError
from tram.quality import Quality
from tram.sensing import Micros
from tram.store import committed, sqlfile, wire
from tram.store.batch import Batch
from tram.store.database import Connection, Cursor, available

EARLIEST = -62_135_596_800 * SECOND  # 0001-01-01T00:00:00Z
LATEST = 253_402_300_800 * SECOND - 1  # 9999-12-31T23:59:59.999999Z


class Written(NamedTuple):
    """What became of a batch.

    Attributes:
        inserted: rows that are new in the store.
        duplicates: rows whose (datastream, phenomenonTime) was there already, or came twice in the batch: unchanged.
        seq: the batch's number in the committed stream, or None when nothing was new.
    """

    inserted: int
    duplicates: int
    seq: int | None


def write(conn: Connection, batch: Batch) -> Written:
    """Stores the rows that are new, appends exactly those to the committed stream, and notifies its readers.

    Of rows with the same key the first is stored. In the stream the rows stand by (datastream_id, phenomenon_time).

    Never commits: the caller owns the transaction. Call it LAST in that transaction: it takes the stream's lock, so
    that other writers wait from here until the commit. The transaction must be READ COMMITTED (the default).

    Raises:
        PayloadError: a row that can never be stored (a time outside the years 1 to 9999, bytes that are no JSON). The
            transaction must be rolled back.
        UnavailableError: the database is away or busy; roll back and try the same batch again.
    """
    n = len(batch)
    if n == 0:
        return Written(0, 0, None)
    _check_times(batch)
    # One order for all writers: two that store the same rows wait for each other, and never deadlock. It also makes the
    # index cheaper to fill.
    order = np.lexsort((batch.phenomenon_time, batch.datastream_id))
    in_order = bool((order[1:] > order[:-1]).all())
    batch = replace(batch, result=batch.result.copy()) if in_order else batch.take(order)
    batch.result[np.isinf(batch.result)] = np.nan  # in the copy; the stream says what the table says
    queries = sqlfile.load("observations")
    # One cursor for all: in a small batch the round trips and objects are what costs.
    with available(), conn.cursor(binary=True) as cursor:
        with _refused_rows():
            cursor.execute(queries["savepoint"])
            try:
                _copy(cursor, batch, queries["copy_plain"], queries["copy_all"])
            except psycopg.errors.UniqueViolation:
                cursor.execute(queries["rollback"])
                batch = batch.take(_first_of_each(batch))
                _stage(cursor, batch)
                batch = batch.take(_answered(cursor, batch, queries["insert_staged"]))
            # The savepoint is not released: the commit does that without a round trip of its own.
        if len(batch) == 0:
            return Written(0, n, None)
        seq = committed.append(cursor, committed.Op.INSERT, batch)
    return Written(len(batch), n - len(batch), seq)


def _copy(cursor: Cursor, batch: Batch, plain_sql: LiteralString, all_sql: LiteralString) -> None:
    plain, others = wire.split(batch)
    for rows, query, encode in ((plain, plain_sql, wire.plain_rows), (others, all_sql, wire.all_rows)):
        if len(rows):
            with cursor.copy(query) as copy:
                copy.write(encode(batch if len(rows) == len(batch) else batch.take(rows)))


def _first_of_each(batch: Batch) -> NDArray[np.intp]:
    """Indices of the first row of each key of a sorted batch."""
    first = np.ones(len(batch), bool)
    ids, times = batch.datastream_id, batch.phenomenon_time
    first[1:] = (ids[1:] != ids[:-1]) | (times[1:] != times[:-1])
    return np.flatnonzero(first)


def _last_of_each(batch: Batch) -> Batch:
    """The last row of each key, by (datastream, time): a copy, fit to be stored. Raises PayloadError."""
    _check_times(batch)
    order = np.lexsort((batch.phenomenon_time, batch.datastream_id))  # stable: the last comes last
    ids, times = batch.datastream_id[order], batch.phenomenon_time[order]
    last = np.ones(len(order), bool)
    last[:-1] = (ids[1:] != ids[:-1]) | (times[1:] != times[:-1])
    batch = batch.take(order[last])
    batch.result[np.isinf(batch.result)] = np.nan
    return batch


def _stage(cursor: Cursor, batch: Batch) -> None:
    queries = sqlfile.load("observations")
    cursor.execute(queries["staging"])
    cursor.execute(queries["staging_clear"])
    _copy(cursor, batch, queries["staging_plain"], queries["staging_all"])


def _answered(
    cursor: Cursor, batch: Batch, query: LiteralString, arguments: tuple[object, ...] = ()
) -> NDArray[np.intp]:
    """The indices of the rows of a sorted batch without repeats that the query's answer, two arrays of keys, names."""
    result = cursor.execute(query, arguments or None).pgresult
    assert result is not None
    ids = wire.read_array(result.get_value(0, 0), 4)
    times = wire.from_postgres(wire.read_array(result.get_value(0, 1), 8))
    if len(ids) in (0, len(batch)):
        return np.arange(len(ids))
    # Ours and theirs together, sorted: one of ours that is followed by its twin is named.
    all_ids = np.concatenate([batch.datastream_id.astype(np.int64), ids])
    all_times = np.concatenate([batch.phenomenon_time, times])
    order = np.lexsort((all_times, all_ids))
    all_ids, all_times = all_ids[order], all_times[order]
    twin = (all_ids[:-1] == all_ids[1:]) & (all_times[:-1] == all_times[1:])
    return np.sort(order[:-1][twin])


def _check_times(batch: Batch) -> None:
    if int(batch.phenomenon_time.min()) < EARLIEST or int(batch.phenomenon_time.max()) > LATEST:
        raise PayloadError("a phenomenonTime lies outside the years 1 to 9999", code="time")


@contextmanager
def _refused_rows() -> Iterator[None]:
    try:
        yield
    except psycopg.DataError as error:
        first = str(error).strip().splitlines()[0]
        raise PayloadError(f"the database refuses a row: {first}", code="row") from error


class Corrected(NamedTuple):
    """What became of a batch of corrections.

    Attributes:
        corrected: rows that were there and are now as the batch says.
        missing: rows of the batch whose (datastream, phenomenonTime) is not in the store: nothing was made of them.
        seq: the batch's number in the committed stream, or None when nothing was corrected.
    """

    corrected: int
    missing: int
    seq: int | None


def correct(conn: Connection, batch: Batch) -> Corrected:
    """Makes rows that are there what the batch says, value, quality and parameters, and tells the committed stream.

    Quality.CORRECTED is added to each row's quality. Of rows with the same key the last counts. A row whose time is to
    change is deleted and written anew. Never commits; call it last in the transaction, as `write`.

    Raises:
        PayloadError: a row that can never be stored; the transaction must be rolled back.
        UnavailableError: the database is away or busy; roll back and try again.
    """
    if len(batch) == 0:
        return Corrected(0, 0, None)
    batch = _last_of_each(batch)
    batch.quality[:] |= np.int16(Quality.CORRECTED)
    n = len(batch)
    queries = sqlfile.load("observations")
    span = (from_micros(int(batch.phenomenon_time.min())), from_micros(int(batch.phenomenon_time.max())))
    with available(), conn.cursor(binary=True) as cursor:
        with _refused_rows():
            _stage(cursor, batch)
            with _by_index(cursor):
                cursor.execute(queries["lock_staged"], span)
                batch = batch.take(_answered(cursor, batch, queries["correct_staged"], span))
        if len(batch) == 0:
            return Corrected(0, n, None)
        seq = committed.append(cursor, committed.Op.CORRECT, batch)
    return Corrected(len(batch), n - len(batch), seq)


class Put(NamedTuple):
    """What became of a batch of which most was there already.

    Attributes:
        inserted: rows that were not there, and are.
        corrected: rows that were, and are now as the batch says.
    """

    inserted: int
    corrected: int


def put(conn: Connection, batch: Batch) -> Put:
    """Makes rows what the batch says, whether they are there or not, and tells the committed stream which were.

    As `correct` where they are there, and cheaper for many: the index is asked once a row, by the insertion, in the one
    chunk where the row goes. Never commits; call it last in the transaction, as `write`.

    Raises:
        PayloadError: a row that can never be stored; the transaction must be rolled back.
        UnavailableError: the database is away or busy; roll back and try again.
    """
    if len(batch) == 0:
        return Put(0, 0)
    batch = _last_of_each(batch)
    query = sqlfile.load("observations")["put_staged"]
    with available(), conn.cursor(binary=True) as cursor:
        with _refused_rows():
            _stage(cursor, batch)
            there = _answered(cursor, batch, query, (int(Quality.CORRECTED),))
        rest = np.ones(len(batch), bool)
        rest[there] = False
        if rest.any():
            committed.append(cursor, committed.Op.INSERT, batch.take(np.flatnonzero(rest)))
        if len(there):
            batch.quality[there] |= np.int16(Quality.CORRECTED)
            committed.append(cursor, committed.Op.CORRECT, batch.take(there) if rest.any() else batch)
    return Put(len(batch) - len(there), len(there))


class Deleted(NamedTuple):
    """What was removed.

    Attributes:
        removed: rows.
        seq: their number in the committed stream, or None when there were none.
        more: rows of the interval are left: commit, and call again.
    """

    removed: int
    seq: int | None
    more: bool = False


def delete(conn: Connection, datastream_ids: ArrayLike, phenomenon_times: ArrayLike) -> Deleted:
    """Removes the rows with these keys that are there, and tells the committed stream what they were.

    Args:
        datastream_ids: shape (n,), integers.
        phenomenon_times: shape (n,), microseconds since 1970.

    Never commits; call it last in the transaction. UnavailableError: roll back and try again.
    """
    ids = np.asarray(datastream_ids, np.int32)
    times = np.asarray(phenomenon_times, np.int64)
    inside = (times >= EARLIEST) & (times <= LATEST)
    ids, times = ids[inside], times[inside]
    if len(ids) == 0:
        return Deleted(0, None)
    queries = sqlfile.load("observations")
    keys = Batch(ids, times, np.full(len(ids), np.nan), np.zeros(len(ids), np.int16))
    keys = keys.take(np.lexsort((times, ids)))
    keys = keys.take(_first_of_each(keys))
    span = (from_micros(int(times.min())), from_micros(int(times.max())))
    with available(), conn.cursor(binary=True) as cursor:
        _stage(cursor, keys)
        with _by_index(cursor):
            cursor.execute(queries["lock_staged"], span)
            cursor.execute(queries["delete_staged"], span)
            rows = cursor.fetchall()
        return _deleted(cursor, rows, more=False)


def delete_interval(conn: Connection, datastream_id: int, start: Micros, end: Micros, *, rows: int = 50_000) -> Deleted:
    """Removes the earliest `rows` rows of a Datastream with start <= phenomenonTime < end, and tells the stream.

    A large interval goes in pieces: commit and call again while `more`. Never commits; call it last.
    """
    first, last = max(start, EARLIEST), min(end - 1, LATEST)
    if first > last:
        return Deleted(0, None)
    queries = sqlfile.load("observations")
    span: dict[str, object] = {
        "datastream": datastream_id, "start": from_micros(first), "last": from_micros(last), "rows": rows
    }  # fmt: skip
    with available(), conn.cursor(binary=True) as cursor:
        cut = cursor.execute(queries["interval_cut"], span).fetchone()
        if cut is not None:
            span["last"] = from_micros(to_micros(cut[0]) - 1)
        found = cursor.execute(queries["delete_interval"], span).fetchall()
        return _deleted(cursor, found, more=cut is not None)


def _deleted(cursor: Cursor, rows: list[tuple[object, ...]], *, more: bool) -> Deleted:
    if not rows:
        return Deleted(0, None, more)
    batch = rows_to_batch(rows)
    return Deleted(len(batch), committed.append(cursor, committed.Op.DELETE, batch), more)


def rows_to_batch(rows: list[tuple[object, ...]]) -> Batch:
    """(datastream_id, microseconds since 1970, quality, result with NaN, and three JSON texts) rows, sorted by key."""
    ids, times, quality, result, json, parameters, extra = zip(*rows, strict=True)
    batch = Batch(
        np.array(ids, np.int32),
        np.array(times, np.int64),
        np.array(result, np.float64),
        np.array(quality, np.int16),
        {i: str(value).encode() for i, value in enumerate(json) if value is not None},
        {i: str(value).encode() for i, value in enumerate(parameters) if value is not None},
        {i: str(value).encode() for i, value in enumerate(extra) if value is not None},
    )
    return batch.take(np.lexsort((batch.phenomenon_time, batch.datastream_id)))


@contextmanager
def _by_index(cursor: Cursor) -> Iterator[None]:
    """Finds staged keys in `observation` by its index: the planner knows nothing of how few they are."""
    queries = sqlfile.load("observations")
    cursor.execute(queries["index_only"])
    yield
    cursor.execute(queries["index_only_no_more"])
