"""A value that many ask for and one computes: what a thousand viewers cost is what one costs."""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

ERROR_SECONDS = 0.5


class Cached(Generic[T]):
    """Computes at most once every `seconds`, in the thread of whoever asks first; the others wait for that answer.

    An error is kept for ERROR_SECONDS, so that a dependency that is away is not asked once a viewer.
    """

    def __init__(self, compute: Callable[[], T], seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._compute, self._seconds, self._clock = compute, seconds, clock
        self._lock = threading.Lock()
        self._until = float("-inf")
        self._value: T | None = None
        self._error: Exception | None = None

    def get(self) -> T:
        """The value, at most `seconds` old.

        Raises:
            Exception: what `compute` raised, at most `seconds` ago.
        """
        with self._lock:
            if self._clock() >= self._until:
                try:
                    self._value, self._error = self._compute(), None
                except Exception as error:
                    self._error = error
                keep = self._seconds if self._error is None else min(self._seconds, ERROR_SECONDS)
                self._until = self._clock() + keep
            if self._error is not None:
                raise self._error.with_traceback(None)
            return self._value  # type: ignore[return-value]
