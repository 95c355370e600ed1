"""Starts the parts in order, keeps them running, stops them in reverse.

    stage 0: database, broker -> 1: migrate -> 2: gateway, api, worker, telehealth -> 3: simulator
    Ctrl-C, SIGTERM, SIGHUP: 3 -> 2 -> … -> 0, each with its signals and patience; a second one: SIGKILL for all

One thread, one loop: children must be started by a thread that lives as long as they shall (PR_SET_PDEATHSIG follows
the thread, not the process). What survives this process being killed is lock.Guard's.
"""

import contextlib
import os
import secrets
import selectors
import signal
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import IO

from tram.embedded.child import Child
from tram.embedded.guard import MARK, end_all
from tram.embedded.lock import Guard, HomeLock
from tram.embedded.logfile import LogFile
from tram.embedded.part import Part
from tram.errors import TramError

STARTING_POLL = 0.05
RUNNING_POLL = 1.0
CHECK_EVERY = 5.0  # seconds between questions whether a part that was ready still is
SETTINGS_EXIT = 2  # a plane's exit code for a SettingsError: starting it again cannot help
FIRST_TRIES = 3  # restarts of a part that was never ready

Say = Callable[[str], None]


class Supervisor:
    """Runs parts until it is told to stop.

    Args:
        parts: what to run.
        run_folder: for the lock; one supervisor a run folder.
        log_folder: for the children's output.
        say: told in one line each what people should know.
        on_ready: called once, when all are ready.
        echo: called with (name, line) for everything that the children say.
        environment: of the children.
    """

    def __init__(
        self,
        parts: list[Part],
        *,
        lock: HomeLock,
        log_folder: Path,
        say: Say,
        on_ready: Callable[[], None],
        echo: Callable[[str, str], None] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.children = [Child(part, LogFile(log_folder, part.name)) for part in parts]
        self._lock = lock
        self._say, self._on_ready, self._echo = say, on_ready, echo
        self._mark = secrets.token_hex(8)
        self._environment = {**(os.environ if environment is None else environment), MARK: self._mark}
        self._guard = Guard(lock, self._mark)
        self._selector = selectors.DefaultSelector()
        self._stage = min((part.stage for part in parts), default=0)
        self._signals = 0
        self._failure: str | None = None
        self._announced = False
        self._unready: set[str] = set()
        self._next_check = 0.0

    def run(self) -> int:
        """Returns 0 when it was told to stop, 1 when a part that is needed could not be kept running."""
        with self._listening():
            self._guard.start()
            try:
                while not self._signals and self._failure is None:
                    self._step()
                self._say("đang dừng / stopping" if self._failure is None else self._failure)
            finally:
                self._stop_all()
        return 0 if self._failure is None else 1

    def _step(self) -> None:
        self._guard.start()
        now = time.monotonic()
        for child in self.children:
            if child.part.stage <= self._stage and child.state in ("waiting", "pausing") and now >= child.until:
                self._spawn(child)
            elif child.state == "starting":
                self._look(child, now)
            self._reap(child)
        begun = [child.state for child in self.children if child.part.stage <= self._stage]
        if all(state in ("ready", "done", "failed") for state in begun):
            self._advance()
        if self._announced and now >= self._next_check:
            self._check(now)
        self._wait(RUNNING_POLL if self._announced else STARTING_POLL)

    def _spawn(self, child: Child) -> None:
        try:
            pid = child.spawn(self._environment)
        except TramError as error:
            self._failure = str(error)
            return
        self._guard.add(pid, child.part.stop[0][0])
        assert child.output is not None
        self._selector.register(child.output, selectors.EVENT_READ, child)

    def _look(self, child: Child, now: float) -> None:
        if child.is_ready():
            if child.backoff.restarts or not self._announced:
                self._say(f"  {child.part.title:<44} {child.took:5.1f} s")
        elif now > child.until:
            self._say(f"{child.part.name} is not ready after {child.part.patience:.0f} s: {self._hint(child)}")
            child.begin_stop()
            child.push_stop(at_once=True)

    def _reap(self, child: Child) -> None:
        pid, output, was_ready = child.pid, child.output, child.state == "ready"
        if not child.reap():
            return
        assert pid is not None
        assert output is not None
        self._forget(pid, output)
        if child.state == "done":
            self._say(f"  {child.part.title:<44} {child.took:5.1f} s")
            return
        how = f"signal {-child.code}" if child.code and child.code < 0 else f"exit code {child.code}"
        delay = child.backoff.delay(time.monotonic())
        if not was_ready and child.took == 0 and child.backoff.restarts > FIRST_TRIES:
            delay = None
        if child.code == SETTINGS_EXIT or delay is None:
            child.state = "failed"
            line = f"{child.part.name} ended ({how}) and is given up: {self._hint(child)}"
            if child.part.essential:
                self._failure = line
            else:
                self._say(line)
            return
        child.state, child.until = "pausing", time.monotonic() + delay
        self._say(f"{child.part.name} ended ({how}), starts again in {delay:.1f} s: {self._hint(child)}")

    def _hint(self, child: Child) -> str:
        return f"{child.log.last or 'it said nothing'} ({child.log.path})"

    def _advance(self) -> None:
        later = [child.part.stage for child in self.children if child.part.stage > self._stage]
        if later:
            self._stage = min(later)
        elif not self._announced:
            self._announced = True
            self._on_ready()

    def _check(self, now: float) -> None:
        """Says once when a part is no longer ready, and once when it is again."""
        self._next_check = now + CHECK_EVERY
        for child in self.children:
            if child.state != "ready" or child.part.ready is None or child.pid is None:
                continue
            name = child.part.name
            ready = child.part.ready(child.pid)
            if ready and name in self._unready:
                self._unready.discard(name)
                self._say(f"{name} is ready again")
            elif not ready and name not in self._unready:
                self._unready.add(name)
                self._say(f"{name} is not ready: {self._hint(child)}")

    def _wait(self, seconds: float) -> None:
        soon = [child.until - time.monotonic() for child in self.children if child.state == "pausing"]
        for key, _ in self._selector.select(max(0.0, min([seconds, *soon]))):
            if isinstance(key.data, Child):
                self._pump(key.data)
            elif isinstance(key.fileobj, socket.socket):
                key.fileobj.recv(64)

    def _pump(self, child: Child) -> None:
        lines = child.pump()
        if lines is None:
            assert child.output is not None
            self._selector.unregister(child.output)
        elif self._echo is not None:
            for line in lines:
                self._echo(child.part.name, line)

    def _stop_all(self) -> None:
        for stage in sorted({child.part.stage for child in self.children}, reverse=True):
            running = [child for child in self.children if child.part.stage == stage and child.pid is not None]
            for child in running:
                child.begin_stop()
            while running:
                for child in running:
                    child.push_stop(at_once=self._signals > 1)
                    self._finish(child)
                running = [child for child in running if child.pid is not None]
                if running:
                    self._wait(STARTING_POLL)
        end_all({}, self._mark, patience=0.0)
        for child in self.children:
            child.log.close()
        self._selector.close()
        self._guard.stop()

    def _finish(self, child: Child) -> None:
        pid, output = child.pid, child.output
        if pid is not None and output is not None and child.reap():
            self._forget(pid, output)

    def _forget(self, pid: int, output: IO[bytes]) -> None:
        with contextlib.suppress(KeyError, ValueError):  # its output may have ended before it did
            self._selector.unregister(output)
        self._guard.remove(pid)

    @contextmanager
    def _listening(self) -> Iterator[None]:
        """Signals wake the loop by a socket and are counted; a child's end (SIGCHLD) only wakes it."""
        receiver, sender = socket.socketpair()
        for end in (receiver, sender):
            end.setblocking(False)
        before = {
            number: signal.signal(number, self._on_signal if number != signal.SIGCHLD else _only_wake)
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD)
        }
        wakeup = signal.set_wakeup_fd(sender.fileno(), warn_on_full_buffer=False)
        self._selector.register(receiver, selectors.EVENT_READ)
        try:
            yield
        finally:
            signal.set_wakeup_fd(wakeup)
            for number, handler in before.items():
                signal.signal(number, handler)
            receiver.close()
            sender.close()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._signals += 1


def _only_wake(number: int, frame: FrameType | None) -> None:
    """SIGCHLD: the wakeup socket has done it."""
