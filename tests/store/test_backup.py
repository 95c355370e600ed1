"""Backup and restore on both editions, and from one to the other."""

import gzip
import json
from pathlib import Path

import psycopg
import pytest

from tests.databases import Database, Server
from tests.store.conftest import MakeBatch
from tram.commands.migrate import folders
from tram.sensing import Location, Thing
from tram.settings import Settings
from tram.store import areas, backup, database, observations, people, registry, series
from tram.store.backup import BackupError
from tram.store.registry import Key, Resolved
from tram.store.rollups import Rollups

T0 = 1_780_012_800_000_000
COUNTED = ("observation", "rollup_1m", "rollup_1h", "rollup_1d", "latest", "thing", "area", "datastream", "account")


def counts(conn: database.Connection) -> dict[str, tuple[int, str]]:
    found = {}
    for table in COUNTED:
        hashed = "SELECT count(*), coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '') FROM {} t"
        row = conn.execute(psycopg.sql.SQL(hashed).format(psycopg.sql.Identifier(table))).fetchone()
        assert row is not None
        found[table] = (row[0], row[1])
    return found


def test_what_was_backed_up_comes_back(database: Database, server: Server, tmp_path: Path, batch: MakeBatch) -> None:
    conn = database.connect()
    areas.seed(conn)
    registry.put(conn, Thing("aq", label="Đo khí", location=Location(105.8, 21.6), area="05443"))
    people.add(conn, "an", name="An", password=None)
    keys = [Key(f"t{k}", "pm10") for k in range(60)]
    ids = [a.datastream_id for a in registry.resolve(conn, keys, "open").values() if isinstance(a, Resolved)]
    observations.write(conn, batch([(id, T0 + k * 3_600_000_000, k / 7) for id in ids for k in range(40)]))
    kept = Rollups(7)
    kept.start(conn)
    kept.step(conn)
    observations.write(conn, batch([(ids[0], T0 - 1, 1.0)]))  # the rollups have not read this yet
    conn.commit()
    folder = tmp_path / "backup"
    rows = backup.backup(conn, folder)
    assert backup.verify(folder) == rows > 60 * 40
    while kept.step(conn).batches:
        conn.commit()
    conn.commit()
    before = counts(conn)
    values = series.latest(conn)
    # To the other edition where that is there, else to the same.
    other = server.create()
    plain = database.edition != "plain"
    try:
        settings = Settings(database_url=server.url(other), database_timeout=60.0)
        target = database_connect(settings)
        with target:
            assert backup.restore(target, folder, folders(), plain=plain) == rows
            assert counts(target) == before
            assert series.latest(target) == values
            observations.write(target, batch([(ids[0], T0 - 5, 2.0)]))
            Rollups(7).start(target)
            assert Rollups(7).step(target).rows == 1
            registry.put(target, Thing("new"))
            target.commit()
            with pytest.raises(BackupError, match="not empty"):
                backup.restore(target, folder, folders())
    finally:
        server.drop(other)
    with pytest.raises(BackupError, match="not empty"):
        backup.backup(conn, folder)


def database_connect(settings: Settings) -> database.Connection:
    return database.connect(settings, "test")


def test_a_damaged_backup_is_refused(one_database: Database, tmp_path: Path) -> None:
    conn = one_database.connect()
    areas.seed(conn)
    conn.commit()
    folder = tmp_path / "backup"
    backup.backup(conn, folder)
    piece = folder / "public.area.0.copy.gz"
    whole = piece.read_bytes()
    for damaged in (b"", whole[:-20], gzip.compress(gzip.decompress(whole)[:-30]), b"nothing"):
        piece.write_bytes(damaged)
        with pytest.raises(BackupError, match=r"public\.area"):
            backup.restore(conn, folder, folders())
    piece.unlink()
    with pytest.raises(BackupError):
        backup.verify(folder)
    manifest = json.loads((folder / backup.MANIFEST).read_text())
    for broken in ("", "[]", "{}", json.dumps(manifest | {"format": 99}), json.dumps(manifest | {"pieces": [1]})):
        (folder / backup.MANIFEST).write_text(broken)
        with pytest.raises(BackupError):
            backup.verify(folder)
