"""When the next try at a sign-in may be made: backoff that doubles, per account and per address.

Failures are counted within a window; the first few cost nothing, then each doubles the wait up to a limit. The wait
ends by itself: an account is never locked for good, so nobody can shut another out (NIST SP 800-63B section 3.2.2 asks
for rate limiting, not for locks). The account's wait and the address' wait are counted apart, and both must be over.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Failures:
    """How many failures, and when the last one was (seconds since 1970)."""

    count: int = 0
    last: float = 0.0


@dataclass(frozen=True, slots=True)
class Policy:
    """The backoff. After `free` failures, `first` seconds, doubling to `longest`; forgotten `window` s later."""

    free: int
    first: float
    longest: float
    window: float

    def wait(self, failures: Failures, now: float) -> float:
        """Seconds until the next try may be made; 0: now."""
        current = self._current(failures, now)
        if current.count < self.free:
            return 0.0
        pause = min(self.first * 2.0 ** min(current.count - self.free, 60), self.longest)
        # A last failure in the future (a clock set back) must not wait longer than the pause itself.
        return max(0.0, min(pause, current.last + pause - now))

    def left(self, failures: Failures, now: float) -> int:
        """Tries that are left before the first wait."""
        return max(0, self.free - self._current(failures, now).count)

    def failed(self, failures: Failures, now: float) -> Failures:
        """The failures after one more."""
        return Failures(self._current(failures, now).count + 1, now)

    def _current(self, failures: Failures, now: float) -> Failures:
        return failures if now - failures.last <= self.window else Failures()


ACCOUNT = Policy(free=5, first=30.0, longest=900.0, window=3600.0)
ADDRESS = Policy(free=30, first=30.0, longest=900.0, window=3600.0)
SECOND_FACTOR = Policy(free=5, first=30.0, longest=900.0, window=3600.0)
CLAIM = Policy(free=5, first=60.0, longest=3600.0, window=86_400.0)
