"""The embedded PostgreSQL: one server on 127.0.0.1, started and stopped.

    with PostgresServer(Path(".tram/postgres")) as server:
        psycopg.connect(server.url)

It ends with the thread that started it, even when that is killed: start it from one that lives long enough.
"""

import os
import signal
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from tram.embedded.cluster import Cluster, environment, reason
from tram.embedded.ports import free_port, require_free
from tram.errors import UnavailableError

START_TIMEOUT = 90.0  # crash recovery of max_wal_size included
STOP_TIMEOUT = 30.0
POLL = 0.02


class PostgresServer:
    """One server over one folder.

    Args:
        folder: what tram.embedded.cluster describes; made when it does not exist.
        port: on 127.0.0.1; 0 takes a free one.
        durable: False for tests: no fsync.
        setting: what an error names when the port is taken.
    """

    def __init__(
        self, folder: Path, port: int = 0, *, durable: bool = True, setting: str = "TRAM_DATABASE_PORT"
    ) -> None:
        self.cluster = Cluster(folder, durable)
        self.port = port
        self.log = folder / "server.log"
        self._wanted_port = port
        self._setting = setting
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """postgresql://… of the running server, with its password."""
        return self.cluster.url(self.port)

    @property
    def pid(self) -> int | None:
        """Process id of the postmaster while it runs."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def start(self) -> Self:
        """Starts the server and waits until it accepts connections.

        Raises:
            SettingsError: the port is taken, or the data is not ours to run.
            UnavailableError: the server does not come up; the message says why.
        """
        if self.pid is not None:
            return self
        self.cluster.prepare()
        settle(self.cluster)
        for last in (False, False, True):
            self.port = self._wanted_port or free_port()
            require_free("127.0.0.1", self.port, self._setting)
            self.cluster.configure(self.port)
            try:
                self._spawn()
                return self
            except UnavailableError as error:
                # A free port can be taken by somebody else before the server has it.
                if last or self._wanted_port or "could not create any TCP/IP sockets" not in str(error):
                    raise
        raise AssertionError("unreachable")

    def _spawn(self) -> None:
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                self.cluster.command(os.getpid()), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                cwd="/", env=environment(),
            )  # fmt: skip
        deadline = time.monotonic() + START_TIMEOUT
        while not ready(self.cluster, self._process.pid):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise UnavailableError(f"PostgreSQL did not start: {reason(self.log.read_text(errors='replace'))}")
            time.sleep(POLL)

    def stop(self) -> None:
        """Fast shutdown: clients are disconnected, a checkpoint is written. Harder after STOP_TIMEOUT."""
        if self._process is None:
            return
        for sign, patience in ((signal.SIGINT, STOP_TIMEOUT), (signal.SIGQUIT, 5.0)):
            if self._process.poll() is not None:
                break
            self._process.send_signal(sign)
            try:
                self._process.wait(patience)
            except subprocess.TimeoutExpired:
                continue
        self.kill()

    def kill(self) -> None:
        """kill -9 of the postmaster; its backends notice and end. The next start recovers."""
        if self._process is not None:
            if self._process.poll() is None:
                self._process.kill()
            self._process.wait()
            self._process = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def ready(cluster: Cluster, pid: int) -> bool:
    """Whether the postmaster says so itself, on the eighth line of its pid file.

    (PostgreSQL: miscadmin.h, LOCK_FILE_LINE_PM_STATUS; pg_ctl waits for the same word.)
    """
    lines = _pid_file(cluster)
    return len(lines) >= 8 and lines[0] == str(pid) and lines[7] == "ready"


def settle(cluster: Cluster, patience: float = STOP_TIMEOUT) -> None:
    """Clears up after a server that was killed, so that the next one can start.

    A pid file of a dead server is removed: PostgreSQL itself would refuse when another program has got the number since
    (in a container it often has). A server that still runs over this folder is stopped first.

    Raises:
        UnavailableError: it does not stop.
    """
    deadline = time.monotonic() + patience
    lines = _pid_file(cluster)
    while lines and lines[0].isdigit() and _serves(int(lines[0]), cluster):
        if time.monotonic() > deadline:
            raise UnavailableError(f"a PostgreSQL (process {lines[0]}) runs over {cluster.data} and does not stop")
        os.kill(int(lines[0]), signal.SIGINT)
        time.sleep(0.2)
    (cluster.data / "postmaster.pid").unlink(missing_ok=True)


def _pid_file(cluster: Cluster) -> list[str]:
    try:
        return [line.strip() for line in (cluster.data / "postmaster.pid").read_text().splitlines()]
    except OSError:
        return []


def _serves(pid: int, cluster: Cluster) -> bool:
    """Whether the process is a PostgreSQL whose data folder is this one."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return str(cluster.data.absolute()).encode() in command and b"postgres" in command[0]
