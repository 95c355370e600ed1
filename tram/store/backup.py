"""Backup and restore, alike on every edition: each table as binary COPY in pieces, each with its count and SHA-256.

    FOLDER/manifest.json                     what was taken, when, of which migrations
    FOLDER/<schema>.<table>.<n>.copy.gz      rows in a fixed order; large tables by ranges of Datastreams

A backup is one snapshot: the system runs meanwhile. Because rows are in a fixed order, reading them back out of the
restored database must give the same bytes: that is what `restore` verifies, piece by piece. Not in it: the committed
stream (an hour of what is in `observation` anyway), the process table. See docs/guides/data.md.
"""

import gzip
import hashlib
import json
import os
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from psycopg import IsolationLevel, sql

from tram.errors import TramError
from tram.store import edition, sqlfile
from tram.store.database import Connection, available
from tram.store.migrate import migrate
from tram.store.rollups import Rollups

MANIFEST = "manifest.json"
FORMAT = 1
LEFT_OUT = frozenset({"public.committed", "public.migration", "public.process", "public.rollup_ahead"})
BY_DATASTREAM = {"public.observation": "phenomenon_time", "public.rollup_1m": "bucket", "public.rollup_1h": "bucket"}
DATASTREAMS = 50  # of one piece

Say = Callable[[str], None]


class BackupError(TramError):
    """A backup that is not whole, does not fit, or was restored to something else. One line says what."""

    code = "backup"
    permanent = True


@dataclass(frozen=True, slots=True)
class Piece:
    """Rows of a table: all, or those of low <= datastream_id < high (None: no limit)."""

    file: str
    table: str
    columns: Sequence[str]
    low: int | None
    high: int | None
    rows: int = 0
    sha256: str = ""


def backup(conn: Connection, folder: Path, say: Say = lambda line: None) -> int:
    """Writes a backup into a new (or empty) folder; returns the number of rows. The manifest comes last.

    The connection must have no transaction under way.

    Raises:
        BackupError: the folder holds something.
        UnavailableError: the database went away: begin again.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise BackupError(f"{folder} is not empty: name a new folder")
    queries = sqlfile.load("backup")
    with available():
        conn.isolation_level = IsolationLevel.REPEATABLE_READ
        try:
            conn.execute("SET LOCAL statement_timeout = 0")
            row = conn.execute(queries["snapshot"]).fetchone()
            assert row is not None
            done = []
            for piece in _pieces(conn):
                digest, rows = _write(conn, piece, folder / piece.file)
                done.append(Piece(piece.file, piece.table, piece.columns, piece.low, piece.high, rows, digest))
                say(f"{piece.file}: {rows} rows")
            manifest = {
                "format": FORMAT, "at": row[0].isoformat(), "postgresql": row[1], "stream": row[2],
                "migrations": conn.execute(queries["migrations"]).fetchall(),
                "sequences": conn.execute(queries["sequences"]).fetchall(),
                "pieces": [asdict(piece) for piece in done],
            }  # fmt: skip
        finally:
            conn.rollback()
            conn.isolation_level = None
    part = folder / (MANIFEST + ".part")
    with part.open("w", encoding="utf-8") as file:
        json.dump(manifest, file, ensure_ascii=False, indent=1)
        file.flush()
        os.fsync(file.fileno())
    part.replace(folder / MANIFEST)
    return sum(piece.rows for piece in done)


def verify(folder: Path) -> int:
    """Checks every file against the manifest, without a database; returns the number of rows.

    Raises:
        BackupError: it is not whole.
    """
    rows = 0
    for piece in _read_manifest(folder)[1]:
        digest = hashlib.sha256()
        try:
            with gzip.open(folder / piece.file) as file:
                while block := file.read(1 << 20):
                    digest.update(block)
        except (OSError, EOFError, zlib.error) as error:
            raise BackupError(f"{piece.file} cannot be read: {error}") from None
        if digest.hexdigest() != piece.sha256:
            raise BackupError(f"{piece.file} is not what was written: its checksum differs")
        rows += piece.rows
    return rows


def restore(
    conn: Connection, folder: Path, folders: Sequence[Path] = (), *, utc_offset: int = 7, chunk: float = 86_400.0,
    plain: bool = False, say: Say = lambda line: None,
) -> int:  # fmt: skip
    """Restores into an EMPTY database, verifies every piece by reading it back, and brings the rollups up to date.

    Args:
        folders, chunk, plain: as `migrate` takes them. A backup of one edition may be restored to the other.

    Returns the number of rows. Nothing is restored unless all of it is: one transaction after the migrations.

    Raises:
        BackupError: the database is not empty, the backup is damaged or of another version, or what came back differs.
    """
    verify(folder)
    manifest, pieces = _read_manifest(folder)
    queries = sqlfile.load("backup")
    with available():
        row = conn.execute(queries["empty"]).fetchone()
        conn.rollback()
        if row is None or not row[0]:
            raise BackupError("the database is not empty: restore into a new one")
        migrate(conn, folders, chunk=chunk, plain=plain)
        here = [list(row) for row in conn.execute(queries["migrations"])]
        if here != manifest["migrations"]:
            raise BackupError("the backup is of another version: restore it with that version, then `tram migrate`")
        conn.execute("SET LOCAL statement_timeout = 0")
        _load(conn, folder, pieces, say)
        for schema, name, value in manifest["sequences"]:
            conn.execute(queries["set_sequence"], (schema, name, value))
        for piece in pieces:
            digest, rows = _write(conn, piece, None)
            if (digest, rows) != (piece.sha256, piece.rows):
                raise BackupError(f"{piece.file}: of {piece.rows} rows {rows} came back, or they differ")
            say(f"{piece.file}: verified")
        conn.execute(queries["trimmed"], (manifest["stream"],))
        conn.commit()
        conn.isolation_level = IsolationLevel.REPEATABLE_READ
        conn.execute("SET LOCAL statement_timeout = 0")
        Rollups(utc_offset).rebuild(conn)
        conn.commit()
        conn.isolation_level = None
    return sum(piece.rows for piece in pieces)


def _load(conn: Connection, folder: Path, pieces: Sequence[Piece], say: Say) -> None:
    found = {f"{row[0]}.{row[1]}": row for row in conn.execute(sqlfile.load("backup")["tables"])}
    tables = list(dict.fromkeys(piece.table for piece in pieces))
    for table in tables:
        if table not in found:
            raise BackupError(f"the backup has a table {table} that this version does not know")
    chunked = edition.hypertables(conn)  # their only trigger is the extension's
    guarded = [table for table in tables if found[table][4] and table.removeprefix("public.") not in chunked]
    for table in guarded:  # rows come back as they were: what happened then does not happen again
        conn.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(_name(table)))
    # What migrations have put there themselves is in the backup too.
    conn.execute(sql.SQL("TRUNCATE {} CASCADE").format(sql.SQL(", ").join(_name(table) for table in tables)))
    for table in _parents_first(tables, {table: list(found[table][3]) for table in tables}):
        for piece in (piece for piece in pieces if piece.table == table):
            columns = sql.SQL(", ").join(map(sql.Identifier, piece.columns))
            query = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(_name(table), columns)
            with gzip.open(folder / piece.file) as file, conn.cursor().copy(query) as copy:
                while block := file.read(1 << 18):
                    copy.write(block)
            say(f"{piece.file}: {piece.rows} rows")
    for table in guarded:
        conn.execute(sql.SQL("ALTER TABLE {} ENABLE TRIGGER USER").format(_name(table)))


def _parents_first(tables: Sequence[str], parents: dict[str, list[str]]) -> list[str]:
    ordered: list[str] = []

    def visit(table: str, above: tuple[str, ...]) -> None:
        if table in ordered or table in above or table not in parents:
            return
        for parent in parents[table]:
            visit(parent, (*above, table))
        ordered.append(table)

    for table in tables:
        visit(table, ())
    return ordered


def _pieces(conn: Connection) -> Iterator[Piece]:
    queries = sqlfile.load("backup")
    ids = [row[0] for row in conn.execute(queries["ids"])]
    edges = [None, *ids[DATASTREAMS::DATASTREAMS], None]
    for schema, name, columns, *_ in conn.execute(queries["tables"]).fetchall():
        table = f"{schema}.{name}"
        if table in LEFT_OUT:
            continue
        spans = list(pairwise(edges)) if table in BY_DATASTREAM else [(None, None)]
        for number, (low, high) in enumerate(spans):
            yield Piece(f"{table}.{number}.copy.gz", table, list(columns), low, high)


def _write(conn: Connection, piece: Piece, path: Path | None) -> tuple[str, int]:
    """Reads a piece from the database, into a file if one is named; (SHA-256, rows)."""
    time = BY_DATASTREAM.get(piece.table)
    where: list[sql.Composable] = []
    if piece.low is not None:
        where.append(sql.SQL("datastream_id >= {}").format(sql.Literal(piece.low)))
    if piece.high is not None:
        where.append(sql.SQL("datastream_id < {}").format(sql.Literal(piece.high)))
    order: sql.Composable = sql.SQL('t::text COLLATE "C"')
    if time:
        order = sql.SQL("datastream_id, {}").format(sql.Identifier(time))
    query = sql.SQL("SELECT {} FROM {} t{} ORDER BY {}").format(
        sql.SQL(", ").join(map(sql.Identifier, piece.columns)), _name(piece.table),
        sql.SQL(" WHERE ") + sql.SQL(" AND ").join(where) if where else sql.SQL(""), order,
    )  # fmt: skip
    digest = hashlib.sha256()
    with gzip.open(path or os.devnull, "wb", compresslevel=1) as out, conn.cursor() as cursor:
        with cursor.copy(sql.SQL("COPY ({}) TO STDOUT (FORMAT binary)").format(query)) as copy:
            for block in copy:
                digest.update(block)
                if path:
                    out.write(block)
        return digest.hexdigest(), cursor.rowcount


def _name(table: str) -> sql.Identifier:
    return sql.Identifier(*table.split(".", 1))


def _read_manifest(folder: Path) -> tuple[dict[str, Any], list[Piece]]:
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if manifest["format"] != FORMAT:
            raise BackupError(f"{folder} is a backup of format {manifest['format']}, not {FORMAT}")
        datetime.fromisoformat(manifest["at"])
        return manifest, [Piece(**piece) for piece in manifest["pieces"]]
    except OSError as error:
        raise BackupError(f"{folder} is no whole backup: {MANIFEST}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError) as error:
        raise BackupError(f"{folder}/{MANIFEST} cannot be read: {error}") from None
