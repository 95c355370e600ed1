"""What is computed when data comes: the state of each detector and corridor, incidents, counts of passages by class."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from services.city.inputs import Cube, Touched, means
from services.city.reading import places
from services.city.results import Results
from services.domains.traffic import flow, incidents
from services.domains.traffic.network import CHANNEL, QUERIES, Corridor, corridors
from tram.clock import DAY, SECOND, from_micros
from tram.settings import Settings
from tram.store.database import Connection, available
from tram.store.wire import timestamps

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

STEP = 300 * SECOND
FRESH = timedelta(minutes=30)
"""What is older is not shown as the present."""
MEASURED = ("traffic_count", "traffic_occupancy", "traffic_speed")
CLASSES = ("motorbike", "bicycle", "car", "bus", "truck", "other")
LOOK_BACK = 36
"""Five-minute steps that an incident's state is followed over: after three hours it must show itself again."""
WEEK = 7 * DAY


def state(conn: Connection, touched: Touched, settings: Settings) -> Results:
    """Flow, density, level of service and congestion of detectors; travel times and incidents of their corridors."""
    results = Results()
    roads = corridors(conn)
    known = {one.name: one for one in places(conn, MEASURED)}
    members = {known[name].id for road in roads for name, _ in road.detectors if name in known}
    things = np.union1d(touched.thing, np.array(sorted(members), np.int64))
    last_over = (touched.now // STEP - 1) * STEP
    first, last = int(touched.bucket.min()), int(touched.bucket.max())
    end = min(last + (LOOK_BACK - 1) * STEP, last_over)
    cube = means(conn, things, MEASURED, first - (LOOK_BACK - 1) * STEP, end, STEP)
    periods = {one.id: one.properties.get("period_seconds") for one in known.values()}
    flows, speeds = detector_state(cube, periods)
    lanes = {known[name].id: road.lanes for road in roads for name, _ in road.detectors if name in known}
    wanted = np.zeros(flows.shape, bool)
    wanted[np.searchsorted(things, touched.thing), (touched.bucket - cube.first) // STEP] = True
    at = np.nonzero(wanted)
    ids, starts = cube.things[at[0]], cube.starts[at[1]]
    dense = flow.density(flows, speeds)
    by_name = {name: one.id for name, one in known.items()}
    free = free_flow(conn, cube, roads, by_name, settings.utc_offset)
    ways = np.array([lanes.get(id, 1) for id in cube.things.tolist()])
    served = flow.service_by_density(dense / ways[:, None])
    results.add("traffic_flow", ids, starts, np.round(flows[at], 1))
    results.add("traffic_density", ids, starts, np.round(dense[at], 2))
    edition = {"edition": flow.EDITION}
    results.add("level_of_service", ids, starts, served[at], [edition] * len(ids))
    results.add("congestion_index", ids, starts, np.round(flow.congestion(speeds, free)[at], 1))
    low = incidents.Fixed()
    fixed = incidents.fixed(cube.of("traffic_occupancy"), low.occupancy, low.times, above=True)
    heard = np.where(np.isnan(cube.of("traffic_occupancy")), np.nan, fixed)
    after = wanted.copy()
    after[:, 1:] |= wanted[:, :-1]
    again = np.nonzero(after & (cube.starts <= last_over))
    results.add("incident_threshold", cube.things[again[0]], cube.starts[again[1]], heard[again])
    for road in roads:
        results.join(_corridor(road, cube, wanted, flows, speeds, free, by_name))
    return results


def detector_state(cube: Cube, periods: Mapping[int, object]) -> tuple[Floats, Floats]:
    """(vehicles an hour, km/h) of each detector and step. Without a measured speed: from flow and occupancy."""
    counts, seen = cube.of("traffic_count"), cube.n[:, 0]
    flows = counts * seen * (3600.0 * SECOND / cube.width)
    for row, id in enumerate(cube.things.tolist()):
        period = periods.get(id)
        if isinstance(period, int | float) and period > 0:  # then a lost message does not look like fewer cars
            flows[row] = counts[row] * 3600.0 / float(period)
    measured = cube.of("traffic_speed")
    return flows, np.where(np.isnan(measured), flow.speed(flows, cube.of("traffic_occupancy")), measured)


def free_flow(
    conn: Connection, cube: Cube, roads: Sequence[Corridor], known_ids: Mapping[str, int], offset: int
) -> Floats:
    """Free-flow speed of each detector and step: its corridor's, else of the week before the step's day (+07)."""
    found = np.full(cube.n[:, 0].shape, np.nan)
    days = (cube.starts + offset * 3600 * SECOND) // DAY
    for day in np.unique(days).tolist():
        until = day * DAY - offset * 3600 * SECOND
        since, end = timestamps(np.array([until - WEEK, until]))
        with available():
            rows = conn.execute(
                QUERIES["free_flow"], {"things": cube.things.tolist(), "since": since, "until": end}
            ).fetchall()
        for thing, speed in rows:
            if speed is not None:
                found[np.searchsorted(cube.things, thing), days == day] = speed
    for road in roads:
        if road.free is not None:
            for name, _ in road.detectors:
                if name in known_ids:
                    found[np.searchsorted(cube.things, known_ids[name])] = road.free
    return found


def _corridor(
    road: Corridor, cube: Cube, wanted: NDArray[np.bool_], flows: Floats, speeds: Floats, free: Floats,
    known: Mapping[str, int],
) -> Results:  # fmt: skip
    results = Results()
    detectors = [(known[name], km) for name, km in road.detectors if name in known]
    if len(detectors) < 2:
        return results
    rows = np.searchsorted(cube.things, [id for id, _ in detectors])
    lengths = flow.segments(np.array([km for _, km in detectors]), road.km)
    columns = np.flatnonzero(wanted[rows].any(axis=0))
    if not len(columns):
        return results
    who, starts = np.full(len(columns), road.thing), cube.starts[columns]
    seconds = flow.travel_time(lengths, speeds[np.ix_(rows, columns)])
    results.add("corridor_travel_time", who, starts, np.round(seconds, 1))
    unhindered = lengths[:, None] / free[np.ix_(rows, columns)] * 3600.0
    by_flow = flow.bpr(unhindered, flows[np.ix_(rows, columns)], road.capacity).sum(axis=0)
    results.add("corridor_travel_time_bpr", who, starts, np.round(by_flow, 1))
    occupancy = cube.of("traffic_occupancy")[rows]
    # What was touched is in the states of the LOOK_BACK steps after it; each state is a function of that window alone.
    reached = np.zeros(wanted.shape[1], bool)
    for column in columns.tolist():
        reached[column : column + LOOK_BACK] = True
    at = np.flatnonzero(reached)
    at = at[at >= LOOK_BACK - 1]
    pairs = len(rows) - 1
    windows = np.lib.stride_tricks.sliding_window_view(occupancy, LOOK_BACK, axis=1)[:, at - (LOOK_BACK - 1)]
    above, below = (part.reshape(-1, LOOK_BACK) for part in (windows[:-1], windows[1:]))
    told = incidents.california(above, below)[:, -1].reshape(pairs, len(at)).astype(np.float64)
    told[np.isnan(occupancy[:-1][:, at]) | np.isnan(occupancy[1:][:, at])] = np.nan
    results.add("incident_california", np.repeat(cube.things[rows[:-1]], len(at)), np.tile(cube.starts[at], pairs),
                told.ravel())  # fmt: skip
    return results


def passages(conn: Connection, touched: Touched, settings: Settings) -> Results:
    """Vehicles by class in the touched five minutes; a class that is not known counts as other."""
    first, last = int(touched.bucket.min()), int(touched.bucket.max())
    told = {"things": np.unique(touched.thing).tolist(), "width": STEP, "start": from_micros(first),
            "last": from_micros(last + STEP - 1)}  # fmt: skip
    with available():
        rows = conn.execute(QUERIES["passages"], told).fetchall()
    counts: dict[tuple[int, int], dict[str, int]] = {}
    for thing, bucket, kind, n in rows:
        name = kind if kind in CLASSES else "other"
        mine = counts.setdefault((thing, bucket * STEP), {})
        mine[name] = mine.get(name, 0) + n
    keys = list(zip(touched.thing.tolist(), touched.bucket.tolist(), strict=True))
    results = Results()
    for name in CLASSES:
        values = [float(counts[key].get(name, 0)) if key in counts else np.nan for key in keys]
        results.add(f"count_{name}", [key[0] for key in keys], [key[1] for key in keys], values)
    return results


__all__ = ["CHANNEL", "passages", "state"]
