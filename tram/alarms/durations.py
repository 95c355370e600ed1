"""Lengths of time as people write them: `90s`, `10m`, `2h`, `1d`, or a number of seconds."""

import re

from tram.clock import SECOND

_FORM = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)\s*(s|m|h|d)")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
MOST = 366 * 86_400


class Duration:
    """A length of time. `micros`: microseconds, 0 or more, at most a year."""

    __slots__ = ("micros",)

    def __init__(self, micros: int) -> None:
        if not 0 <= micros <= MOST * SECOND:
            raise ValueError("a length of time is from 0 to 366 days")
        self.micros = micros

    @classmethod
    def parse(cls, given: object) -> "Duration":
        """Raises ValueError."""
        if isinstance(given, int | float) and not isinstance(given, bool) and given == given and abs(given) <= MOST:
            return cls(round(given * SECOND))
        found = _FORM.fullmatch(given.strip()) if isinstance(given, str) else None
        if found is None:
            raise ValueError(
                f"{given!r} is no length of time: write it like 90s, 10m, 2h, 1d, or as a number of seconds"
            )
        return cls(round(float(found[1]) * _UNITS[found[2]] * SECOND))

    @property
    def seconds(self) -> float:
        return self.micros / SECOND

    def __str__(self) -> str:
        for unit in ("d", "h", "m"):
            if self.micros and self.micros % (_UNITS[unit] * SECOND) == 0:
                return f"{self.micros // (_UNITS[unit] * SECOND)}{unit}"
        return f"{self.seconds:g}s"

    def __repr__(self) -> str:
        return f"Duration({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Duration) and other.micros == self.micros

    def __hash__(self) -> int:
        return hash(self.micros)


ZERO = Duration(0)
