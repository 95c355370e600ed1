"""Numbered, forward-only migrations: `NNNN_name.sql`, each in one transaction, once, whoever starts first.

A line `-- hypertable: TABLE by COLUMN` in a migration says which table becomes a hypertable where there is TimescaleDB
(tram.store.edition); the rest of the file is plain PostgreSQL.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg

from tram.errors import TramError
from tram.store import edition, sqlfile
from tram.store.database import Connection, available

OWN = Path(__file__).with_name("migrations")
IDENTITY = OWN / "identity"
"""People, audit, events, the wall around clinical data: a folder of its own, with numbers of its own."""
SENSORTHINGS = OWN / "sensorthings"
"""What OGC SensorThings needs beyond the rest: likewise."""
ALARMS = OWN / "alarms"
"""Alarms: rules, what stands, what happened."""
CALCULATED = OWN / "calculated"
"""Calculated Datastreams: likewise."""
NOTICES = OWN / "notices"
"""Notifications and CAP documents: likewise."""
DASHBOARDS = OWN / "dashboards"
"""Dashboards that people compose: likewise."""
_FILE = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")
_HYPERTABLE = re.compile(r"^-- hypertable: (\w+) by (\w+)$", re.MULTILINE)


class MigrationError(TramError):
    """A migration was edited after it was applied, is missing, is misnamed, or failed. One line says which."""

    code = "migration"


@dataclass(frozen=True, slots=True)
class Migration:
    """One file. `folder` is `store`, or the name of the service it belongs to."""

    folder: str
    number: int
    name: str
    text: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the text, hexadecimal. Line endings do not count: a checkout may change them."""
        return hashlib.sha256(self.text.replace("\r\n", "\n").encode()).hexdigest()

    def __str__(self) -> str:
        return f"{self.folder}/{self.number:04}_{self.name}"


def migrate(
    conn: Connection, folders: Sequence[Path] = (), *, chunk: float = 86_400.0, plain: bool = False
) -> list[str]:
    """Applies what is not applied yet: the store's own folders first, then `folders`; returns their names, in order.

    A folder's name in the `migration` table is `store` for the store's own, else the name of the folder that holds
    `migrations` (services/domains/air/migrations -> air). Commits by itself, one transaction a migration, so hand it a
    connection without a transaction under way. Processes that start at once wait for each other.

    Args:
        chunk: settings.observation_chunk: seconds of one chunk of the hypertables.
        plain: use no TimescaleDB even where the server has it.

    Raises:
        MigrationError: see there. What was applied before it stays.
        UnavailableError: the database is away.
    """
    owned = (OWN, IDENTITY, SENSORTHINGS, ALARMS, CALCULATED, NOTICES, DASHBOARDS)
    migrations = [migration for folder in (*owned, *folders) for migration in read(folder)]
    queries = sqlfile.load("migrate")
    hypertables = {t: c for m in migrations for t, c in _HYPERTABLE.findall(m.text)}
    with available():
        before = conn.autocommit
        conn.autocommit = True
        try:
            # Of the session, not of a transaction: it spans them all. Waiting for another starter, and building an
            # index over years of data, may take longer than a query may.
            conn.execute("SET statement_timeout = 0")
            conn.execute("SET lock_timeout = 0")
            conn.execute(queries["lock"])
            try:
                conn.execute(queries["create"])
                done = _pending_after(conn, migrations)
                for migration in done:
                    _apply(conn, migration)
                with conn.transaction():
                    edition.adopt(conn, hypertables, chunk, plain=plain)
            finally:
                if not conn.closed:
                    conn.execute(queries["unlock"])
                    conn.execute("RESET statement_timeout")
                    conn.execute("RESET lock_timeout")
        finally:
            if not conn.closed:
                conn.autocommit = before
    return [str(migration) for migration in done]


def read(folder: Path) -> list[Migration]:
    """The migrations of a folder, by number.

    Raises:
        MigrationError: a .sql file not named NNNN_name.sql, or a number that is there twice or left out.
    """
    owner = "store" if folder == OWN else folder.parent.name if folder.name == "migrations" else folder.name
    found = []
    for file in sorted(folder.glob("*.sql")):
        match = _FILE.fullmatch(file.name)
        if match is None:
            raise MigrationError(f"migration {owner}/{file.name} is misnamed: it should be NNNN_name.sql")
        found.append(Migration(owner, int(match[1]), match[2], file.read_text(encoding="utf-8")))
    for expected, migration in enumerate(found, 1):
        if migration.number != expected:
            raise MigrationError(f"migration {migration}: number {expected:04} was expected here")
    return found


def _pending_after(conn: Connection, migrations: Sequence[Migration]) -> list[Migration]:
    applied = {(folder, number): (name, checksum) for folder, number, name, checksum in
               conn.execute(sqlfile.load("migrate")["applied"])}  # fmt: skip
    known = {(m.folder, m.number) for m in migrations}
    for (folder, number), (name, _) in applied.items():
        # A folder that is not here at all may be a service that was taken out; its tables stay.
        if (folder, number) not in known and any(folder == f for f, _ in known):
            raise MigrationError(
                f"the database has migration {folder}/{number:04}_{name}, which this version does not know: "
                "it is older than the database"
            )
    for m in migrations:
        if (m.folder, m.number) in applied and applied[m.folder, m.number][1] != m.checksum:
            raise MigrationError(
                f"migration {m} was changed after it was applied: put it back and add a new one instead"
            )
    return [m for m in migrations if (m.folder, m.number) not in applied]


def _apply(conn: Connection, migration: Migration) -> None:
    try:
        with conn.transaction():
            # As bytes: a file without parameters may hold % and several statements.
            conn.execute(migration.text.encode())
            row = (migration.folder, migration.number, migration.name, migration.checksum)
            conn.execute(sqlfile.load("migrate")["record"], row)
    except psycopg.OperationalError:
        raise
    except psycopg.Error as error:
        first = str(error).strip().splitlines()[0]
        raise MigrationError(f"migration {migration} failed and was rolled back: {first}") from error
