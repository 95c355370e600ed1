"""Times: RFC 3339 in and out, and the policy for a device whose clock is wrong.

All times are integers: microseconds since 1970-01-01T00:00:00Z. Nothing here reads a clock: `now` is handed in.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from tram.quality import Quality
from tram.sensing import Micros

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
SECOND = 1_000_000
DAY = 86_400 * SECOND


def to_micros(moment: datetime) -> Micros:
    """Microseconds of an aware datetime; a naive one is an error, since it names no moment."""
    if moment.tzinfo is None:
        raise ValueError(f"a time without an offset names no moment: {moment.isoformat()}")
    return (moment - EPOCH) // MICROSECOND


def from_micros(micros: Micros) -> datetime:
    """The aware UTC datetime of a time in microseconds."""
    return EPOCH + timedelta(microseconds=micros)


def parse_rfc3339(text: str) -> Micros:
    """RFC 3339 date-time to microseconds.

    Raises:
        ValueError: not a date-time, or one without an offset.
    """
    return to_micros(datetime.fromisoformat(text))


def format_rfc3339(micros: Micros) -> str:
    """RFC 3339 in UTC with a Z; fractions only where there are some."""
    return from_micros(micros).isoformat().replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class TimePolicy:
    """What a sane device time is: at most `future` ahead of the receive time and `past` behind it.

    Outside that, the receive time is stored, the value flagged CLOCK, and the claimed time kept beside it. A value more
    than `late` behind is stored at its own time and flagged LATE. All in microseconds.
    """

    future: Micros = 5 * 60 * SECOND
    past: Micros = 90 * DAY
    late: Micros = 15 * 60 * SECOND

    def judge(self, claimed: Micros | None, received: Micros) -> tuple[Micros, Quality]:
        """The phenomenonTime to store, and its flags."""
        if claimed is None:
            return received, Quality.GOOD
        ahead = claimed - received
        if ahead > self.future or -ahead > self.past:
            return received, Quality.CLOCK
        return claimed, Quality.LATE if -ahead > self.late else Quality.GOOD

    def judge_columns(
        self, claimed: NDArray[np.int64], states: NDArray[np.bool_], received: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int16]]:
        """`judge` over columns of shape (n,); `states` says which rows state a time at all, each within +-2**60."""
        ahead = np.where(states, claimed, received) - received
        insane = (ahead > self.future) | (-ahead > self.past)
        times = np.where(states & ~insane, claimed, received)
        late = np.where(-ahead > self.late, np.int16(Quality.LATE), np.int16(0))
        return times, np.where(insane, np.int16(Quality.CLOCK), late).astype(np.int16)
