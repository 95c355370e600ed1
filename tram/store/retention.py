"""How long data is kept, by ObservedProperty and level (raw, 1m, 1h, 1d), and what removes the rest on every edition.

Cuts fall on the province's midnights, so a bucket is kept or gone as a whole. Whole chunks are dropped where all of a
chunk may go; elsewhere rows are deleted in bounded steps. What retention removes is not told to the committed stream:
rollups of removed raw rows stand until their own time is over.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from psycopg import sql

from tram.errors import NotFoundError, PayloadError
from tram.store import edition, sqlfile
from tram.store.database import Connection, available

LEVELS = ("raw", "1m", "1h", "1d")
STEP = 20_000
"""Most rows that one step deletes (dropped chunks do not count)."""
COMPRESS_DAYS = 7
_TABLES = {"raw": ("observation", "phenomenon_time"), **{k: (f"rollup_{k}", "bucket") for k in LEVELS[1:]}}
_CHUNKED = ("raw", "1m")


@dataclass(frozen=True, slots=True)
class Policy:
    """Days that a level of a property is kept; None: for ever. The property "" counts where there is no other."""

    property: str
    level: str
    keep_days: int | None


class Doomed(NamedTuple):
    """What would go: rows of a property's level before `cut`, the oldest at `oldest`."""

    property: str
    level: str
    cut: datetime
    rows: int
    oldest: datetime | None


def list_policies(conn: Connection) -> list[Policy]:
    """All rows, by property and level."""
    with available():
        return [Policy(*row) for row in conn.execute(sqlfile.load("retention")["list"])]


def put(conn: Connection, policies: Sequence[Policy]) -> None:
    """Sets policies. Never commits.

    Raises:
        NotFoundError: no such ObservedProperty.
        PayloadError: no such level, or days that are none.
    """
    queries = sqlfile.load("retention")
    with available():
        for policy in policies:
            if policy.level not in LEVELS:
                raise PayloadError(f"{policy.level!r} is no level: raw, 1m, 1h or 1d", code="level")
            if policy.keep_days is not None and not 1 <= policy.keep_days <= 100_000:
                raise PayloadError("a policy keeps 1 to 100000 days, or for ever", code="days")
            row = conn.execute(queries["property_exists"], (policy.property,)).fetchone()
            if policy.property and (row is None or not row[0]):
                raise NotFoundError(f"there is no ObservedProperty {policy.property!r}")
            conn.execute(queries["put"], (policy.property, policy.level, policy.keep_days))


def forget(conn: Connection, property: str, level: str) -> None:
    """Takes a policy away: then that of "" counts. Raises NotFoundError. Never commits."""
    with available():
        if conn.execute(sqlfile.load("retention")["forget"], (property, level)).rowcount == 0:
            raise NotFoundError(f"there is no policy of {property!r} for {level!r}")


def doomed(conn: Connection, utc_offset: int) -> list[Doomed]:
    """What the policies would remove now. It counts: that may take a while."""
    found = []
    with available():
        for property, level, cut in _cuts(conn, utc_offset):
            row = conn.execute(_on("count_old", level), {"property": property, "cut": cut}).fetchone()
            assert row is not None
            if row[0]:
                found.append(Doomed(property, level, cut, int(row[0]), row[1]))
    return found


class Step(NamedTuple):
    """What a step removed: rows, and whole chunks; whether there is more."""

    rows: int
    more: bool
    chunks: int = 0


def step(conn: Connection, utc_offset: int, rows: int = STEP) -> Step:
    """Removes some of it. Never commits: commit, and call again while there is more."""
    queries = sqlfile.load("retention")
    chunks = 0
    with available():
        cuts = _cuts(conn, utc_offset)
        for level in _CHUNKED:
            chunks += _drop_whole(conn, level, [(property, cut) for property, at, cut in cuts if at == level])
        left = rows
        for property, level, cut in cuts:
            ids = [row[0] for row in conn.execute(_on("with_old_rows", level), {"property": property, "cut": cut})]
            if level == "raw":
                conn.execute(queries["note_cut"], {"property": property, "cut": cut})
            touched = []
            for id in ids:
                if left <= 0:
                    break
                arguments = {"id": id, "cut": cut, "rows": left}
                until = conn.execute(_on("step_cut", level), arguments).fetchone()
                left -= conn.execute(_on("delete_old", level), {"id": id, "cut": until[0] if until else cut}).rowcount
                touched.append(id)
            if touched and level == "raw":
                conn.execute(queries["firsts"], {"ids": touched})
            if left <= 0:
                return Step(rows - left, more=True, chunks=chunks)
        edition.compress_old(conn, "observation", COMPRESS_DAYS)
    return Step(rows - left, more=False, chunks=chunks)


def _drop_whole(conn: Connection, level: str, cuts: Sequence[tuple[str, datetime]]) -> int:
    """Drops chunks in which nothing is to be kept: every property has a cut after them; how many."""
    if not cuts:
        return 0
    row = conn.execute(sqlfile.load("retention")["all_bounded"], ([property for property, _ in cuts],)).fetchone()
    if row is None or not row[0]:
        return 0
    before = min(cut for _, cut in cuts)
    table = _TABLES[level][0]
    if not edition.old_chunks(conn, table, before):
        return 0
    if level == "raw":
        for property, cut in cuts:
            conn.execute(sqlfile.load("retention")["note_cut"], {"property": property, "cut": cut})
    ids = [row[0] for property, _ in cuts
           for row in conn.execute(_on("with_old_rows", level), {"property": property, "cut": before})]  # fmt: skip
    dropped = edition.drop_chunks(conn, table, before)
    if level == "raw":
        conn.execute(sqlfile.load("retention")["firsts"], {"ids": ids})
    return dropped


def _cuts(conn: Connection, utc_offset: int) -> list[tuple[str, str, datetime]]:
    return [(row[0], row[1], row[2]) for row in conn.execute(sqlfile.load("retention")["cuts"], {"offset": utc_offset})]


def _on(query: str, level: str) -> sql.Composed:
    table, time = _TABLES[level]
    return sql.SQL(sqlfile.load("retention")[query]).format(table=sql.Identifier(table), time=sql.Identifier(time))
