"""How many requests one principal may make: a token bucket each, in a bounded table. Pure but for its lock."""

import threading
from collections import OrderedDict

MOST = 20_000


class Rates:
    """Buckets by key. Full table: the key not seen for longest goes, which at worst gives it a fresh bucket."""

    def __init__(self, per_minute: float, burst: float, most: int = MOST) -> None:
        self._rate, self._burst, self._most = per_minute / 60.0, burst, most
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, key: str, now: float, cost: float = 1.0) -> float:
        """Takes `cost` from the key's bucket; returns 0, or the seconds until that much is there (nothing is taken)."""
        with self._lock:
            left, last = self._buckets.get(key, (self._burst, now))
            left = min(self._burst, left + max(0.0, now - last) * self._rate)
            wait = 0.0 if left >= cost else (cost - left) / self._rate
            self._buckets[key] = (left if wait else left - cost, now)
            self._buckets.move_to_end(key)
            if len(self._buckets) > self._most:
                self._buckets.popitem(last=False)
            return wait

    def __len__(self) -> int:
        return len(self._buckets)
