"""Whether a process can do its work now, and if not, why: what /readyz answers."""

import threading
import time


class Readiness:
    """Named conditions; ready when every one of them is met. Safe from any thread.

    Args:
        *conditions: those that must be met, each "starting" until told otherwise.
    """

    def __init__(self, *conditions: str) -> None:
        self._lock = threading.Lock()
        self._missing = dict.fromkeys(conditions, "starting")
        self._was_ready = not conditions
        self._since = time.monotonic()

    def met(self, condition: str) -> None:
        """The condition holds."""
        self._set(condition, None)

    def lost(self, condition: str, reason: str) -> None:
        """The condition does not hold; `reason` is one line for a person, without secrets."""
        self._set(condition, reason)

    def _set(self, condition: str, reason: str | None) -> None:
        with self._lock:
            before = bool(self._missing)
            if reason is None:
                self._missing.pop(condition, None)
            else:
                self._missing[condition] = reason
            self._was_ready |= not self._missing
            if before != bool(self._missing):
                self._since = time.monotonic()

    @property
    def ready(self) -> bool:
        """Whether all conditions are met."""
        with self._lock:
            return not self._missing

    @property
    def reasons(self) -> dict[str, str]:
        """{condition: why it is not met}; empty when ready."""
        with self._lock:
            return dict(self._missing)

    @property
    def state(self) -> str:
        """One word for the process table: "starting" before it was ever ready, then "ready" or "degraded"."""
        with self._lock:
            if not self._missing:
                return "ready"
            return "degraded" if self._was_ready else "starting"

    def problem(self) -> dict[str, object]:
        """The answer of /readyz: RFC 9457 problem details when not ready, {"status": "ready", …} when it is."""
        with self._lock:
            seconds = round(time.monotonic() - self._since, 1)
            if not self._missing:
                return {"status": "ready", "seconds": seconds}
            return {
                "type": "about:blank",
                "title": "Not ready",
                "status": 503,
                "detail": "; ".join(f"{name}: {reason}" for name, reason in self._missing.items()),
                "reasons": dict(self._missing),
                "seconds": seconds,
            }
