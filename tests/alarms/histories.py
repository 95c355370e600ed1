"""Random rules and random histories for them: late, out of order, twice, silent, no numbers."""

import math
from typing import Any

from hypothesis import strategies as st

from tram.alarms.plan import Catalogue, Place
from tram.alarms.rules import Rule, read

START = 1_767_225_600_000_000  # 2026-01-01T00:00:00Z, a Thursday
SECOND = 1_000_000
PROPERTIES = ("a", "b", "longitude", "latitude")
THINGS = (11, 12, 13)
BOX = {"type": "Polygon", "coordinates": [[[0.5, 0.5], [3.5, 0.5], [3.5, 3.5], [0.5, 3.5], [0.5, 0.5]]]}

spans = st.sampled_from(["5s", "10s", "30s", "1m", "3m"])
names = st.sampled_from(["a", "b"])
ops = st.sampled_from([">", ">=", "<", "<="])
values = st.sampled_from([0.0, 1.0, 2.0, 3.0, 4.0])
bands = st.sampled_from([0.0, 1.0, 2.0])

simple = st.one_of(
    st.builds(lambda p, o, v, d: {"type": "threshold", "property": p, "op": o, "value": v, "deadband": d},
              names, ops, values, bands),
    st.builds(lambda p, o, v, d, w: {"type": "rate", "property": p, "op": o, "value": v - 2, "deadband": d,
                                     "per": "10s", "window": w}, names, ops, values, bands, spans),
    st.builds(lambda o, v, d, by: {"type": "compare", "left": {"property": "a"}, "right": {"property": "b"}, "by": by,
                                   "op": o, "value": v, "deadband": d}, ops, values, bands,
              st.sampled_from(["difference", "ratio"])),
    st.builds(lambda p, a: {"type": "no-data", "property": p, "after": a}, st.sampled_from(["a", "b", "*"]), spans),
    st.builds(lambda on: {"type": "geofence", "on": on, "polygon": BOX},
              st.sampled_from(["enter", "leave", "inside", "outside"])),
)  # fmt: skip
schedule = st.builds(
    lambda days, start, end: {"type": "schedule", "days": days, "start": start, "end": end},
    st.lists(st.sampled_from(["wed", "thu", "fri"]), min_size=1, max_size=2, unique=True),
    st.sampled_from(["06:59", "07:01", "07:02"]), st.sampled_from(["07:00", "07:03", "24:00"]),
)  # fmt: skip
conditions = st.one_of(
    simple,
    st.builds(lambda t, a, b: {"type": t, "of": [a, b]}, st.sampled_from(["all", "any"]), simple, simple | schedule),
    st.builds(lambda a, b, c: {"type": "any", "of": [{"type": "all", "of": [a, b]}, c]}, simple, schedule, simple),
)
repeats = st.builds(lambda n, w: {"times": n, "within": w}, st.integers(2, 4), spans)


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    levels: list[dict[str, Any]] = []
    for priority in ("low", "medium", "critical")[: draw(st.integers(1, 3))]:
        level = {"priority": priority, "when": draw(conditions)}
        if draw(st.booleans()):
            level["for"] = draw(spans)
        if draw(st.integers(0, 3)) == 0:
            level["repeat"] = draw(repeats)
        levels.append(level)
    return read({"id": "r", "vi": "x", "en": "x", "scope": {"all": True}, "late": draw(spans), "levels": levels})


Row = tuple[int, str, int, float]
"""Thing, property, time, value."""


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[int, list[Row]]]:
    """Batches: when it was stored, and its rows. Times are in whole seconds near that, some much earlier."""
    stored, batches, seen = START, [], set[tuple[int, str, int]]()
    for _ in range(draw(st.integers(1, 12))):
        stored += draw(st.sampled_from([1, 2, 5, 7, 20, 60, 200])) * SECOND
        rows: list[Row] = []
        for _ in range(draw(st.integers(0, 8))):
            thing, name = draw(st.sampled_from(THINGS)), draw(st.sampled_from(PROPERTIES))
            t = stored - draw(st.sampled_from([-2, 0, 0, 0, 1, 1, 2, 3, 5, 9, 20, 45, 90])) * SECOND
            v = draw(st.sampled_from([0.0, 1.0, 2.0, 3.0, 4.0, 5.0, math.nan]))
            for one in ("longitude", "latitude") if name == "longitude" else (name,):
                if draw(st.integers(0, 9)) or (thing, one, t) not in seen:  # now and then the same once more: corrected
                    rows.append((thing, one, t, v))
                    seen.add((thing, one, t))
        batches.append((stored, rows))
    return batches


def catalogue() -> Catalogue:
    """Three Things with every property; the Datastream of Thing 12's second property is 122."""
    streams = [(thing * 10 + k, thing, name) for thing in THINGS for k, name in enumerate(PROPERTIES, 1)]
    return Catalogue({thing: Place(thing, f"t{thing}", kind="k") for thing in THINGS}, streams)


def stream(thing: int, name: str) -> int:
    return thing * 10 + PROPERTIES.index(name) + 1
