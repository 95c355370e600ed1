"""Incident detection on real, labelled detectors (Twin Cities 2015): detection rate, false alarms, time to detect.

    python -m bench.incidents [--write]   # reads $TRAM_X_SHARED/data/traffic, ../shared beside the checkout without it

`--write` also writes services/domains/traffic/measured.toml, which the page of traffic shows beside every incident.

The labels are windows around anomalies, hours long, not the moments of crashes: "time to detect" counts from a window's
start. No two of the detectors are neighbours: California #8, which compares neighbours, is measured on the pair of
detectors that have occupancy, each as upstream of the other, which is far from what it was made for.
"""

import argparse
import csv
import json
import os
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from services.domains.traffic import incidents, measured
from services.domains.traffic.incidents import Measured

STEP = 300
SPEED = 40.0
"""Miles an hour in this data; the fixed threshold's default is the same number of km/h for city streets."""


def folder() -> Path:
    return Path(os.environ.get("TRAM_X_SHARED", "../shared")) / "data" / "traffic"


def read(path: Path, *, even: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """(seconds, values): in five-minute steps without gaps, NaN where there is nothing; or as they are."""
    rows = list(csv.reader(path.open(encoding="utf-8")))[1:]
    times = np.array([seconds(row[0]) for row in rows])
    if not even:  # travel times come when a vehicle has passed both ends
        return times, np.array([float(row[1]) for row in rows])
    times //= STEP
    steps = np.arange(times.min(), times.max() + 1)
    values = np.full(len(steps), np.nan)
    values[times - times.min()] = [float(row[1]) for row in rows]
    return steps * STEP, values


def seconds(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def windows(labels: dict[str, list[list[str]]], name: str) -> list[tuple[int, int]]:
    return [(seconds(start), seconds(end)) for start, end in labels[name]]


def aligned(
    a: tuple[np.ndarray, np.ndarray], b: tuple[np.ndarray, np.ndarray]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two series on the steps that both span."""
    start, end = max(a[0][0], b[0][0]), min(a[0][-1], b[0][-1])
    cut = [values[(times >= start) & (times <= end)] for times, values in (a, b)]
    return np.arange(start, end + 1, STEP), cut[0], cut[1]


def decided(times: np.ndarray, values: np.ndarray, alarm: np.ndarray, found: list[tuple[int, int]]) -> Measured:
    """Against the labels, of the steps that have a value."""
    there = ~np.isnan(values)
    return incidents.measure(times[there], alarm[there], found)


def evaluate(where: Path) -> list[tuple[str, str, Measured]]:
    """(method, series, how it did)."""
    labels = json.loads((where / "labels.json").read_text(encoding="utf-8"))
    limits = incidents.Fixed()
    found = []
    for name in sorted(labels):
        times, values = read(where / name, even=not name.startswith("TravelTime"))
        if name.startswith("occupancy"):
            alarm = incidents.fixed(values, limits.occupancy, limits.times, above=True)
            told = f"occupancy > {limits.occupancy:.0f} %, {limits.times} x"
        elif name.startswith("speed"):
            alarm = incidents.fixed(values, SPEED, limits.times, above=False)
            told = f"speed < {SPEED:.0f} mph, {limits.times} x"
        else:
            usual = np.nanmedian(values)
            alarm = incidents.fixed(values, 3.0 * usual, limits.times, above=True)
            told = f"travel time > 3 x median, {limits.times} x"
        found.append((told, name, decided(times, values, alarm, windows(labels, name))))
    names = ("occupancy_t4013.csv", "occupancy_6005.csv")
    for up, down in (names, names[::-1]):
        times, a, b = aligned(read(where / up), read(where / down))
        alarm = incidents.california(a[None], b[None])[0] == incidents.CONFIRMED
        both = np.where(np.isnan(a) | np.isnan(b), np.nan, a)
        found.append(("California #8", f"{up} above {down}", decided(times, both, alarm, windows(labels, up))))
    return found


def table(rows: list[tuple[str, str, Measured]]) -> str:
    lines = ["| method | series | detected | false alarms | false share of intervals | minutes to detect |",
             "|---|---|---|---|---|---|"]  # fmt: skip
    for method, name, m in rows:
        minutes = ", ".join(f"{value:.0f}" for value in m.minutes) or "–"
        share = f"{m.detected} of {m.windows} ({100 * m.detected / m.windows:.0f} %)"
        false = f"{m.false} ({m.false_per_day:.2f} a day) | {100 * m.false_share:.2f} %"
        lines.append(f"| {method} | {name} | {share} | {false} | {minutes} |")
    return "\n".join(lines)


def toml(rows: list[tuple[str, str, Measured]]) -> str:
    """measured.toml."""
    parts = ["# How incident detection did on labelled detectors: python -m bench.incidents --write\n"]
    for method, name, m in rows:
        mean = f"minutes = {np.mean(m.minutes):.1f}\n" if m.minutes else ""
        parts.append(
            f'[[row]]\nmethod = "{method}"\nseries = "{name}"\nwindows = {m.windows}\ndetected = {m.detected}\n'
            f"false = {m.false}\nfalse_per_day = {m.false_per_day:.2f}\nfalse_share = {m.false_share:.4f}\n{mean}"
        )
    return "\n".join(parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    where = folder()
    if not where.is_dir():
        print(f"there is no {where}: set TRAM_X_SHARED")
        return
    rows = evaluate(where)
    print(table(rows))
    if arguments.write:
        measured.FILE.write_text(toml(rows), encoding="utf-8")


if __name__ == "__main__":
    main()
