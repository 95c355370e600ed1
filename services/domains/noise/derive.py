"""What is computed when data comes: Leq of the touched hours, Lden of the touched days."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.city.inputs import Touched, numbers
from services.city.results import Results
from services.domains.noise import levels
from tram.clock import SECOND
from tram.settings import Settings
from tram.store.database import Connection

FOLDER = Path(__file__).parent
CHANNEL = "noise"
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
QUARTER = 15 * MINUTE


def hourly(conn: Connection, touched: Touched, settings: Settings) -> Results:
    """Leq of the touched hours; `phenomenonTime` is the hour's start."""
    things = np.unique(touched.thing)
    first, last = int(touched.bucket.min()), int(touched.bucket.max())
    found = hours(conn, things, first, (last - first) // HOUR + 1)
    row, column = np.searchsorted(things, touched.thing), (touched.bucket - first) // HOUR
    results = Results()
    results.add("leq_1h", touched.thing, touched.bucket, np.round(found[row, column], 1))
    return results


def daily(conn: Connection, touched: Touched, settings: Settings) -> Results:
    """Lden of the touched days; `phenomenonTime` is the day's start (+07)."""
    results = Results()
    for day in np.unique(touched.bucket).tolist():
        things = np.unique(touched.thing[touched.bucket == day])
        found = levels.lden_of_hours(hours(conn, things, day, 24))
        results.add("lden", things, np.full(len(things), day), np.round(found, 1))
    return results


def hours(conn: Connection, things: NDArray[np.int64], first: int, count: int) -> NDArray[np.float64]:
    """Leq of `count` hours from `first` on, shape (things, count); an hour needs three of its quarters."""
    rows = numbers(conn, things, ["sound_level"], first, first + count * HOUR)
    cell = np.searchsorted(things, rows["thing"]) * count * 4 + (rows["time"] - first) // QUARTER
    cells = len(things) * count * 4
    energy = np.bincount(cell, 10.0 ** (rows["result"] / 10.0), cells).reshape(-1, count, 4)
    seen = np.bincount(cell, minlength=cells).reshape(-1, count, 4)
    n = seen.sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = 10.0 * np.log10(energy.sum(axis=-1) / n)
    return np.where((seen > 0).sum(axis=-1) >= 3, found, np.nan)
