"""The ONE module that knows what differs between the database's editions."""

from enum import StrEnum

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
    """The edition of this database: what is installed in it, not what could be."""
    raise NotImplementedError


def adopt(conn: Connection, hypertables: dict[str, str], chunk: float) -> Edition:
    """Brings the database to the best edition its server has, keeping the rows. Runs with every `migrate`.

    Args:
        hypertables: table -> its time column.
        chunk: seconds of one chunk; a change counts for chunks to come.
    """
    raise NotImplementedError
