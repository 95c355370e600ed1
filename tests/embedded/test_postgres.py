"""The embedded PostgreSQL: real servers, killed, moved, shut out, run as other users."""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from tests.waiting import until
from tram.embedded import account, launch
from tram.embedded.cluster import reason
from tram.embedded.ports import free_port
from tram.embedded.postgres import PostgresServer
from tram.errors import SettingsError

ROOT = Path(__file__).resolve().parents[2]
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A folder for one server; a server left by a failing test is stopped."""
    yield tmp_path
    for file in tmp_path.rglob("postmaster.pid"):
        with contextlib.suppress(ProcessLookupError, ValueError, IndexError):
            os.kill(int(file.read_text().split()[0]), signal.SIGQUIT)


def put(server: PostgresServer, word: str) -> None:
    with psycopg.connect(server.url) as conn:
        conn.execute("CREATE TABLE IF NOT EXISTS word (it text)")
        conn.execute("INSERT INTO word VALUES (%s)", (word,))


def words(server: PostgresServer) -> list[str]:
    with psycopg.connect(server.url) as conn:
        return [row[0] for row in conn.execute("SELECT it FROM word ORDER BY it")]


def test_a_new_server_is_utf8_in_the_c_locale_and_keeps_its_data(home: Path) -> None:
    server = PostgresServer(home / "postgres")
    with server, psycopg.connect(server.url) as conn:
        query = "SELECT pg_encoding_to_char(encoding), datcollate FROM pg_database WHERE datname = current_database()"
        assert conn.execute(query).fetchone() == ("UTF8", "C")
        assert conn.info.dbname == "tram"
        put(server, "trạm")
    assert server.pid is None
    with PostgresServer(home / "postgres") as again:
        assert words(again) == ["trạm"]


def test_only_the_password_opens_it_and_only_on_loopback(home: Path) -> None:
    with PostgresServer(home / "postgres", durable=False) as server:
        assert (home / "postgres" / "password").stat().st_mode & 0o777 == 0o600
        for wrong in ("guess", ""):
            with pytest.raises(psycopg.OperationalError, match="password"):
                psycopg.connect(host="127.0.0.1", port=server.port, user="tram", dbname="tram", password=wrong)
        assert server.pid is not None
        listening = [c.laddr.ip for c in psutil.net_connections("tcp") if c.pid == server.pid and c.status == "LISTEN"]
        assert listening == ["127.0.0.1"]


def test_what_was_committed_survives_kill_9(home: Path) -> None:
    server = PostgresServer(home / "postgres").start()
    put(server, "committed")
    server.kill()
    with server:
        assert words(server) == ["committed"]
        assert "not properly shut down" in server.log.read_text()


def test_a_pid_file_whose_number_another_program_has_does_not_stop_it(home: Path) -> None:
    server = PostgresServer(home / "postgres", durable=False).start()
    server.kill()
    stale = server.cluster.data / "postmaster.pid"
    lines = stale.read_text().splitlines() if stale.exists() else [""] * 7
    stale.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")  # this very process: alive, and no PostgreSQL
    shutil.chown(stale, server.cluster.data.stat().st_uid)
    with server:
        assert server.pid


def test_a_server_that_still_runs_over_the_folder_is_stopped_first(home: Path) -> None:
    old = PostgresServer(home / "postgres", durable=False).start()
    put(old, "kept")
    with PostgresServer(home / "postgres", durable=False) as new:
        assert words(new) == ["kept"]
        assert old.pid is None


def test_a_taken_port_is_said_in_one_line_that_names_the_setting(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(SettingsError, match=rf"^port {port} on 127.0.0.1 is taken: .*TRAM_DATABASE_PORT.*$"):
            PostgresServer(home / "postgres", port, durable=False).start()


def test_data_of_another_version_is_refused_and_left_alone(home: Path) -> None:
    server = PostgresServer(home / "postgres", durable=False)
    server.cluster.prepare()
    (server.cluster.data / "PG_VERSION").write_text("15\n")
    with pytest.raises(SettingsError, match="made by PostgreSQL 15, this is 16"):
        server.start()
    assert (server.cluster.data / "base").is_dir()


def test_a_folder_that_is_no_database_is_refused(home: Path) -> None:
    (home / "postgres" / "data").mkdir(parents=True)
    with pytest.raises(SettingsError, match="holds no PostgreSQL data"):
        PostgresServer(home / "postgres").start()


def test_an_interrupted_first_start_does_not_matter(home: Path) -> None:
    half = home / "postgres.new" / "data"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("16\n")
    with PostgresServer(home / "postgres", durable=False) as server:
        put(server, "there")
    assert not (home / "postgres.new").exists()


def test_what_local_conf_says_has_the_last_word(home: Path) -> None:
    server = PostgresServer(home / "postgres", durable=False)
    server.cluster.prepare()
    (home / "postgres" / "local.conf").write_text("work_mem = '3MB'\n")
    with server, psycopg.connect(server.url) as conn:
        assert conn.execute("SHOW work_mem").fetchone() == ("3MB",)


def test_the_server_ends_with_its_parent_even_when_that_is_killed(home: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from tram.embedded.postgres import PostgresServer\n"
        f"server = PostgresServer(Path({str(home / 'postgres')!r}), durable=False).start()\n"
        "print(server.pid, flush=True); time.sleep(600)"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE
    )
    assert parent.stdout is not None
    with parent.stdout as output:
        server = psutil.Process(int(output.readline()))
        parent.kill()
        parent.wait()
        until(lambda: not server.is_running() or server.status() == psutil.STATUS_ZOMBIE, "the server ends")


@root_only
def test_as_root_it_runs_as_another_user_behind_closed_folders(home: Path) -> None:
    closed = home / "closed"
    closed.mkdir(mode=0o700)
    before = {folder: folder.stat() for folder in (closed, *closed.parents)}
    with PostgresServer(closed / "tram" / "postgres", durable=False) as server:
        put(server, "written")
        process = psutil.Process(server.pid)
        assert process.uids().effective != 0
        # Nothing but the right to read and search, and that only because of the closed folder.
        assert _capabilities(process.pid) == 1 << account.CAP_DAC_READ_SEARCH
        assert (server.cluster.data.stat().st_uid, server.cluster.data.stat().st_mode & 0o777) == (
            process.uids().real,
            0o700,
        )
    for folder, status in before.items():
        now = folder.stat()
        assert (now.st_mode, now.st_uid, now.st_gid) == (status.st_mode, status.st_uid, status.st_gid), folder


def _capabilities(pid: int) -> int:
    line = next(x for x in Path(f"/proc/{pid}/status").read_text().splitlines() if x.startswith("CapEff"))
    return int(line.split()[1], 16)


SERVE_ONCE = (
    "import os, psycopg; from pathlib import Path; from tram.embedded.postgres import PostgresServer\n"
    "with PostgresServer(Path({folder!r}), durable=False) as server, psycopg.connect(server.url) as conn:\n"
    "    print(os.geteuid(), os.stat(server.cluster.data).st_uid, open(f'/proc/{{server.pid}}/status').read())"
)


def serve_once(folder: Path, argv_of: list[str]) -> str:
    """Runs a server once in a process that `argv_of` (a prefix of its command line) changes first."""
    done = subprocess.run(
        [*argv_of, sys.executable, "-c", SERVE_ONCE.format(folder=str(folder))],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@root_only
def test_an_ordinary_user_runs_it_as_themselves(home: Path) -> None:
    user = pwd.getpwnam("nobody")
    theirs = home / "theirs"
    theirs.mkdir()
    shutil.chown(theirs, user.pw_uid, user.pw_gid)
    # The right to read and search stands in for an interpreter that everybody can reach.
    argv = [sys.executable, "-c", SERVE_ONCE.format(folder=str(theirs / "postgres"))]
    become = {"uid": user.pw_uid, "gid": user.pw_gid, "capabilities": [account.CAP_DAC_READ_SEARCH]}
    done = subprocess.run(
        launch.command(argv, os.getpid(), signal.SIGKILL, **become),
        cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[:2] == [str(user.pw_uid)] * 2
    with pytest.raises(SettingsError, match="belongs to user") if os.geteuid() else contextlib.nullcontext():
        account.for_server(theirs / "postgres" / "data", [])


@root_only
@pytest.mark.skipif(shutil.which("setpriv") is None, reason="needs setpriv (util-linux)")
def test_the_capabilities_that_docker_grants_by_default_are_enough(home: Path) -> None:
    closed = home / "closed"
    closed.mkdir(mode=0o700)
    docker = (
        "chown,dac_override,fowner,fsetid,kill,setgid,setuid,setpcap,net_bind_service,net_raw,sys_chroot,mknod,"
        "audit_write,setfcap"
    )
    kept = ",".join(f"+{name}" for name in docker.split(","))
    said = serve_once(closed / "postgres", ["setpriv", f"--bounding-set=-all,{kept}"])
    assert said.split()[0] == "0"
    assert said.split()[1] != "0"
    effective = next(line for line in said.splitlines() if line.startswith("CapEff"))
    assert int(effective.split()[1], 16) == 1 << account.CAP_DAC_OVERRIDE


@root_only
def test_what_is_in_a_closed_folder_is_there_for_the_one_who_may_pass(home: Path) -> None:
    """PostgreSQL asks access(2) for its own programs: a checkout and its environment may lie under /root, mode 0700."""
    closed = home / "closed"
    closed.mkdir(mode=0o700)
    program = closed / "program"
    program.touch(mode=0o755)
    user = pwd.getpwnam("nobody")
    look = f"import os; print(os.getuid(), os.access({str(program)!r}, os.R_OK | os.X_OK))"
    for kept, found in (([account.CAP_DAC_READ_SEARCH], True), ([account.CAP_DAC_OVERRIDE], True), ([], False)):
        become = {"uid": user.pw_uid, "gid": user.pw_gid, "capabilities": kept}
        command = launch.command(["/usr/bin/python3", "-c", look], os.getpid(), signal.SIGKILL, **become)
        said = subprocess.run(command, cwd="/", capture_output=True, text=True, timeout=60, check=True).stdout
        assert said.split() == [str(user.pw_uid), str(found)]


def test_a_root_that_may_not_change_its_user_is_told_so(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account.os, "geteuid", lambda: 0)
    monkeypatch.setattr(account, "_may", lambda capability: False)
    with pytest.raises(SettingsError, match="may not change its user"):
        account.for_server(home / "data", [])


@pytest.mark.parametrize(
    ("log", "said"),
    [
        (
            "LOG: x\nFATAL:  database files are incompatible with server\n",
            "database files are incompatible with server",
        ),
        ("ERROR: y\nPANIC:  could not write to file: No space left on device\n", "no space left on the disk"),
        ("initdb: error: invalid locale name\n", "invalid locale name"),
        ("", "it said nothing"),
    ],
)
def test_the_reason_is_one_line(log: str, said: str) -> None:
    assert reason(log) == said


def test_a_free_port_can_be_listened_on() -> None:
    with socket.create_server(("127.0.0.1", free_port())):
        pass
