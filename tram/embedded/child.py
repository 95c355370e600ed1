"""One child process: started through launch.py, its output into a log file, ended step by step."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from typing import IO

from tram.embedded import launch
from tram.embedded.logfile import LogFile
from tram.embedded.part import Backoff, Part

READ = 64 << 10
SETTLED = 0.5  # seconds after which a part that cannot be asked counts as ready: it was not refused at its start


class Child:
    """What the supervisor knows of a part.

    Attributes:
        state: waiting, starting, ready, pausing (before a restart), done (a `once` that succeeded), failed, stopped.
        until: monotonic time at which a pause, a start's patience or a stop's patience ends.
        took: seconds from start to ready.
    """

    def __init__(self, part: Part, log: LogFile) -> None:
        self.part = part
        self.log = log
        self.backoff = Backoff()
        self.state = "waiting"
        self.until = 0.0
        self.took = 0.0
        self.code: int | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._steps: list[tuple[int, float]] = []

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""
        return self._process.pid if self._process is not None else None

    @property
    def output(self) -> IO[bytes] | None:
        """The reading end of its output while it runs."""
        return self._process.stdout if self._process is not None else None

    def spawn(self, base: Mapping[str, str]) -> int:
        """Starts it and returns its process id. Raises TramError when its command cannot be made."""
        part = self.part
        argv = part.command()
        if part.death_signal is not None:
            argv = launch.command(argv, os.getpid(), part.death_signal)
        environment = {**(base if part.environment is None else part.environment), **part.more}
        self._process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment
        )
        assert self._process.stdout is not None
        os.set_blocking(self._process.stdout.fileno(), False)
        self._started = time.monotonic()
        self.state, self.until = "starting", self._started + part.patience
        return self._process.pid

    def pump(self) -> list[str] | None:
        """Moves what it has said into its log; returns the lines, or None at the end of its output."""
        assert self.output is not None
        try:
            data = os.read(self.output.fileno(), READ)
        except BlockingIOError:
            return []
        return self.log.write(data) if data else None

    def is_ready(self) -> bool:
        """Asks it, while it is starting; remembers the answer."""
        if self.state == "starting" and not self.part.once and self.pid is not None:
            lived = time.monotonic() - self._started
            ready = lived > SETTLED if self.part.ready is None else self.part.ready(self.pid)
            if ready:
                self.state, self.took = "ready", time.monotonic() - self._started
        return self.state in ("ready", "done")

    def reap(self) -> bool:
        """Whether it has ended since last asked. Then its stragglers are gone too and `code` says how it ended."""
        if self._process is None or (code := self._process.poll()) is None:
            return False
        with contextlib.suppress(OSError):
            os.killpg(self._process.pid, signal.SIGKILL)  # it led a session of its own
        self._drain()
        self._process, self.code = None, code
        if code == 0 and self.part.once:
            self.state, self.took = "done", time.monotonic() - self._started
        return True

    def _drain(self) -> None:
        """What it said last. A stranger that holds the pipe open is not waited for."""
        if self.output is not None:
            with contextlib.suppress(BlockingIOError):
                while data := os.read(self.output.fileno(), READ):
                    self.log.write(data)
            self.output.close()
        self.log.finish()

    def begin_stop(self) -> None:
        """Sends the first of its stop signals; `push_stop` goes on."""
        self._steps = [*self.part.stop, (signal.SIGKILL, 5.0)]
        self.until = 0.0

    def push_stop(self, *, at_once: bool = False) -> None:
        """The next signal, when the patience for the last one is over (or `at_once`)."""
        if self._process is None:
            self.state = "stopped"
            return
        if at_once:
            self._steps = self._steps[-1:]
            self.until = 0.0
        if self._steps and time.monotonic() >= self.until:
            number, patience = self._steps.pop(0)
            self.until = time.monotonic() + patience
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)
