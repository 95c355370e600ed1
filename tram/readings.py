"""What a payload says, before anyone knows its Datastream: the contract between formats and the gateway.

A format's codec is pure: bytes and a topic in, a `Decoded` out. It has no clock and no memory of its own (a convention
that names its fields in an earlier message keeps that in the `memory` it is handed). Bad readings never hide good ones:
each is returned with its reason beside the readings that are stored.
"""

import struct
from collections.abc import Callable, MutableMapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from tram.sensing import Micros, Thing


class Message(NamedTuple):
    """One MQTT message as it was received. `received` is the gateway's clock when it was read from the socket."""

    topic: str
    payload: bytes
    received: Micros
    username: str = ""


class Reading(NamedTuple):
    """One value of one property of one Thing.

    Attributes:
        thing: the Thing's name on the wire.
        property: the property in the source's words; nested names joined with dots.
        value: a finite float (never an int), or (for what is no number) bool, str, or JSON-able list or dict, that
            PostgreSQL can store: valid Unicode without NUL.
        unit: UCUM, or "" when the source states none.
        time: the device's own time in microseconds, or None when it states none.
    """

    thing: str
    property: str
    value: float | bool | str | Sequence[Any] | dict[str, Any]
    unit: str = ""
    time: Micros | None = None


class BadReading(NamedTuple):
    """A part of a payload that could not be read. `reason` starts with a stable code: "nan: …", "type: …".

    The codes: nan, type, range, time, name, text, depth, unit, value; each format's README says when.
    """

    thing: str
    property: str
    reason: str


class Decoded(NamedTuple):
    """All that one payload said. Empty and empty is a message that carries no reading and is no error.

    Attributes:
        readings: what is to be stored.
        bad: what could not be read, each with its reason.
        things: what a device says of itself. An empty label, kind, area or location says nothing (the registry keeps
            what it has), and `properties` are merged by key; `status` is never the device's to say.
    """

    readings: Sequence[Reading]
    bad: Sequence[BadReading] = ()
    things: Sequence[Thing] = ()


@runtime_checkable
class Format(Protocol):
    """A payload convention: one folder under devices/formats, found by its name.

    `codec.py` of the folder has a module-level `FORMAT` that satisfies this.

    Attributes:
        name: the folder's name.
        topics: MQTT topic filters that speak this convention (MQTT 3.1.1 section 4.7).
    """

    name: str
    topics: tuple[str, ...]

    def decode(self, message: Message, memory: MutableMapping[str, Any]) -> Decoded | None:
        """Reads one payload.

        Returns None when the message is not of this convention, for conventions that share a topic: then the next
        format that speaks the topic is asked, in the order of the names (devices.formats.speakers).

        Raises:
            PayloadError: nothing at all can be had from it; the whole message is dead-lettered with this reason.
        """
        ...


class Shape:
    """What payloads that look alike speak of: properties of one Thing, in one order, each in its unit ("" if none).

    Equal only to itself, so that the gateway knows it at the price of a pointer, however long it is: a reader hands out
    one object for the same words, as long as it remembers them.

    Attributes:
        pack: as many numbers as there are properties to as many float64 in bytes.
    """

    __slots__ = ("pack", "properties", "thing", "units")

    def __init__(self, thing: str, properties: tuple[str, ...], units: tuple[str, ...]) -> None:
        self.thing, self.properties, self.units = thing, properties, units
        self.pack = _packer(len(properties))


@lru_cache(1024)
def _packer(n: int) -> Callable[..., bytes]:
    return struct.Struct(f"{n}d").pack


Spread = tuple[float, bytes]
"""A moment in seconds since 1970, and (Shape.pack) by how many seconds each value's time differs from it: `moments`."""

Times = Micros | None | list[Micros | None] | Spread
"""The times of one payload's values: one of all, a list of one each, or a moment and what each differs from it."""

Columns = tuple[Shape, bytes, Times]
"""The readings of one plain payload by column: what they are of, their values (Shape.pack), their times.

A bare tuple, since the gateway makes one a message. Values are finite; times as in `Reading`.
"""


def moments(base: float | NDArray[np.float64], own: NDArray[np.float64]) -> NDArray[np.int64]:
    """The microseconds of base + own seconds, rounded as `round` does. Shapes (n,) or a number, and (n,)."""
    return np.rint((base + own) * 1e6).astype(np.int64)


def readings(columns: Columns) -> list[Reading]:
    """What `Format.decode` says where a reader says these columns."""
    shape, values, times = columns
    if isinstance(times, tuple):
        each: list[Micros | None] = list(moments(times[0], np.frombuffer(times[1])).tolist())
    else:
        each = times if isinstance(times, list) else [times] * len(shape.properties)
    rows = zip(shape.properties, np.frombuffer(values).tolist(), shape.units, each, strict=True)
    return [Reading(shape.thing, name, value, unit, time) for name, value, unit, time in rows]


@runtime_checkable
class ColumnFormat(Format, Protocol):
    """A format whose plain payloads can be had by column, at a fraction of the cost. Optional: `decode` always stands.

    A device says the same names in the same order every time; by column the gateway looks a whole payload up at once.
    """

    def reader(self, topic: str) -> Callable[[bytes], Columns | tuple[()] | None] | None:
        """A function that reads the payloads of one topic, or None where this topic has no plain form.

        It is kept for the topic, so the topic is parsed once. It says exactly what `decode` would say, with () where
        `decode` returns None, or it returns None for whatever is not plain: a value that is no finite number, a bad
        reading, a time relative to the receive time, text that is no JSON. The gateway then asks `decode`. It never
        raises.
        """
        ...
