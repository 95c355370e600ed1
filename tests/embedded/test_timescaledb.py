"""TimescaleDB beside the embedded PostgreSQL. The build itself is `make timescaledb`, which the tests' set-up runs."""

import resource
import shutil
import tarfile
from pathlib import Path

import psycopg
import pytest

from tests.journey.system import tram
from tram.embedded import debian_source, prefix, timescaledb
from tram.embedded.postgres import PostgresServer
from tram.errors import SettingsError, UnavailableError

built = pytest.mark.skipif(
    timescaledb.installed() is None, reason="TimescaleDB is not built: `make timescaledb` builds it"
)


@pytest.fixture
def other_prefix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The place of an environment that has PostgreSQL's programs and no extension."""
    place = tmp_path / "prefix"
    for folder in ("lib/postgresql", "share/postgresql/extension"):
        (place / folder).mkdir(parents=True)
    (place / "bin").symlink_to(prefix.prefix() / "bin")
    monkeypatch.setattr(prefix, "prefix", lambda: place)
    return place


@built
def test_the_server_loads_it_and_makes_hypertables(tmp_path: Path) -> None:
    with PostgresServer(tmp_path / "postgres", durable=False) as server, psycopg.connect(server.url) as conn:
        conn.execute("CREATE EXTENSION timescaledb")
        conn.execute("CREATE TABLE reading (at timestamptz NOT NULL, value float8)")
        conn.execute("SELECT create_hypertable('reading', by_range('at', INTERVAL '1 day'))")
        conn.execute("INSERT INTO reading SELECT now() - n * INTERVAL '1 day', n FROM generate_series(0, 9) n")
        assert conn.execute("SELECT count(*) FROM show_chunks('reading')").fetchone() == (10,)
        assert conn.execute("SHOW timescaledb.license").fetchone() == ("apache",)
        assert conn.execute("SHOW timescaledb.telemetry_level").fetchone() == ("off",)


@built
def test_a_second_run_says_so_at_once(tmp_path: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = tram(tmp_path, "timescaledb")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0
    assert done.stdout == f"TimescaleDB {timescaledb.installed()} is there\n"
    # Of the processor, not of a clock that others share: starting takes a tenth of it, building thirty times as long.
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 3.0


@built
def test_another_environment_takes_it_from_the_cache(
    other_prefix: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = timescaledb.cached()
    if archive is None:
        pytest.skip("it was not built here: no archive in the cache")
    said: list[str] = []
    assert timescaledb.installed() is None
    version = timescaledb.install(said.append)
    assert timescaledb.installed() == version
    assert said == [f"taking it from {archive}"]
    assert (other_prefix / "lib/postgresql" / f"timescaledb-{version}.so").stat().st_mode & 0o111


def test_without_its_library_it_is_not_installed(other_prefix: Path) -> None:
    control = other_prefix / "share/postgresql/extension/timescaledb.control"
    control.write_text("default_version = '2.19.3'\n")
    assert timescaledb.installed() is None
    for name in ("timescaledb.so", "timescaledb-2.19.3.so"):
        (other_prefix / "lib/postgresql" / name).write_text("")
    assert timescaledb.installed() == "2.19.3"


def test_where_it_cannot_be_built_there_is_a_line_for_each_thing_missing(
    other_prefix: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(timescaledb.sys, "executable", str(tmp_path / "python"))
    with pytest.raises(UnavailableError) as caught:
        timescaledb.install(print)
    lines = str(caught.value).splitlines()
    assert [line.split(":")[1].strip() for line in lines] == ["apt-get", "a C compiler", "cmake", "ninja"]


def test_a_machine_that_is_not_debian_is_told_that_it_lacks_a_mirror(monkeypatch: pytest.MonkeyPatch) -> None:
    if shutil.which("apt-get") is None:
        pytest.skip("no apt-get here")
    monkeypatch.setattr(debian_source, "_codename", lambda: "")
    assert [line.split(":")[0] for line in debian_source.missing()] == ["a Debian mirror"]


def test_an_archive_with_foreign_files_is_refused(
    other_prefix: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache" / "tram"
    cache.mkdir(parents=True)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    archive = cache / f"timescaledb-9.9.9-{timescaledb._fit()}.tar.gz"
    evil = tmp_path / "evil"
    evil.write_text("")
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(evil, "lib/../../escaped")
    with pytest.raises(UnavailableError, match="is not one of ours"):
        timescaledb.install(lambda line: None)
    assert not (other_prefix / "escaped").exists()


@built
def test_data_that_was_made_with_it_is_not_served_without_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = PostgresServer(tmp_path / "postgres", durable=False)
    with server:
        pass
    monkeypatch.setattr(prefix, "timescaledb_version", lambda: None)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "empty"))
    with pytest.raises(SettingsError, match="run `make timescaledb`"):
        server.start()


@pytest.mark.parametrize(
    ("name", "kind"), [("../out", tarfile.REGTYPE), ("/etc/x", tarfile.REGTYPE), ("a", tarfile.SYMTYPE)]
)
def test_an_archive_of_sources_stays_in_its_folder(tmp_path: Path, name: str, kind: bytes) -> None:
    archive = tmp_path / "sources.tar"
    with tarfile.open(archive, "w") as tar:
        member = tarfile.TarInfo(name)
        member.type, member.linkname = kind, "/etc/passwd"
        tar.addfile(member)
    with pytest.raises(UnavailableError, match="does not belong"):
        debian_source._unpack(archive, tmp_path / "place")
    assert not (tmp_path / "out").exists()
