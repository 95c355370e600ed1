"""One running system a home: the lock, and the guard that holds on to it until nothing is left."""

import contextlib
import fcntl
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, Self

from tram.errors import SettingsError

LAST_RUN_TIMEOUT = 40.0  # seconds a guard may need to end what a killed supervisor left


class HomeLock:
    """Held by the supervisor, and by its guard for as long as that works.

    Args:
        folder: the home's run folder; made, closed to other users.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: IO[str] | None = None

    def acquire(self) -> Self:
        """Takes the lock. Waits when the last run was killed and its guard still clears up.

        Raises:
            SettingsError: Trạm runs over this home, or the folder cannot be made.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o755)
            self._folder.chmod(0o700)
            file = (self._folder / "lock").open("a+", encoding="utf-8")
        except OSError as error:
            raise SettingsError(f"{self._folder} cannot be used: {error.strerror}; set TRAM_HOME") from None
        deadline = time.monotonic() + LAST_RUN_TIMEOUT
        while not _taken(file):
            file.seek(0)
            holder = file.read().strip()
            if _alive(holder) or time.monotonic() > deadline:
                file.close()
                raise SettingsError(
                    f"Trạm already runs here (process {holder.partition(' ')[0] or '?'}, home {self._folder.parent}): "
                    "stop that one, or set TRAM_HOME"
                )
            time.sleep(0.1)
        file.truncate(0)
        file.write(f"{os.getpid()} {_started(os.getpid())}\n")
        file.flush()
        self._file = file
        return self

    def fileno(self) -> int:
        """The lock's file descriptor, to hand to the guard."""
        assert self._file is not None
        return self._file.fileno()

    def release(self) -> None:
        """Lets go."""
        if self._file is not None:
            self._file.close()
            self._file = None


class Guard:
    """The process of guard.py, told what runs.

    Args:
        lock: handed to it.
        mark: the run's, in the environment of all that is started.
    """

    def __init__(self, lock: HomeLock, mark: str) -> None:
        self._lock = lock
        self._mark = mark
        self._known: dict[int, int] = {}
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Starts it, or again when somebody has killed it."""
        if self._process is not None and self._process.poll() is None:
            return
        script = str(Path(__file__).with_name("guard.py"))
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", script, self._mark], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True, pass_fds=[self._lock.fileno()], text=True,
        )  # fmt: skip
        for pid, number in self._known.items():
            self._tell(f"+{pid} {number}")

    def add(self, pid: int, number: int) -> None:
        """A child was started; `number` is the signal that ends it."""
        self._known[pid] = number
        self._tell(f"+{pid} {number}")

    def remove(self, pid: int) -> None:
        """A child has ended."""
        self._known.pop(pid, None)
        self._tell(f"-{pid}")

    def stop(self) -> None:
        """All is stopped as it should be: the guard ends too."""
        if self._process is not None:
            self._tell("bye")
            with contextlib.suppress(OSError):
                assert self._process.stdin is not None
                self._process.stdin.close()
            self._process.wait()
            self._process = None

    def _tell(self, line: str) -> None:
        if self._process is not None and self._process.stdin is not None:
            with contextlib.suppress(OSError):  # it was killed; `start` makes another and tells it all
                self._process.stdin.write(line + "\n")
                self._process.stdin.flush()


def _taken(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _alive(holder: str) -> bool:
    """Whether the process that wrote the line still runs: the same number and the same start."""
    number, _, started = holder.partition(" ")
    try:
        return _started(int(number)) == started
    except (OSError, ValueError):
        return False


def _started(pid: int) -> str:
    """When a process started, in ticks since boot; "" of one that has ended and is not yet buried.

    proc_pid_stat(5): of the fields after the command, the first is the state, the 20th the start.
    """
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return "" if fields[0] in "ZX" else fields[19]
