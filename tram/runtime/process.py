"""What every threaded process of a plane does around its work.

    with Process("gateway", settings, probe=(host, port), conditions=("database", "broker")) as process:
        process.readiness.met("database")
        while not process.stopping.wait(1.0):
            …

Asyncio processes use the parts (setup_logging, Readiness, Heartbeat) directly: their event loop owns the signals.
"""

import logging
import signal
import threading
from collections.abc import Callable, Mapping
from types import FrameType, TracebackType
from typing import Any, Self

from tram.errors import SettingsError
from tram.runtime.heartbeat import Heartbeat
from tram.runtime.logs import setup_logging
from tram.runtime.probe import ProbeServer
from tram.runtime.readiness import Readiness
from tram.settings import Settings

log = logging.getLogger(__name__)


class Process:
    """Logging, signals, probes and the heartbeat of one process.

    Attributes:
        stopping: set by SIGTERM and SIGINT; the work ends when it is.
        readiness: what /readyz tells; the work says what is met and lost.
        probe_port: where the probe server listens; None without one.

    Args:
        name: of the process.
        settings: resolved ones (tram.embedded.addresses.resolve).
        probe: (host, port) of the probe server, or None.
        conditions: what must be met before the process is ready.
        detail: called for the heartbeat's detail.
        heartbeat: False for one that shall not appear in the process table.
    """

    def __init__(
        self,
        name: str,
        settings: Settings,
        *,
        probe: tuple[str, int] | None = None,
        conditions: tuple[str, ...] = (),
        detail: Callable[[], Mapping[str, Any]] | None = None,
        heartbeat: bool = True,
    ) -> None:
        self.name = name
        self.settings = settings
        self.stopping = threading.Event()
        self.readiness = Readiness(*conditions)
        self.probe_port: int | None = None
        self._probe_address = probe
        self._probe: ProbeServer | None = None
        self._heartbeat = Heartbeat(name, settings, self.readiness, detail) if heartbeat else None
        self._handlers: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        """Starts the parts. Call it from the main thread: signals are set up there.

        Raises:
            SettingsError: the probe's address cannot be listened on.
        """
        setup_logging(self.name, self.settings.log_level)
        for number in (signal.SIGTERM, signal.SIGINT):
            self._handlers[number] = signal.signal(number, self._stop)
        if self._probe_address is not None:
            try:
                self._probe = ProbeServer(self._probe_address, self.readiness)
            except OSError as error:
                host, port = self._probe_address
                raise SettingsError(f"{host}:{port} cannot be listened on: {error.strerror}") from None
            self._probe.start()
            self.probe_port = self._probe.port
        if self._heartbeat is not None:
            self._heartbeat.start()
        log.info("started")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopping.set()
        if self._heartbeat is not None:
            self._heartbeat.stop()
        if self._probe is not None:
            self._probe.stop()
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        log.info("stopped")

    def _stop(self, number: int, frame: FrameType | None) -> None:
        # Nothing but the event: a handler may interrupt any line, one that holds logging's lock included.
        self.stopping.set()
