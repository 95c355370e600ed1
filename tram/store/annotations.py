"""Notes on charts: what somebody knows of a moment or a stretch of time, of one Datastream or of a whole area."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg.errors import ForeignKeyViolation

from tram.errors import NotFoundError, PayloadError
from tram.store import sqlfile
from tram.store.batch import storable_text
from tram.store.database import Connection, available

MOST = 10_000
"""Notes of one Datastream or area."""
MOST_TEXT = 2000
"""Characters of one."""


@dataclass(frozen=True, slots=True)
class Annotation:
    """One note. `datastream_id` or `area` is set; `thing` is the Datastream's. `ends` equals `starts` for a moment.

    `on`: of the Datastreams that were asked for, those it is about; its own, where none were.
    """

    id: int
    datastream_id: int | None
    area: str | None
    starts: datetime
    ends: datetime
    text: str
    by: str
    by_name: str
    created: datetime
    changed: datetime
    thing: str
    on: Sequence[int]


def listed(
    conn: Connection, datastreams: Sequence[int], areas: Sequence[str], first: datetime, last: datetime, limit: int
) -> list[Annotation]:
    """Those that touch [first, last), the latest first.

    Of these Datastreams, of the areas their Things stand in, of these areas, and of every area above one of them.
    """
    arguments = {
        "datastreams": list(datastreams), "areas": [storable_text(area) for area in areas],
        "first": first, "last": last, "limit": limit,
    }  # fmt: skip
    with available():
        return [Annotation(*row) for row in conn.execute(sqlfile.load("annotations")["list"], arguments)]


def get(conn: Connection, id: int) -> Annotation:
    """Raises NotFoundError."""
    with available():
        row = conn.execute(sqlfile.load("annotations")["get"], (id,)).fetchone()
    if row is None:
        raise NotFoundError(f"there is no annotation {id}")
    return Annotation(*row)


def add(
    conn: Connection, *, datastream: int | None, area: str | None, starts: datetime, ends: datetime, text: str,
    by: str, by_name: str,
) -> Annotation:  # fmt: skip
    """A new note. Never commits.

    Raises:
        NotFoundError: there is no such Datastream or area.
        PayloadError: it has MOST notes already.
    """
    arguments = {
        "datastream": datastream, "area": area, "starts": starts, "ends": ends, "text": storable_text(text), "by": by,
        "by_name": storable_text(by_name), "most": MOST,
    }  # fmt: skip
    with available():
        try:
            row = conn.execute(sqlfile.load("annotations")["add"], arguments).fetchone()
        except ForeignKeyViolation:
            what = f"area {area!r}" if datastream is None else f"Datastream {datastream}"
            raise NotFoundError(f"there is no {what}") from None
    if row is None:
        raise PayloadError(f"it has {MOST} annotations, no more fit: delete some", code="too-many")
    return get(conn, row[0])


def change(conn: Connection, id: int, *, starts: datetime, ends: datetime, text: str, by: str) -> Annotation:
    """Says it otherwise; who wrote it first stays. Never commits. Raises NotFoundError."""
    arguments = {"id": id, "starts": starts, "ends": ends, "text": storable_text(text), "by": by}
    with available():
        conn.execute(sqlfile.load("annotations")["change"], arguments)
    return get(conn, id)


def delete(conn: Connection, id: int) -> None:
    """Takes it away. Never commits."""
    with available():
        conn.execute(sqlfile.load("annotations")["delete"], (id,))
