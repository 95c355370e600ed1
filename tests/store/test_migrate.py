"""Migrations: once, in order, whoever starts; never edited; and the editions."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from tests.databases import Database, Server
from tests.store.conftest import MakeBatch
from tram.errors import SettingsError, UnavailableError
from tram.settings import Settings
from tram.store import database as db
from tram.store import edition, observations, sqlfile
from tram.store.edition import Edition
from tram.store.migrate import OWN, MigrationError, migrate, read

T0 = 1_780_000_000_000_000


@pytest.fixture
def empty(server: Server) -> Iterator[str]:
    """The address of a database with nothing in it."""
    name = server.create()
    yield server.url(name)
    server.drop(name)


@pytest.fixture
def service(tmp_path: Path) -> Path:
    """The migrations folder of a city service called `air`."""
    folder = tmp_path / "air" / "migrations"
    folder.mkdir(parents=True)
    (folder / "0001_index.sql").write_text("CREATE TABLE air_index (x int); -- 100%\nINSERT INTO air_index VALUES (1);")
    return folder


def test_each_is_applied_once(empty: str, service: Path) -> None:
    with psycopg.connect(empty) as conn:
        assert migrate(conn, [service])[-1] == "air/0001_index"
        assert migrate(conn, [service]) == []
        (service / "0002_more.sql").write_text("INSERT INTO air_index VALUES (2)")
        assert migrate(conn, [service]) == ["air/0002_more"]
        assert conn.execute("SELECT sum(x) FROM air_index").fetchone() == (3,)
        conn.commit()
        # A service that was taken out leaves its tables, and nothing is in the way.
        assert migrate(conn) == []


def test_concurrent_starters_do_it_once(empty: str, service: Path) -> None:
    def start(_: int) -> list[str]:
        with psycopg.connect(empty) as conn:
            return migrate(conn, [service])

    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(start, range(4)))
    with psycopg.connect(empty) as conn:
        row = conn.execute("SELECT count(*) FROM migration").fetchone()
    assert row is not None
    assert row[0] > len(read(OWN))
    assert sorted(map(len, done)) == [0, 0, 0, row[0]]


def test_an_edited_migration_is_refused(empty: str, service: Path) -> None:
    file = service / "0001_index.sql"
    with psycopg.connect(empty) as conn:
        migrate(conn, [service])
        text = file.read_text()
        file.write_bytes(text.replace("\n", "\r\n").encode())
        assert migrate(conn, [service]) == []
        file.write_text(text + "\n-- a comment")
        with pytest.raises(MigrationError, match=r"^migration air/0001_index was changed.*new one"):
            migrate(conn, [service])


def test_a_failing_migration_leaves_nothing_of_itself(empty: str, service: Path) -> None:
    (service / "0002_bad.sql").write_text("INSERT INTO air_index VALUES (2);\nSELECT 1/0;")
    with psycopg.connect(empty) as conn:
        with pytest.raises(
            MigrationError, match=r"^migration air/0002_bad failed and was rolled back: division by zero$"
        ):
            migrate(conn, [service])
        assert conn.execute("SELECT sum(x) FROM air_index").fetchone() == (1,)
        conn.commit()
        (service / "0002_bad.sql").write_text("INSERT INTO air_index VALUES (3)")
        assert migrate(conn, [service]) == ["air/0002_bad"]


def test_a_database_newer_than_the_program_is_refused(empty: str, service: Path) -> None:
    (service / "0002_more.sql").write_text("SELECT 1")
    with psycopg.connect(empty) as conn:
        migrate(conn, [service])
        (service / "0002_more.sql").unlink()
        with pytest.raises(MigrationError, match=r"air/0002_more, which this version does not know"):
            migrate(conn, [service])


@pytest.mark.parametrize("name", ["1_short.sql", "0002_Big.sql", "0003_gap.sql", "0001_twice.sql"])
def test_misnamed_files_are_said(service: Path, name: str) -> None:
    (service / name).write_text("SELECT 1")
    with pytest.raises(MigrationError, match=f"air/.*({name}|expected here)"):
        read(service)


def test_the_edition_is_what_is_installed(database: Database) -> None:
    conn = database.connect()
    found = edition.detect(conn)
    assert (found is Edition.PLAIN) == (database.edition == "plain")
    if database.edition == "plain":
        return
    query = "SELECT time_interval::text FROM timescaledb_information.dimensions WHERE hypertable_name = 'observation'"
    assert conn.execute(query).fetchall() == [("1 day",)]
    indexes = conn.execute("SELECT indexname FROM pg_indexes WHERE tablename = 'observation'").fetchall()
    # None by time alone. The two others hold only rows with `extra`, so that they cost the usual row nothing.
    assert {name for (name,) in indexes} == {"observation_key", "observation_feature", "observation_moved"}
    # merge_chunks brings the server down in 2.19.3: nobody but a superuser may call it.
    conn.execute("CREATE ROLE tram_test_nobody")
    allowed = conn.execute(
        "SELECT has_function_privilege('tram_test_nobody', oid, 'EXECUTE') FROM pg_proc WHERE proname = 'merge_chunks'"
    ).fetchall()
    assert allowed
    assert not any(may for (may,) in allowed)
    conn.rollback()


def test_chunks_follow_the_setting(server: Server, empty: str) -> None:
    if server.missing("timescaledb"):
        pytest.skip(str(server.missing("timescaledb")))
    with psycopg.connect(empty) as conn:
        for seconds, expected in ((3600.0, "01:00:00"), (7200.0, "02:00:00"), (7200.0, "02:00:00")):
            migrate(conn, chunk=seconds)
            row = conn.execute("SELECT time_interval::text FROM timescaledb_information.dimensions").fetchone()
            assert row == (expected,)
            conn.commit()


def test_a_plain_database_becomes_a_hypertable_with_its_rows(server: Server, empty: str, batch: MakeBatch) -> None:
    """`make timescaledb` after days of plain PostgreSQL."""
    if server.missing("timescaledb"):
        pytest.skip(str(server.missing("timescaledb")))
    with psycopg.connect(empty) as conn:
        migrate(conn, plain=True)
        assert edition.detect(conn) is Edition.PLAIN
        rows = [(1, T0 + day * 86_400_000_000, float(day)) for day in range(5)]
        observations.write(conn, batch(rows))
        conn.commit()
        assert migrate(conn) == []
        assert edition.detect(conn) is not Edition.PLAIN
        assert conn.execute("SELECT count(*) FROM show_chunks('observation')").fetchone() == (5,)
        assert observations.write(conn, batch(rows)) == (0, 5, None)
        # And it stays one when it is not wanted any more: its rows are in chunks.
        conn.commit()
        migrate(conn, plain=True)
        assert edition.detect(conn) is not Edition.PLAIN


def test_an_ordinary_role_migrates_and_gets_what_it_may(server: Server, empty: str, batch: MakeBatch) -> None:
    """Production's role is no superuser. Without the right to create extensions it gets plain tables."""
    server.template("plain")  # has made the server's roles, as an administrator does
    with psycopg.connect(empty, autocommit=True) as conn:
        conn.execute("CREATE ROLE tram_limited LOGIN CREATEROLE PASSWORD 'x'")
        try:
            conn.execute("GRANT tram_clinical TO tram_limited")
            conn.execute("GRANT CREATE, USAGE ON SCHEMA public TO tram_limited")
            limited = psycopg.conninfo.make_conninfo(empty, user="tram_limited", password="x")
            with psycopg.connect(limited) as theirs:
                assert edition.adopt(theirs, {}, 86_400.0) is Edition.PLAIN
                theirs.rollback()
                conn.execute(f"GRANT CREATE ON DATABASE {conn.info.dbname} TO tram_limited")
                migrate(theirs)
                trusted = theirs.execute(
                    "SELECT bool_or(trusted) FROM pg_available_extension_versions WHERE name = 'timescaledb'"
                ).fetchone()
                assert (edition.detect(theirs) is not Edition.PLAIN) == (trusted == (True,))
                assert observations.write(theirs, batch([(1, T0, 1.0)])).inserted == 1
        finally:
            conn.execute("DROP OWNED BY tram_limited")
            conn.execute("DROP ROLE tram_limited")


def test_rows_are_counted_about(database: Database, batch: MakeBatch) -> None:
    conn = database.connect()
    assert edition.approximate_rows(conn, "observation") == 0
    observations.write(conn, batch([(id, T0 + k * 86_400_000_000, 1.0) for id in range(1, 101) for k in range(3)]))
    conn.commit()
    conn.execute("SELECT pg_stat_force_next_flush()")
    conn.commit()
    assert edition.approximate_rows(conn, "observation") == 300


@pytest.mark.parametrize("url", ["postgresql://[", "nonsense", "port=x y"])
def test_an_address_that_cannot_be_read_is_a_setting(url: str) -> None:
    with pytest.raises(SettingsError, match=r"^TRAM_DATABASE_URL cannot be read") as caught:
        db.connect(Settings(database_url=url))
    assert url not in str(caught.value)


def test_no_address_is_a_setting() -> None:
    with pytest.raises(SettingsError, match="start `make up` or set TRAM_DATABASE_URL"):
        db.open_pool(Settings())


def test_an_absent_database_is_unavailable() -> None:
    nobody = Settings(database_url="postgresql://tram@127.0.0.1:1/tram", database_timeout=0.2)
    with pytest.raises(UnavailableError, match="not available"):
        db.connect(nobody)
    free = pytest.raises(UnavailableError, match="no database connection is free")
    with db.open_pool(nobody) as pool, free, db.available(), pool.connection():
        pass


def test_a_wrong_password_is_unavailable_and_not_shown(one_database: Database) -> None:
    url = psycopg.conninfo.make_conninfo(one_database.url, password="geheim")
    with pytest.raises(UnavailableError, match="password authentication failed") as caught:
        db.connect(Settings(database_url=url))
    assert "geheim" not in str(caught.value)


def test_timeouts_are_set(one_database: Database) -> None:
    settings = Settings(database_url=one_database.url, database_timeout=0.3)
    with db.connect(settings, "x" * 80) as conn:
        shown = [conn.execute(f"SHOW {name}").fetchone() for name in ("statement_timeout", "lock_timeout", "timezone")]
        assert shown == [("300ms",), ("300ms",), ("UTC",)]
        with pytest.raises(UnavailableError, match="statement timeout"), db.available():
            conn.execute("SELECT pg_sleep(30)")
        conn.rollback()


async def _ask(settings: Settings) -> object:
    async with db.open_async_pool(settings) as pool, pool.connection() as conn:
        return await (await conn.execute("SELECT 1")).fetchone()


def test_pools(one_database: Database) -> None:
    assert asyncio.run(_ask(one_database.settings)) == (1,)
    with db.open_pool(one_database.settings) as pool, pool.connection() as conn:
        assert conn.execute("SELECT 1").fetchone() == (1,)


def test_named_queries() -> None:
    queries = sqlfile.parse("-- about\n-- name: a\n-- why\nSELECT 1\n\n-- name: b\nSELECT 2\n", "x.sql")
    assert dict(queries) == {"a": "-- why\nSELECT 1", "b": "SELECT 2"}
    with pytest.raises(KeyError, match=r"x\.sql has no query 'c'; it has a, b"):
        queries["c"]
    for text in ("-- name: a\n-- only why\n", "-- name: a\nSELECT 1\n-- name: a\nSELECT 1", "-- name: \nSELECT 1"):
        with pytest.raises(ValueError, match=r"^x\.sql"):
            sqlfile.parse(text, "x.sql")
    with pytest.raises(FileNotFoundError):
        sqlfile.load("nowhere")
