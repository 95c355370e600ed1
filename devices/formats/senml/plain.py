"""Plain SenML by column: a JSON pack of numbers of one Thing whose base values stand in its first record only.

Only the labels that such packs use are parsed, and records become columns at once, with no Python loop a record; all
else is codec.py's.
"""

from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np

from devices.formats.senml.naming import check, split
from devices.formats.senml.pack import RELATIVE, TIME_LIMIT
from devices.formats.senml.records import UNIT_LIMIT
from devices.formats.senml.units import ucum_of
from tram.readings import Columns
from tram.sensing import Micros

_MOST_SHAPES = 10_000

Shape = tuple[str, tuple[str, ...], tuple[str, ...]]
"""(thing, properties, units)."""
ShapeKey = tuple[str | None, str | None, tuple[str, ...], tuple[str | None, ...]]
"""All that a Shape depends on: base name, base unit, names, units."""

_shapes: dict[tuple[str, ShapeKey], Shape | None] = {}
"""How the names of a pack were cut. Only spares work; emptied when full."""


class Record(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A record with the labels of nearly all packs; one with any other label is not plain."""

    n: str = ""
    u: str | None = None
    v: float | None = None
    t: float = 0.0
    bn: str | None = None
    bt: float | None = None
    bu: str | None = None


_parse = msgspec.json.Decoder(list[Record]).decode


def reader(fallback: str) -> Callable[[bytes], Columns | tuple[()] | None]:
    """What reads the packs of one topic; `fallback` is the Thing that the topic names."""

    def read(payload: bytes) -> Columns | tuple[()] | None:
        try:
            records = _parse(payload)
        except (ValueError, RecursionError):
            return None
        if not records:
            return fallback, (), (), [], []
        first, others = records[0], len(records) - 1
        for base in ([r.bn for r in records], [r.bt for r in records], [r.bu for r in records]):
            if base.count(None) < others or (base[0] is None and base.count(None) == others):
                return None  # base values that change on the way
        if first.v is None:  # it sets base values and no more
            del records[0]
        values: list[Any] = [r.v for r in records]
        key = fallback, (first.bn, first.bu, tuple([r.n for r in records]), tuple([r.u for r in records]))
        try:
            shape = _shapes[key]
        except KeyError:
            shape = _remember(key)
        times = _times(first.bt or 0.0, [r.t for r in records])
        if shape is None or times is None or None in values:
            return None
        return *shape, values, times

    return read


def _remember(key: tuple[str, ShapeKey]) -> Shape | None:
    if len(_shapes) >= _MOST_SHAPES:
        _shapes.clear()
    _shapes[key] = shape = _shape(*key)
    return shape


def _shape(fallback: str, key: ShapeKey) -> Shape | None:
    """How names are cut, or None where `decode` has to say what is wrong, or the pack speaks of several Things."""
    base, base_unit, names, units = key[0] or "", key[1] or "", key[2], key[3]
    things: set[str] = set()
    properties: list[str] = []
    codes: list[str] = []
    for name, own in zip(names, units, strict=True):
        unit = base_unit if own is None else own
        if any(len(sent) > UNIT_LIMIT or not sent.isprintable() for sent in (unit, base_unit)):
            return None
        try:
            check(base + (name or ""))
        except ValueError:
            return None
        thing, prop = split(base, name or "", unit, fallback)
        things.add(thing)
        properties.append(prop)
        codes.append(ucum_of(unit))
    return (things.pop(), tuple(properties), tuple(codes)) if len(things) == 1 else None


def _times(base: float, own: list[float]) -> list[Micros | None] | None:
    """Absolute times, or None where one is relative to the time of receipt."""
    if not any(own):
        if base == 0.0:
            return [None] * len(own)
        return [round(base * 1e6)] * len(own) if RELATIVE <= base < TIME_LIMIT else None
    if base + min(own) < RELATIVE or base + max(own) >= TIME_LIMIT:
        return None
    # rint rounds a half to the even number, as round() does.
    times: list[Micros | None] = np.rint((np.array(own) + base) * 1e6).astype(np.int64).tolist()
    return times
