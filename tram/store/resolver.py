"""Which Datastream a reading belongs to; Things and Datastreams are made on the way, by policy."""

import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from psycopg.types.json import Jsonb

from tram.properties import known, limits
from tram.sensing import ThingStatus
from tram.store import sqlfile
from tram.store.database import Connection, available
from tram.units import ucum

NAME_LENGTH = 255
DATASTREAMS_PER_THING = 1000
"""A Thing has some tens of properties. One that makes up a new name with every message is stopped here."""


class Key(NamedTuple):
    """What a reading calls itself on the wire. `unit` is "" when none was stated."""

    thing: str
    property: str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Resolved:
    """Where readings of a key are stored.

    Attributes:
        property: the canonical name (tram.properties), or the name as sent when it is not in the catalogue.
        unit: the UCUM unit that the Datastream is stored in (or as sent when unknown, or ""): the caller converts.
        low, high: limits of the property in that unit, NaN where there is none.
        stuck_after: repeats of one value that make a sensor stuck; 0: never.
    """

    datastream_id: int
    thing_id: int
    property: str
    unit: str
    low: float
    high: float
    stuck_after: int


@dataclass(frozen=True, slots=True)
class Held:
    """The Thing waits to be accepted: its messages go to tram.store.pending."""

    thing_id: int
    thing: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Readings of this key are not stored. `reason` is a stable code, `detail` says it to a person.

    Reasons: `name` (empty, too long, control characters), `closed` (unknown Thing under the closed policy), `refused`
    (an operator refused the Thing), `pending-full` (too many Things wait), `datastreams-full` (too many of one Thing).
    """

    reason: str
    detail: str


Resolution = Resolved | Held | Refused


def resolve(
    conn: Connection, keys: Collection[Key], policy: str, pending_things: int = 10_000
) -> dict[Key, Resolution]:
    """Finds, and by policy makes, the Things and Datastreams of `keys`. One answer for every key.

    `policy` (settings.provisioning) is about Things never seen: `open` makes them, `pending` makes them waiting,
    `closed` refuses them. New properties of a known active Thing are always taken. Several processes may resolve the
    same keys at once: one Thing, one Datastream comes of it. Never commits; commit soon, since others may wait for it.
    """
    answers: dict[Key, Resolution] = {}
    wanted: list[Key] = []
    for key in keys:
        fault = name_fault(key.thing, "thing") or name_fault(key.property, "property") or unit_fault(key.unit)
        if fault:
            answers[key] = Refused("name", fault)
        else:
            wanted.append(key)
    if not wanted:
        return answers
    with available():
        found = things(conn, {key.thing for key in wanted}, policy, pending_things)
        active: list[tuple[Key, int]] = []
        for key in wanted:
            thing = found[key.thing]
            if isinstance(thing, int):
                active.append((key, thing))
            else:
                answers[key] = thing
        if active:
            answers |= _datastreams(conn, active)
    return answers


def name_fault(name: str, what: str) -> str | None:
    """Why a text cannot be a name, or None when it can."""
    if not name:
        return f"the {what} has no name"
    if len(name) > NAME_LENGTH:
        return f"the name of the {what} has {len(name)} characters, more than {NAME_LENGTH}: {name[:40]!r}…"
    if any(unicodedata.category(letter) in ("Cc", "Cs") for letter in name):
        return f"the name of the {what} has a control character: {name[:40]!r}"
    if name != name.strip():
        return f"the name of the {what} begins or ends with a space: {name[:40]!r}"
    return None


def unit_fault(unit: str) -> str | None:
    """Why a text cannot stand as a unit, or None when it can ("" too)."""
    return name_fault(unit, "unit") if unit else None


def things(
    conn: Connection, names: Collection[str], policy: str, pending_things: int
) -> dict[str, int | Held | Refused]:
    """Finds, and by policy makes, the Things of these (sound) names: the id of an active one, or why it is not."""
    queries = sqlfile.load("registry")
    found = _by_name(conn, names)
    missing = sorted(set(names) - found.keys())
    full: list[str] = []
    if missing and policy == "open":
        conn.execute(queries["add_things"], {"names": missing, "status": ThingStatus.ACTIVE})
    elif missing and policy == "pending":
        conn.execute(queries["lock_pending"])
        row = conn.execute(queries["count_pending"]).fetchone()
        assert row is not None
        room = max(0, pending_things - row[0])
        missing, full = missing[:room], missing[room:]
        conn.execute(queries["add_things"], {"names": missing, "status": ThingStatus.PENDING})
    if policy != "closed":
        # A new statement sees what others have added and committed meanwhile.
        found |= _by_name(conn, [*missing, *full])
    answers: dict[str, int | Held | Refused] = {}
    for name in names:
        if name in found:
            id, status = found[name]
            if status is ThingStatus.ACTIVE:
                answers[name] = id
            elif status is ThingStatus.PENDING:
                answers[name] = Held(id, name)
            else:
                answers[name] = Refused("refused", f"the Thing {name!r} was refused by an operator")
        elif policy == "closed":
            answers[name] = Refused("closed", f"the Thing {name!r} is not registered, and registration is closed")
        else:
            answers[name] = Refused("pending-full", f"{pending_things} Things wait already: no room for {name!r}")
    return answers


def _by_name(conn: Connection, names: Iterable[str]) -> dict[str, tuple[int, ThingStatus]]:
    rows = conn.execute(sqlfile.load("registry")["things_by_name"], (list(names),)).fetchall()
    return {name: (id, ThingStatus(status)) for name, id, status in rows}


def _datastreams(conn: Connection, active: list[tuple[Key, int]]) -> dict[Key, Resolution]:
    queries = sqlfile.load("registry")
    places: dict[Key, tuple[int, str]] = {}
    units: dict[tuple[int, str], str] = {}
    for key, thing_id in active:
        observed = known(key.property)
        place = (thing_id, observed.name if observed else key.property)
        places[key] = place
        # A property that is not in the catalogue is stored in the first unit that it was sent in.
        units[place] = observed.unit if observed else units.get(place) or ucum(key.unit) or key.unit
    found = _found(conn, units)
    missing = sorted(units.keys() - found.keys())
    if missing:
        missing = _within_bounds(conn, missing)
        add_properties(conn, sorted({name for _, name in missing}))
        arrays = {
            "things": [thing_id for thing_id, _ in missing],
            "properties": [name for _, name in missing],
            "units": [units[place] for place in missing],
        }
        conn.execute(queries["add_datastreams"], arrays)
        found |= _found(conn, missing)
    answers: dict[Key, Resolution] = {}
    for key, place in places.items():
        if place in found:
            id, unit = found[place]
            observed = known(place[1])
            low, high = limits(observed)
            answers[key] = Resolved(id, place[0], place[1], unit, low, high, observed.stuck_after if observed else 0)
        else:
            text = f"the Thing {key.thing!r} has {DATASTREAMS_PER_THING} Datastreams: no room for {key.property!r}"
            answers[key] = Refused("datastreams-full", text)
    return answers


def _found(conn: Connection, places: Collection[tuple[int, str]]) -> dict[tuple[int, str], tuple[int, str]]:
    arrays = {"things": [thing_id for thing_id, _ in places], "properties": [name for _, name in places]}
    rows = conn.execute(sqlfile.load("registry")["datastreams_of"], arrays).fetchall()
    return {(thing_id, name): (id, unit) for thing_id, name, id, unit in rows}


def _within_bounds(conn: Connection, missing: list[tuple[int, str]]) -> list[tuple[int, str]]:
    things = sorted({thing_id for thing_id, _ in missing})
    counts: dict[int, int] = dict(conn.execute(sqlfile.load("registry")["count_datastreams"], (things,)).fetchall())
    kept = []
    for thing_id, name in missing:
        counts[thing_id] = counts.get(thing_id, 0) + 1
        if counts[thing_id] <= DATASTREAMS_PER_THING:
            kept.append((thing_id, name))
    return kept


def add_properties(conn: Connection, names: list[str]) -> None:
    """Makes the ObservedProperties of these names that are missing, as the catalogue describes them."""
    observed = [known(name) for name in names]
    arrays = {
        "names": names,
        "labels": [Jsonb(dict(o.labels) if o else {}) for o in observed],
        "definitions": [o.definition if o else "" for o in observed],
    }
    conn.execute(sqlfile.load("registry")["add_properties"], arrays)
