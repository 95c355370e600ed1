"""The write path: one batch of Observations into the store and the committed stream, in the caller's transaction."""

from typing import NamedTuple

from tram.store.batch import Batch
from tram.store.database import Connection


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

    Never commits: the caller owns the transaction. Call it LAST in that transaction: it takes the stream's lock, so
    that other writers wait from here until the commit. The transaction must be READ COMMITTED (the default).

    Raises:
        PayloadError: a row that can never be stored (a time outside the years 1 to 9999, bytes that are no JSON).
        UnavailableError: the database is away or busy; roll back and try the same batch again.
    """
    raise NotImplementedError
