"""The write path: one batch of Observations into the store and the committed stream, in the caller's transaction.

    batch --sorted--> SAVEPOINT, binary COPY into observation --ok---------------------> committed_append
                                    | unique violation                                        ^
                                    v                                                         |
                      ROLLBACK TO, COPY into staging, INSERT … ON CONFLICT DO NOTHING --the rows that are new

Reasons and measurements: docs/adr/0020-write-path.md.
"""

from typing import LiteralString, NamedTuple

import numpy as np
import psycopg
from numpy.typing import NDArray

from tram.clock import SECOND
from tram.errors import PayloadError
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
    if int(batch.phenomenon_time.min()) < EARLIEST or int(batch.phenomenon_time.max()) > LATEST:
        raise PayloadError("a phenomenonTime lies outside the years 1 to 9999", code="time")
    # One order for all writers: two that store the same rows wait for each other, and never deadlock. It also makes the
    # index cheaper to fill.
    batch = batch.take(np.lexsort((batch.phenomenon_time, batch.datastream_id)))
    batch.result[np.isinf(batch.result)] = np.nan  # `take` has made a copy; the stream says what the table says
    queries = sqlfile.load("observations")
    # One cursor for all: in a small batch the round trips and objects are what costs.
    with available(), conn.cursor(binary=True) as cursor:
        try:
            cursor.execute(queries["savepoint"])
            try:
                _copy(cursor, batch, queries["copy_plain"], queries["copy_all"])
            except psycopg.errors.UniqueViolation:
                cursor.execute(queries["rollback"])
                batch = batch.take(_first_of_each(batch))
                batch = batch.take(_insert_new(cursor, batch))
            # The savepoint is not released: the commit does that without a round trip of its own.
        except psycopg.DataError as error:
            first = str(error).strip().splitlines()[0]
            raise PayloadError(f"the database refuses a row: {first}", code="row") from error
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


def _insert_new(cursor: Cursor, batch: Batch) -> NDArray[np.intp]:
    """Inserts what is not there yet of a sorted batch without repeats; returns the indices of what was inserted."""
    queries = sqlfile.load("observations")
    cursor.execute(queries["staging"])
    cursor.execute(queries["staging_clear"])
    _copy(cursor, batch, queries["staging_plain"], queries["staging_all"])
    result = cursor.execute(queries["insert_staged"]).pgresult
    assert result is not None
    ids = wire.read_array(result.get_value(0, 0), 4)
    times = wire.from_postgres(wire.read_array(result.get_value(0, 1), 8))
    if len(ids) in (0, len(batch)):
        return np.arange(len(ids))
    # Ours and theirs together, sorted: one of ours that is followed by its twin was inserted.
    all_ids = np.concatenate([batch.datastream_id.astype(np.int64), ids])
    all_times = np.concatenate([batch.phenomenon_time, times])
    order = np.lexsort((all_times, all_ids))
    all_ids, all_times = all_ids[order], all_times[order]
    twin = (all_ids[:-1] == all_ids[1:]) & (all_times[:-1] == all_times[1:])
    return np.sort(order[:-1][twin])
