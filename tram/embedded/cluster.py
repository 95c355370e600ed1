"""The files of one embedded PostgreSQL: made once, configured at every start.

    <folder>/data/            PostgreSQL's own; closed to all but the user it runs as
    <folder>/password         of the role `tram`; made with the data, 0600
    <folder>/server.conf      ours, written at every start; `local.conf` beside it has the last word and is yours
    <folder>/timescaledb      the version of the extension that the data was last served with
    <folder>/server_hba.conf  ours: passwords (SCRAM) on loopback, nothing else

`data` and `password` appear in one rename, so an interrupted first start leaves nothing half made.
"""

import os
import secrets
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from tram.embedded import account, launch, prefix, timescaledb
from tram.embedded.files import write_whole
from tram.errors import SettingsError, UnavailableError

ROLE = "tram"
DATABASE = "tram"
HBA = """# Written at every start. Loopback, by password; there is no Unix socket.
host all all 127.0.0.1/32 scram-sha-256
"""
INITDB_TIMEOUT = 120.0


@dataclass(frozen=True, slots=True)
class Cluster:
    """One data folder.

    Attributes:
        folder: the folder described above.
        durable: False trades crash safety for speed; for tests only.
    """

    folder: Path
    durable: bool = True

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def url(self, port: int) -> str:
        """How a client connects; holds the password."""
        password = (self.folder / "password").read_text(encoding="utf-8").strip()
        return f"postgresql://{ROLE}:{quote(password)}@127.0.0.1:{port}/{DATABASE}"

    def prepare(self) -> None:
        """Makes the data folder where there is none; refuses one that this PostgreSQL cannot run.

        Raises:
            SettingsError: another version's data, another user's data.
            UnavailableError: initdb failed (disk full, …).
        """
        if self.data.exists():
            self._check()
        else:
            self._create()

    def configure(self, port: int) -> None:
        """Writes the configuration for the next start.

        Raises:
            SettingsError: the data needs TimescaleDB, which is gone from this environment and not in the cache.
        """
        self._keep_extension()
        write_whole(self.folder / "server.conf", self._configuration(port))
        write_whole(self.folder / "server_hba.conf", HBA)

    def command(self, parent: int) -> list[str]:
        """argv that becomes the server. `parent` is the process whose end stops it (fast shutdown)."""
        settings = {
            "config_file": self.folder / "server.conf",
            "hba_file": self.folder / "server_hba.conf",
            "data_directory": self.data,
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value.absolute()}")]
        server = str(prefix.program("postgres"))
        return self._launch([server, "-D", str(self.data.absolute()), *options], parent)

    def _launch(self, argv: list[str], parent: int) -> list[str]:
        reached = (prefix.program("postgres"), prefix.library_folder(), prefix.extension_folder(), self.folder)
        user = account.for_server(self.data, reached)
        become = {"uid": user.uid, "gid": user.gid, "capabilities": user.capabilities} if user else {}
        return launch.command(argv, parent, signal.SIGINT, **become)  # SIGINT: fast shutdown

    def _check(self) -> None:
        try:
            major = (self.data / "PG_VERSION").read_text(encoding="utf-8").strip()
        except OSError as error:
            raise SettingsError(
                f"{self.data} holds no PostgreSQL data ({error.strerror}): move it away, or set TRAM_HOME"
            ) from None
        if major != prefix.MAJOR:
            raise SettingsError(
                f"{self.data} was made by PostgreSQL {major}, this is {prefix.MAJOR}: "
                "dump it with the old one, or set TRAM_HOME to a new folder"
            )
        if not (self.folder / "password").is_file():
            raise SettingsError(f"{self.folder / 'password'} is missing: put it back, or set TRAM_HOME to a new folder")

    def _create(self) -> None:
        draft = Cluster(self.folder.with_name(f"{self.folder.name}.new"), self.durable)
        try:
            shutil.rmtree(draft.folder, ignore_errors=True)  # of a first start that was interrupted
            draft.folder.mkdir(parents=True)
            draft.data.mkdir(mode=0o700)
            draft._initialise()
            if self.folder.exists():
                self.folder.rmdir()
            draft.folder.rename(self.folder)
        except OSError as error:
            raise UnavailableError(f"{self.folder} cannot be made: {error.strerror}") from None

    def _keep_extension(self) -> None:
        """Data that was made with TimescaleDB cannot be read without it: a new environment takes it from the cache."""
        used = self.folder / "timescaledb"
        if version := prefix.timescaledb_version():
            write_whole(used, version + "\n")
        elif used.is_file() and timescaledb.restore() is None:
            raise SettingsError(f"{self.folder} was made with TimescaleDB, which is not here: run `make timescaledb`")

    def _initialise(self) -> None:
        user = account.for_server(self.data, (self.folder,))
        owner = (user.uid, user.gid) if user else None
        if owner:
            os.chown(self.data, *owner)
        # initdb reads the password as the user it runs as; the copy that stays is ours.
        password = secrets.token_urlsafe(24)
        handed = self.folder / "handed"
        write_whole(handed, password, mode=0o600, owner=owner)
        initdb = [
            str(prefix.program("initdb")), "--pgdata", str(self.data.absolute()), "--pwfile", str(handed.absolute()),
            "--username", ROLE, "--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C",
            *([] if self.durable else ["--no-sync"]),
        ]  # fmt: skip
        self._run(initdb, "initdb")
        handed.unlink()
        write_whole(self.folder / "password", password, mode=0o600)
        single = [str(prefix.program("postgres")), "--single", "-D", str(self.data.absolute()), "postgres"]
        self._run(single, "the first database", f"CREATE DATABASE {DATABASE} TEMPLATE template0;\n")

    def _run(self, argv: list[str], what: str, text: str = "") -> None:
        done = subprocess.run(
            self._launch(argv, os.getpid()), input=text, capture_output=True, text=True, timeout=INITDB_TIMEOUT,
            cwd=self.data if os.geteuid() != 0 else "/", env=environment(), check=False,
        )  # fmt: skip
        if done.returncode != 0:
            raise UnavailableError(f"PostgreSQL: {what} failed: {reason(done.stderr)}")

    def _configuration(self, port: int) -> str:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20  # MiB
        values: dict[str, str | int] = {
            "listen_addresses": "127.0.0.1",
            "port": port,
            "unix_socket_directories": "",  # their path is limited to 107 bytes; a checkout may lie deeper
            "max_connections": 100,
            "password_encryption": "scram-sha-256",
            "shared_buffers": f"{min(max(memory // 8, 64), 1024)}MB",
            "effective_cache_size": f"{max(memory // 2, 256)}MB",
            "work_mem": "16MB",
            "maintenance_work_mem": "128MB",
            "max_wal_size": "2GB",  # a checkpoint every few minutes under load, not every few seconds
            "min_wal_size": "256MB",
            "checkpoint_timeout": "15min",
            "wal_compression": "on",
            "wal_level": "minimal",  # nothing replicates from an embedded server
            "max_wal_senders": 0,
            "random_page_cost": "1.1",  # solid state
            "jit": "off",  # compiling costs more than the short queries here
            "max_worker_processes": 16,  # TimescaleDB takes one a database and one for all
            "max_parallel_workers_per_gather": 1,
            "max_locks_per_transaction": 256,  # one a chunk that a query touches
            "timezone": "UTC",
            "log_timezone": "UTC",
            "lc_messages": "C",
            "log_destination": "stderr",
            "logging_collector": "off",
            "log_line_prefix": "%m [%p] ",
            "log_checkpoints": "off",
            # A replayed observation is an ERROR of its COPY, by design; the clients log the errors that are theirs.
            "log_min_messages": "log",
            "cluster_name": "tram",
        }
        if not self.durable:
            values |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
            values["shared_buffers"] = "64MB"
        if prefix.timescaledb_version():
            values |= {"shared_preload_libraries": "timescaledb", "timescaledb.telemetry_level": "off"}
        lines = [f"{name} = '{value}'" for name, value in values.items()]
        local = str((self.folder / "local.conf").absolute()).replace("'", "''")
        return "\n".join(["# Written at every start; local.conf beside it has the last word.", *lines,
                          f"include_if_exists = '{local}'", ""])  # fmt: skip


def environment() -> dict[str, str]:
    """What PostgreSQL's programs see: no PG… of ours, no locale of ours."""
    return {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C", "LC_ALL": "C", "TZ": "UTC"}


def reason(log: str) -> str:
    """The line of PostgreSQL's output that says why it stopped."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    for mark in ("No space left on device", "PANIC:", "FATAL:", "error:", "ERROR:"):
        for line in reversed(lines):
            if mark in line:
                text = line.split(mark, 1)[1].strip() if mark.endswith(":") else line
                return "no space left on the disk" if mark.startswith("No space") else text
    return lines[-1] if lines else "it said nothing"
