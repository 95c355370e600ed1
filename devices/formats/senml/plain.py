"""Plain SenML by column: a JSON pack of numbers of one Thing whose base values stand in its first record only.

Only the labels that such packs use are parsed. A pack becomes three columns (names with units, values, times), and what
its names and units come to is looked up as a whole; all else is codec.py's.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from devices.formats.senml.naming import check, split
from devices.formats.senml.pack import RELATIVE, TIME_LIMIT
from devices.formats.senml.records import UNIT_LIMIT
from devices.formats.senml.units import ucum_of
from tram.readings import Columns, Shape
from tram.sensing import Micros

_MOST_SHAPES = 10_000

ShapeKey = tuple[str, str | None, str | None, tuple[str, ...], tuple[str | None, ...]]
"""All that a Shape depends on: the topic's Thing, base name, base unit, names, units."""

_shapes: dict[ShapeKey, Shape | None] = {}
"""How the names of a pack were cut. Only spares work; emptied when full."""


class Record(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A record after the first, with the labels of nearly all packs; one with any other label is not plain."""

    v: float
    n: str = ""
    u: str | None = None
    t: float = 0.0


class First(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """The first record. Without a value it sets base values and no more."""

    v: float | None = None
    n: str = ""
    u: str | None = None
    t: float = 0.0
    bn: str | None = None
    bt: float = 0.0
    bu: str | None = None


_parse_first = msgspec.json.Decoder(list[First]).decode
_parse_others = msgspec.json.Decoder(list[Record]).decode
_IN_ITS_PLACE = b'[{"v":0}'


def reader(fallback: str) -> Callable[[bytes], Columns | tuple[()] | None]:
    """What reads the packs of one topic; `fallback` is the Thing that the topic names."""
    shapes = _shapes

    def read(payload: bytes) -> Columns | tuple[()] | None:
        # The first brace that closes ends the first record: a plain one holds no other, and a text cut there is none.
        head, _, tail = payload.partition(b"}")
        try:
            (first,) = _parse_first(head + b"}]")
            records: list[Any] = _parse_others(_IN_ITS_PLACE + tail)
            if first.v is not None:
                records[0] = first
            elif first.u is None:
                del records[0]
            else:
                return None  # a unit of no value may still be one that refuses the pack
            own = [r.t for r in records]
            time = _time(first.bt, own)
        except (ValueError, RecursionError):
            return None
        key = fallback, first.bn, first.bu, tuple([r.n for r in records]), tuple([r.u for r in records])
        try:
            shape = shapes[key]
        except KeyError:
            shape = _remember(key)
        if shape is None:
            return None
        values = shape.pack(*[r.v for r in records])
        return shape, values, (first.bt, shape.pack(*own)) if any(own) else time

    return read


def _remember(key: ShapeKey) -> Shape | None:
    if len(_shapes) >= _MOST_SHAPES:
        _shapes.clear()
    _shapes[key] = shape = _shape(*key)
    return shape


def _shape(
    fallback: str, base: str | None, base_unit: str | None, names: tuple[str, ...], units: tuple[str | None, ...]
) -> Shape | None:
    """How names are cut, or None where `decode` has to say what is wrong, or the pack speaks of several Things."""
    base, base_unit = base or "", base_unit or ""
    things: set[str] = set()
    properties: list[str] = []
    codes: list[str] = []
    for name, own in zip(names, units, strict=True):
        unit = base_unit if own is None else own
        if any(len(sent) > UNIT_LIMIT or not sent.isprintable() for sent in (unit, base_unit)):
            return None
        try:
            check(base + name)
        except ValueError:
            return None
        thing, prop = split(base, name, unit, fallback)
        things.add(thing)
        properties.append(prop)
        codes.append(ucum_of(unit))
    return Shape(things.pop(), tuple(properties), tuple(codes)) if len(things) == 1 else None


def _time(base: float, own: list[float]) -> Micros | None:
    """The time of a pack, from which its records' own may differ.

    Raises:
        ValueError: one is relative to the time of receipt, or no date can be written of it.
    """
    if base == 0.0 and not any(own):
        return None
    if base + min(own) < RELATIVE or base + max(own) >= TIME_LIMIT:
        raise ValueError("time")
    return round(base * 1e6)
