"""Real databases for tests: one embedded server a test process, a migrated template an edition, a copy a test."""

import base64
import itertools
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import psycopg
from psycopg import sql

from tram.commands.migrate import folders
from tram.embedded import prefix
from tram.embedded.postgres import PostgresServer
from tram.settings import Settings
from tram.store import database, migrate

EDITIONS = ("timescaledb", "plain")
SECRET_KEY = base64.b64encode(b"a key for tests and nothing else").decode()
MEMORY = Path("/dev/shm")
ROOM = 1 << 30
"""Bytes that must be free there; a server of the tests takes a fifth of it."""
_numbers = itertools.count(1)


@contextmanager
def place(otherwise: Path) -> Iterator[Path]:
    """A folder for a server, in memory where there is room: a copy of a database is a thousand files.

    Else it is `otherwise`, where also is in the end what the server wrote beside its data.
    """
    for left in MEMORY.glob("tram-test-*"):  # of runs that were killed
        if not psutil.pid_exists(int(left.name.rpartition("-")[2])):
            shutil.rmtree(left, ignore_errors=True)
    roomy = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM and psutil.virtual_memory().available > 3 * ROOM
    if not roomy:
        yield otherwise
        return
    folder = MEMORY / f"tram-test-{os.getpid()}"
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.copytree(folder, otherwise, ignore=shutil.ignore_patterns("data"), dirs_exist_ok=True)
        shutil.rmtree(folder, ignore_errors=True)


@dataclass
class Database:
    """An empty, migrated database of one test.

    Attributes:
        edition: "timescaledb" or "plain".
        url: postgresql://…
    """

    edition: str
    url: str
    server: PostgresServer
    _open: list[database.Connection] = field(default_factory=list)

    @property
    def settings(self) -> Settings:
        return Settings(database_url=self.url, secret_key=SECRET_KEY)

    def connect(self, *, autocommit: bool = False) -> database.Connection:
        """A connection that is closed with the test."""
        conn = database.connect(self.settings, "test", autocommit=autocommit)
        self._open.append(conn)
        return conn

    def close(self) -> None:
        for conn in self._open:
            conn.close()


class Server:
    """A server and its templates. With a `port` it can be stopped and started again where it was."""

    def __init__(self, folder: Path, *, port: int = 0, options: str = "") -> None:
        self.postgres = PostgresServer(folder, port, durable=False)
        self.postgres.cluster.prepare()
        lines = [options]
        if prefix.timescaledb_version():
            # Its workers would sit in the templates, and CREATE DATABASE wants those to itself.
            lines.append("timescaledb.max_background_workers = 0")
        (folder / "local.conf").write_text("\n".join(lines) + "\n")
        self.postgres.start()
        self._admin = psycopg.connect(self.postgres.url, autocommit=True)
        self._templates: dict[str, str] = {}

    def missing(self, edition: str) -> str | None:
        """Why there can be no database of this edition."""
        if edition == "timescaledb" and prefix.timescaledb_version() is None:
            return "TimescaleDB is not built: `make timescaledb` builds it"
        return None

    def url(self, name: str) -> str:
        """The address of a database of this server."""
        return psycopg.conninfo.make_conninfo(self.postgres.url, dbname=name)

    def create(self, template: str = "template0") -> str:
        """Makes a database; returns its name."""
        name = f"test_{os.getpid()}_{next(_numbers)}"
        # Where nothing is synced, copying files takes a seventh of the time of the default, a copy through the log.
        query = "CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY"
        self._admin.execute(sql.SQL(query).format(sql.Identifier(name), sql.Identifier(template)))
        return name

    def drop(self, name: str) -> None:
        """Drops a database, with whatever is connected to it."""
        self._admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def template(self, edition: str) -> str:
        """The name of a migrated database to copy."""
        if edition not in self._templates:
            name = self.create()
            with psycopg.connect(self.url(name)) as conn:
                migrate.migrate(conn, folders(), plain=edition == "plain")
            self._templates[edition] = name
        return self._templates[edition]

    @contextmanager
    def database(self, edition: str) -> Iterator[Database]:
        """A migrated database, for as long as the block runs."""
        name = self.create(self.template(edition))
        made = Database(edition, self.url(name), self.postgres)
        try:
            yield made
        finally:
            made.close()
            self.drop(name)

    def close(self) -> None:
        self._admin.close()
        self.postgres.stop()
