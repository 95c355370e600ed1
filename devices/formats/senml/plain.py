"""Plain SenML by column: a JSON pack of numbers of one Thing whose base values stand in its first record only.

Records become columns at once (no Python loop a record but the one that makes times); all else is codec.py's.
"""

from collections.abc import Callable
from math import isfinite

from msgspec.structs import astuple

from devices.formats.senml.naming import check, split
from devices.formats.senml.pack import RELATIVE, TIME_LIMIT
from devices.formats.senml.records import UNIT_LIMIT, VERSION, parse_plain
from devices.formats.senml.units import ucum_of
from tram.readings import Columns
from tram.sensing import Micros

_MOST_SHAPES = 10_000

Shape = tuple[str, tuple[str, ...], tuple[str, ...]]
"""(thing, properties, units)."""
ShapeKey = tuple[str | None, str | None, tuple[str | None, ...], tuple[str | None, ...]]
"""All that a Shape depends on: base name, base unit, names, units."""

_shapes: dict[tuple[str, ShapeKey], Shape | None] = {}
"""How the names of a pack were cut. Only spares work; emptied when full."""


def reader(fallback: str) -> Callable[[bytes], Columns | tuple[()] | None]:
    """What reads the packs of one topic; `fallback` is the Thing that the topic names."""

    def read(payload: bytes) -> Columns | tuple[()] | None:
        try:
            records = parse_plain(payload)
        except (ValueError, RecursionError):
            return None
        if not records:
            return fallback, (), (), [], []
        first = records[0]
        # Columns, in the order of Record's fields.
        bn, bt, bu, bv, bs, bver, n, u, v, vs, vb, vd, s, t, _ = zip(*map(astuple, records), strict=True)
        size = len(records)
        for base in (bn, bt, bu, bv, bs, bver):
            if base.count(None) < size and (base[0] is None or base.count(None) < size - 1):
                return None  # base values that change on the way
        for kind in (s, vs, vb, vd):
            if kind.count(None) < size:
                return None  # sums, texts, booleans, data
        if first.v is None:  # it sets base values and no more
            n, u, v, t = n[1:], u[1:], v[1:], t[1:]
        if None in v or (first.bver is not None and not 0 < first.bver <= VERSION):
            return None
        key = fallback, (first.bn, first.bu, n, u)
        try:
            shape = _shapes[key]
        except KeyError:
            shape = _remember(key)
        times = _times(first.bt or 0.0, t)
        values: list[float] = [value + first.bv for value in v] if first.bv else list(v)
        if shape is None or times is None or (first.bv and not all(map(isfinite, values))):
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


def _times(base: float, own: tuple[float | None, ...]) -> list[Micros | None] | None:
    """Absolute times, or None where one is relative to the time of receipt."""
    if own.count(None) == len(own):
        if base == 0.0:
            return [None] * len(own)
        return [round(base * 1e6)] * len(own) if RELATIVE <= base < TIME_LIMIT else None
    seconds = [base if t is None else base + t for t in own]
    if min(seconds) < RELATIVE or max(seconds) >= TIME_LIMIT:
        return None
    return [round(s * 1e6) for s in seconds]
