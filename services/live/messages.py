"""The messages of `/live`: tagged unions with bounded fields. docs/live-protocol.md explains each.

Times called `t` and `now` are microseconds since 1970-01-01T00:00:00Z. `seq` is a place in the stream: it is compared
for equality and handed back, never computed with; every hub understands every hub's.
"""

from enum import IntEnum
from typing import Annotated, Any, Literal

import msgspec

from tram.alarms.model import Alarm, AlarmChange

VERSION = 1
LARGEST = 65_536
"""Bytes of a client's message; a larger one closes the socket with 1009."""
FASTEST = 20.0
"""Most value updates a second that a subscription may ask for."""

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
Names = Annotated[list[Name], msgspec.Meta(min_length=1, max_length=1_000)]
Severity = Literal["low", "medium", "high", "critical"]


class Close(IntEnum):
    """Why the hub closes a socket, beside RFC 6455's own 1001, 1009, 1011 and 1012."""

    MALFORMED = 4400
    """What came is no message of this protocol: the client is wrong, coming back does not help."""
    SIGNED_OUT = 4401
    """Nobody is signed in, or no longer: sign in, then come back."""
    FORBIDDEN = 4403
    """No rule lets this person follow live values."""
    NOT_READING = 4408
    """What was sent was not read for long: come back."""
    FLOODING = 4429
    """Too many messages: come back after some seconds."""
    FULL = 4503
    """The hub has no room, or its data is not there yet: come back after some seconds."""


class Message(msgspec.Struct, tag_field="op", kw_only=True, omit_defaults=True):
    """A message; unknown fields are ignored, so that a newer side may say more."""


class Filter(msgspec.Struct, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What is followed: of every list that is given one must fit. No list at all: everything one may see."""

    things: Names | None = None
    """Names of Things on the wire."""
    areas: Names | None = None
    """Codes of areas, with all below them."""
    properties: Names | None = None
    """Names of ObservedProperties."""
    domains: Names | None = None
    """Kinds of Things: air, river, traffic …"""
    severity: Severity | None = None
    """The least priority of alarms; values are not concerned."""


# --- from the client -------------------------------------------------------------------------------------------------


class Subscribe(Message, tag="subscribe"):
    """Follow. An `id` that is in use is replaced. With `after` (a `seq`) it goes on from there where it can."""

    id: Id
    filter: Filter = msgspec.field(default_factory=Filter)
    rate: Annotated[float, msgspec.Meta(ge=0.1, le=FASTEST)] = 4.0
    values: bool = True
    alarms: bool = True
    after: Annotated[str, msgspec.Meta(max_length=64)] | None = None


class Unsubscribe(Message, tag="unsubscribe"):
    """Follow it no more; one that is not there is no error."""

    id: Id


class Resync(Message, tag="resync"):
    """A fresh snapshot of a subscription, please."""

    id: Id


class Ping(Message, tag="ping"):
    """Answered at once; `at` comes back unread."""

    at: float


ClientMessage = Subscribe | Unsubscribe | Resync | Ping


# --- from the hub ----------------------------------------------------------------------------------------------------


class Stream(msgspec.Struct, frozen=True, gc=False):
    """One Datastream of a Thing; `unit` is UCUM."""

    id: int
    property: str
    unit: str


class Thing(msgspec.Struct, frozen=True):
    """A Thing with those of its Datastreams that are followed. `location`: longitude, latitude (WGS 84)."""

    id: int
    name: str
    label: str
    kind: str
    area: str | None
    location: list[float] | None
    streams: list[Stream]


class Hello(Message, tag="hello"):
    """The first message. A client that hears nothing for three times `beat` seconds opens a new socket."""

    version: int
    hub: str
    beat: float
    limits: dict[str, float]


class Snapshot(Message, tag="snapshot"):
    """All of a subscription, in the place of whatever was there. `reason`: subscribed, asked, old (too long ago to go
    on from), slow (not read for long), registry, rights, rebuilt (the hub read everything anew).

    A value is `[stream, t, result]` or `[stream, t, result, quality]`; a result is a number, or any JSON."""

    id: str
    seq: str
    reason: str
    things: list[Thing] = []
    values: list[list[Any]] = []
    alarms: list[Alarm] = []


class Events(Message, tag="events"):
    """What is new between `after` and `seq`; a client that is not at `after` asks for a resync.

    Applied in this order: `gone` (Things by id), `things` (each in the place of the one of its id), `values` (as in a
    snapshot; `[stream]` alone: it has none any more), `alarms` (each change holds the whole alarm: keep it unless its
    state is normal), `left` (alarms by id that fit the filter no more)."""

    id: str
    after: str
    seq: str
    gone: list[int] = []
    things: list[Thing] = []
    values: list[list[Any]] = []
    alarms: list[AlarmChange] = []
    left: list[int] = []


class Resumed(Message, tag="resumed"):
    """The answer to a `subscribe` with an `after` that can be gone on from: events follow it, no snapshot."""

    id: str
    seq: str


class Beat(Message, tag="beat"):
    """Every few seconds, whatever happens. `source`: `ok`, or `away` while the hub cannot reach the database: what is
    shown is as old as `since`."""

    now: int
    source: str = "ok"
    since: int | None = None


class Problem(Message, tag="error"):
    """A message was refused; the rest goes on. `id`: the subscription it was about, which is not there (any more).

    Codes: too-many (the filter fits more Datastreams than `limits.streams`), subscriptions (too many of them),
    unknown (no such subscription)."""

    code: str
    message: str
    id: str | None = None


class Pong(Message, tag="pong"):
    """The answer to `ping`."""

    at: float
    now: int


HubMessage = Hello | Snapshot | Events | Resumed | Beat | Problem | Pong

_client: msgspec.json.Decoder[ClientMessage] = msgspec.json.Decoder(ClientMessage)
_hub: msgspec.json.Decoder[HubMessage] = msgspec.json.Decoder(HubMessage)
_encoder = msgspec.json.Encoder()


def encode(message: Any) -> bytes:
    """Any message of either side as one JSON text."""
    return _encoder.encode(message)


def decode_client(data: bytes | str) -> ClientMessage:
    """A client's message. Raises msgspec.DecodeError (ValidationError is one), RecursionError: it is none."""
    return _client.decode(data)


def decode_hub(data: bytes | str) -> HubMessage:
    """A hub's message, for clients in Python. Raises msgspec.DecodeError."""
    return _hub.decode(data)
