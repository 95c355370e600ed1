"""The ONE module that knows what differs between the database's editions."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from psycopg import sql

from tram.errors import UnavailableError
from tram.store import sqlfile
from tram.store.database import Connection


class Edition(StrEnum):
    """What the database can do.

    COMMUNITY: TimescaleDB with its Timescale-licensed parts (columnstore, continuous aggregates).
    APACHE: TimescaleDB built from its Apache-2 parts: hypertables only.
    PLAIN: PostgreSQL alone.
    """

    COMMUNITY = "community"
    APACHE = "apache"
    PLAIN = "plain"


def detect(conn: Connection) -> Edition:
    """The edition of this database: what is installed in it, not what could be.

    Raises:
        UnavailableError: the database's tables need TimescaleDB and the server does not load it.
    """
    row = conn.execute(sqlfile.load("edition")["detect"]).fetchone()
    assert row is not None
    installed, loaded, license = row
    if not installed:
        return Edition.PLAIN
    if not loaded:
        raise UnavailableError(
            "this database holds hypertables but its server does not load TimescaleDB: "
            "run `make timescaledb`, or put timescaledb in shared_preload_libraries"
        )
    return Edition.COMMUNITY if license == "timescale" else Edition.APACHE


def adopt(conn: Connection, hypertables: Mapping[str, str], chunk: float, *, plain: bool = False) -> Edition:
    """Brings the database to the best edition its server has, keeping the rows. Runs with every `migrate`.

    A plain database whose server has got TimescaleDB since becomes a TimescaleDB one: its rows move into chunks.
    Without the right to create the extension it stays as it is. Never commits.

    Args:
        hypertables: table -> its time column.
        chunk: seconds of one chunk; a change counts for chunks to come.
        plain: leave TimescaleDB out where it is not in yet.
    """
    queries = sqlfile.load("edition")
    row = conn.execute(queries["available"]).fetchone()
    if row is not None and row[0] and not plain:
        conn.execute("CREATE EXTENSION IF NOT EXISTS timescaledb")
    edition = detect(conn)
    if edition is Edition.PLAIN:
        return edition
    intervals: dict[str, int] = dict(conn.execute(queries["hypertables"]).fetchall())
    for table, column in hypertables.items():
        wanted = round(chunk * 1_000_000)
        if table not in intervals:
            # Without the default index by time: docs/adr/0022-editions.md.
            conn.execute(queries["create_hypertable"], {"table": table, "column": column, "chunk": wanted})
        elif intervals[table] != wanted:
            conn.execute(queries["set_chunk"], {"table": table, "chunk": wanted})
    _forbid_merge_chunks(conn)
    return edition


def hypertables(conn: Connection) -> set[str]:
    """The hypertables of the current schema."""
    if detect(conn) is Edition.PLAIN:
        return set()
    return {str(row[0]) for row in conn.execute(sqlfile.load("edition")["hypertables"])}


def old_chunks(conn: Connection, table: str, before: datetime) -> list[str]:
    """The chunks of a hypertable that lie before a time as a whole; [] where there are none, or no hypertable."""
    if detect(conn) is Edition.PLAIN:
        return []
    arguments = {"table": table, "before": before}
    return [str(row[0]) for row in conn.execute(sqlfile.load("edition")["old_chunks"], arguments)]


def drop_chunks(conn: Connection, table: str, before: datetime) -> int:
    """Drops those chunks; returns how many. Never commits."""
    if not old_chunks(conn, table, before):
        return 0
    return len(conn.execute(sqlfile.load("edition")["drop_chunks"], {"table": table, "before": before}).fetchall())


def compress_old(conn: Connection, table: str, days: int) -> int:
    """Turns one chunk that old into columns, where the licence has that (Community); returns how many: 0 or 1."""
    if detect(conn) is not Edition.COMMUNITY:
        return 0
    queries = sqlfile.load("edition")
    conn.execute(sql.SQL(queries["enable_columnstore"]).format(table=sql.Identifier(table)))
    row = conn.execute(queries["next_to_compress"], {"table": table, "days": days}).fetchone()
    if row is None:
        return 0
    conn.execute(queries["compress_chunk"], {"chunk": row[0]})
    return 1


def _forbid_merge_chunks(conn: Connection) -> None:
    """`CALL merge_chunks(…)` crashes the whole server (2.19.3, Apache): nobody but a superuser may."""
    for (signature,) in conn.execute(sqlfile.load("edition")["merge_chunks"]).fetchall():
        conn.execute(sql.SQL("REVOKE EXECUTE ON PROCEDURE {} FROM PUBLIC").format(sql.SQL(signature)))


def approximate_rows(conn: Connection, table: str) -> int:
    """About how many rows a table or hypertable has, without counting them."""
    queries = sqlfile.load("edition")
    row = conn.execute(queries["approximate_rows"], {"table": table}).fetchone()
    assert row is not None
    rows = int(row[0])
    if detect(conn) is Edition.COMMUNITY:
        row = conn.execute(queries["approximate_rows_compressed"], {"table": table}).fetchone()
        assert row is not None
        rows = max(rows, int(row[0] or 0))
    return rows
