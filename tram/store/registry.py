"""The registry: which Datastream a reading belongs to, and the Things an operator sees.

Every change notifies `CHANNEL` with the Thing's name, so that the caches of all processes stay true.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from tram.sensing import Location, ThingStatus
from tram.store.database import Connection

CHANNEL = "tram_registry"
"""NOTIFY channel; the payload is the name of the Thing that was added, accepted, refused, renamed or changed."""


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
    raise NotImplementedError


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
    conn: Connection, *, status: ThingStatus | None = None, after: str = "", limit: int = 100, search: str = ""
) -> list[ThingRow]:
    """Things by name. The next page starts `after` the last name; fewer than `limit` rows: that was all.

    `search`: part of the name or label, without regard to case; wildcard characters mean themselves.
    """
    raise NotImplementedError


def get_thing(conn: Connection, thing: int | str) -> ThingRow:
    """By id or by name. Raises NotFoundError."""
    raise NotImplementedError


def list_datastreams(
    conn: Connection, *, thing_id: int | None = None, after: int = 0, limit: int = 1000
) -> list[DatastreamRow]:
    """Datastreams by id, of one Thing or of all. The next page starts `after` the last id."""
    raise NotImplementedError


def get_datastreams(conn: Connection, ids: Sequence[int]) -> dict[int, DatastreamRow]:
    """Datastreams of these ids; the ones that do not exist are not in it."""
    raise NotImplementedError


def accept(conn: Connection, thing_id: int) -> ThingRow:
    """Makes a pending or refused Thing active: a gateway replays its waiting messages. Raises NotFoundError."""
    raise NotImplementedError


def refuse(conn: Connection, thing_id: int) -> ThingRow:
    """Refuses a Thing: its waiting messages are deleted, new ones are not stored. Raises NotFoundError."""
    raise NotImplementedError


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
    """Changes what is given and leaves the rest.

    Raises:
        NotFoundError: no such Thing, or no such area.
        ConflictError: another Thing has this name.
        PayloadError: a name that cannot be one.
    """
    raise NotImplementedError


def seen(conn: Connection, times: Mapping[int, int]) -> None:
    """Notes when Things (by id) were last heard of, in microseconds; an older time than the stored one is ignored."""
    raise NotImplementedError
