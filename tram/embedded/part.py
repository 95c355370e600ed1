"""A part of the running system: what starts it, what says that it is ready, how it is stopped."""

import http.client
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

PROBE_TIMEOUT = 2.0  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One child process of the supervisor.

    Attributes:
        name: shown to people, and the name of its log.
        title: shown to people, Vietnamese / English.
        command: makes its argv when it starts, every time anew; may prepare what it needs. Raises TramError.
        stage: parts of a stage start together, once those of the stage before are ready, and stop together.
        ready: whether it can do its work, asked with its process id; raises nothing. None: it cannot be asked.
        once: it does its work and ends with 0; that is "ready".
        essential: without it, once given up, the rest makes no sense and is stopped.
        environment: its own environment, None for the supervisor's; `more` is added to it.
        stop: signals in order, each with the seconds it is given. SIGKILL follows.
        death_signal: what the kernel sends it when the supervisor is gone; None where the command sets its own.
        patience: seconds it may take to become ready.
    """

    name: str
    title: str
    command: Callable[[], list[str]]
    stage: int
    ready: Callable[[int], bool] | None = None
    once: bool = False
    essential: bool = True
    environment: Mapping[str, str] | None = None
    more: Mapping[str, str] = field(default_factory=dict)
    stop: tuple[tuple[int, float], ...] = ((signal.SIGTERM, 10.0),)
    death_signal: int | None = signal.SIGKILL
    patience: float = 60.0


def answers_ready(host: str, port: int) -> Callable[[int], bool]:
    """A `ready` that asks http://host:port/readyz."""
    address = "127.0.0.1" if host in ("0.0.0.0", "") else "::1" if host == "::" else host  # noqa: S104 - compared only

    def ready(pid: int) -> bool:
        connection = http.client.HTTPConnection(address, port, timeout=PROBE_TIMEOUT)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    return ready


@dataclass(slots=True)
class Backoff:
    """When a part that ended may start again: 0.5, 1, 2 … 30 s later; given up after `limit` times a window.

    Attributes:
        restarts: how often it was started again, ever.
    """

    first: float = 0.5
    longest: float = 30.0
    limit: int = 8
    window: float = 300.0
    restarts: int = 0
    _recent: list[float] = field(default_factory=list)

    def delay(self, now: float) -> float | None:
        """Seconds to wait after an end at `now` (monotonic), or None: given up."""
        self._recent = [moment for moment in self._recent if now - moment < self.window]
        if len(self._recent) >= self.limit:
            return None
        self._recent.append(now)
        self.restarts += 1
        return float(min(self.first * 2 ** (len(self._recent) - 1), self.longest))
