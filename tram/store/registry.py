"""The registry: the Things and Datastreams that there are. What finds or makes them for readings: tram.store.resolver.

Every change of a Thing notifies `CHANNEL` with its name (a trigger does): every process's cache stays true.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import psycopg

from tram.errors import ConflictError, NotFoundError, PayloadError
from tram.sensing import Location, Thing, ThingStatus
from tram.store import sqlfile
from tram.store.batch import encode_json, storable_text
from tram.store.database import Connection, available
from tram.store.resolver import Held, Key, Refused, Resolution, Resolved, name_fault, resolve

__all__ = [
    "CHANNEL", "DatastreamRow", "Held", "Key", "Refused", "Resolution", "Resolved", "ThingRow", "accept", "describe",
    "get_datastreams", "get_thing", "list_datastreams", "list_things", "places", "put", "refuse", "resolve", "seen",
]  # fmt: skip

CHANNEL = "tram_registry"
"""NOTIFY channel; the payload is the name of the Thing that was added, accepted, refused, renamed or changed."""


@dataclass(frozen=True, slots=True)
class ThingRow:
    """A Thing as stored. `waiting` and `dropped`: messages held while it is pending, and those that were too many."""

    id: int
    name: str
    label: str
    kind: str
    status: ThingStatus
    area: str | None
    location: Location | None
    properties: Mapping[str, Any]
    created: datetime
    seen: datetime | None
    datastreams: int
    waiting: int
    dropped: int


@dataclass(frozen=True, slots=True)
class DatastreamRow:
    """A Datastream as stored."""

    id: int
    thing_id: int
    thing: str
    property: str
    labels: Mapping[str, str]
    unit: str
    created: datetime


def list_things(
    conn: Connection,
    *,
    status: ThingStatus | None = None,
    kind: str | None = None,
    area: str | None = None,
    after: str = "",
    limit: int = 100,
    search: str = "",
) -> list[ThingRow]:
    """Things by name. The next page starts `after` the last name; fewer than `limit` rows: that was all.

    `search`: part of the name or label, without regard to case; wildcard characters mean themselves.
    """
    pattern = None
    if search:
        escaped = storable_text(search).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        pattern = f"%{escaped}%"
    arguments = {
        "after": storable_text(after),
        "status": status,
        "kind": None if kind is None else storable_text(kind),
        "area": None if area is None else storable_text(area),
        "pattern": pattern,
        "limit": limit,
    }
    with available():
        return [_thing(row) for row in conn.execute(sqlfile.load("registry")["list_things"], arguments)]


def get_thing(conn: Connection, thing: int | str) -> ThingRow:
    """By id or by name. Raises NotFoundError."""
    by_id = isinstance(thing, int)
    arguments = {"id": thing if by_id else None, "name": None if by_id else storable_text(str(thing))}
    with available():
        row = None
        if not by_id or -(2**31) <= int(thing) < 2**31:
            row = conn.execute(sqlfile.load("registry")["get_thing"], arguments).fetchone()
    if row is None:
        raise NotFoundError(f"there is no Thing {thing!r}")
    return _thing(row)


def places(conn: Connection) -> list[tuple[str, str | None, bool]]:
    """(name, area, public) of every Thing: what authorisation asks. Public: it was opened to everybody."""
    with available():
        return list(conn.execute(sqlfile.load("registry")["places"]).fetchall())


def list_datastreams(
    conn: Connection, *, thing_id: int | None = None, after: int = 0, limit: int = 1000
) -> list[DatastreamRow]:
    """Datastreams by id, of one Thing or of all. The next page starts `after` the last id."""
    arguments = {"after": after, "thing": thing_id, "ids": None, "limit": limit}
    with available():
        return [DatastreamRow(*row) for row in conn.execute(sqlfile.load("registry")["list_datastreams"], arguments)]


def get_datastreams(conn: Connection, ids: Sequence[int]) -> dict[int, DatastreamRow]:
    """Datastreams of these ids; the ones that do not exist are not in it."""
    arguments = {"after": 0, "thing": None, "ids": list(ids), "limit": None}
    with available():
        rows = conn.execute(sqlfile.load("registry")["list_datastreams"], arguments).fetchall()
    return {row[0]: DatastreamRow(*row) for row in rows}


def accept(conn: Connection, thing_id: int) -> ThingRow:
    """Makes a pending or refused Thing active: a gateway replays its waiting messages. Raises NotFoundError."""
    return _set_status(conn, thing_id, ThingStatus.ACTIVE)


def refuse(conn: Connection, thing_id: int) -> ThingRow:
    """Refuses a Thing: its waiting messages are deleted, new ones are not stored. Raises NotFoundError."""
    refused = _set_status(conn, thing_id, ThingStatus.REFUSED)
    with available():
        conn.execute(sqlfile.load("registry")["forget_waiting"], (thing_id,))
    return replace(refused, waiting=0)


def describe(
    conn: Connection,
    thing_id: int,
    *,
    name: str | None = None,
    label: str | None = None,
    kind: str | None = None,
    area: str | None = None,
    location: Location | None = None,
    properties: Mapping[str, Any] | None = None,
) -> ThingRow:
    """Changes what is given and leaves the rest; the area "" takes the Thing out of its area.

    An error leaves the transaction to be rolled back.

    Raises:
        NotFoundError: no such Thing, or no such area.
        ConflictError: another Thing has this name.
        PayloadError: a name that cannot be one.
    """
    fault = name_fault(name, "thing") if name is not None else None
    if fault:
        raise PayloadError(fault, code="name")
    arguments = {
        "id": thing_id,
        "name": name,
        "label": None if label is None else storable_text(label),
        "kind": None if kind is None else storable_text(kind),
        "area": area,
        "place": location is not None,
        "longitude": location.longitude if location else None,
        "latitude": location.latitude if location else None,
        "height": location.height if location else None,
        "properties": None if properties is None else encode_json(dict(properties)).decode(),
    }
    try:
        with available():
            row = conn.execute(sqlfile.load("registry")["describe"], arguments).fetchone()
    except psycopg.errors.UniqueViolation:
        raise ConflictError(f"another Thing is called {name!r}") from None
    except psycopg.errors.ForeignKeyViolation:
        raise NotFoundError(f"there is no area {area!r}") from None
    if row is None:
        raise NotFoundError(f"there is no Thing {thing_id}")
    return get_thing(conn, thing_id)


def put(conn: Connection, thing: Thing) -> ThingRow:
    """Adds a Thing as described, or describes the one of this name anew; the status of one that exists stays.

    Raises:
        NotFoundError: no such area.
        PayloadError: a name that cannot be one.
    """
    fault = name_fault(thing.name, "thing")
    if fault:
        raise PayloadError(fault, code="name")
    with available():
        conn.execute(sqlfile.load("registry")["add_thing"], (thing.name, thing.status))
    return describe(
        conn, get_thing(conn, thing.name).id, label=thing.label, kind=thing.kind, area=thing.area or "",
        location=thing.location, properties=thing.properties,
    )  # fmt: skip


def seen(conn: Connection, times: Mapping[int, int]) -> None:
    """Notes when Things (by id) were last heard of, in microseconds; an older time than the stored one is ignored."""
    if not times:
        return
    # In order, so that two gateways never deadlock. As text: the driver would take twenty times as long for two lists.
    ids, moments = zip(*sorted(times.items()), strict=True)
    arguments = {"ids": f"{{{','.join(map(str, ids))}}}", "times": f"{{{','.join(map(str, moments))}}}"}
    with available():
        conn.execute(sqlfile.load("registry")["seen"], arguments)


def _set_status(conn: Connection, thing_id: int, status: ThingStatus) -> ThingRow:
    with available():
        row = conn.execute(sqlfile.load("registry")["set_status"], {"id": thing_id, "status": status}).fetchone()
    if row is None:
        raise NotFoundError(f"there is no Thing {thing_id}")
    return get_thing(conn, thing_id)


def _thing(row: Sequence[Any]) -> ThingRow:
    (id, name, label, kind, status, area, longitude, latitude, height, properties, created, seen, dropped, datastreams,
     waiting) = row  # fmt: skip
    location = None if longitude is None else Location(longitude, latitude, height)
    return ThingRow(id, name, label, kind, ThingStatus(status), area, location, properties, created, seen, datastreams,
                    waiting, dropped)  # fmt: skip
