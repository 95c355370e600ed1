"""How a device does: how much it sends against what is usual for it, and how much of that is good."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from tram.store import sqlfile
from tram.store.database import Connection, available

HOURS = 24
USUAL_DAYS = 7


@dataclass(frozen=True, slots=True)
class Health:
    """Of the whole hours before `now`.

    Attributes:
        per_hour: numbers stored in each of the last HOURS whole hours, oldest first.
        usual: the median of the hours of the USUAL_DAYS before those, silent ones too; None: it is younger than a day.
        share: of what is usual, how much came in the last hour; None without a usual.
        good: share of the numbers of the last HOURS that is plainly good; None: there were none.
        letters: dead letters of the last day that name it.
    """

    per_hour: list[int]
    usual: float | None
    share: float | None
    good: float | None
    letters: int


def health(conn: Connection, thing_id: int, name: str, now: datetime) -> Health:
    """From the rollups of hours."""
    last = now.replace(minute=0, second=0, microsecond=0)
    day = last - timedelta(hours=HOURS)
    first = day - timedelta(days=USUAL_DAYS)
    queries = sqlfile.load("health")
    with available():
        rows = conn.execute(queries["hours"], {"thing": thing_id, "first": first, "last": last}).fetchall()
        letters = conn.execute(queries["letters"], {"name": name}).fetchone()
    assert letters is not None
    n = {int((bucket - first).total_seconds()) // 3600: int(count) for bucket, count, _ in rows}
    before = USUAL_DAYS * 24
    begun = min(n, default=before)
    hours = [n.get(hour, 0) for hour in range(begun, before)]
    usual = float(median(hours)) if len(hours) >= 24 else None
    recent = [n.get(hour, 0) for hour in range(before, before + HOURS)]
    good = sum(int(one) for bucket, _, one in rows if bucket >= day)
    return Health(
        recent, usual, recent[-1] / usual if usual else None, good / sum(recent) if sum(recent) else None, letters[0]
    )
