"""Plain native telemetry by column: nothing but finite numbers, at one time. All else is codec.py's."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from devices.formats.native import odd
from tram.clock import EPOCH, MICROSECOND
from tram.readings import Columns, Shape

_object = msgspec.json.Decoder(dict[str, Any]).decode
_list = msgspec.json.Decoder(list[Any]).decode
_INTEGER = 1 << 63
_MOST_SHAPES = 100_000
_date = datetime.fromisoformat

_shapes: dict[tuple[str, tuple[str, ...]], Shape] = {}
"""By Thing and the names of a record, in order: shapes whose names are sound. Only spares work; emptied when full."""
_sound: dict[tuple[str, ...], tuple[tuple[str, ...], tuple[str, ...]]] = {}
"""Sound names and as many empty units: one object for all Things alike. Emptied with the shapes."""


def reader(thing: str) -> Callable[[bytes], Columns | tuple[()] | None]:
    """What reads the payloads of one Thing's telemetry topic; see tram.readings.ColumnFormat."""
    shapes, limit = _shapes, odd.MILLIS_LIMIT

    def read(payload: bytes) -> Columns | tuple[()] | None:
        if payload[:1] == b"[":
            return _read_list(thing, payload)
        try:
            record = _object(payload)
        except (ValueError, RecursionError):
            return _read_list(thing, payload)
        stated = record.pop("ts", None)
        time: int | None = None
        if stated is not None:
            if type(stated) is int and -limit < stated < limit:
                time = stated * 1000
            elif type(stated) is str and "T" in stated:
                try:
                    time = (_date(stated) - EPOCH) // MICROSECOND
                except (ValueError, TypeError):  # no date-time; one without an offset
                    return None
                if not -limit * 1000 < time < limit * 1000:
                    return None
            else:
                return None
        names = tuple(record)
        shape = shapes.get((thing, names)) or _shape(thing, names)
        if shape is None:
            return None
        values = list(record.values())
        for value in values:
            if type(value) is not float and not (type(value) is int and -_INTEGER < value < _INTEGER):
                return None  # no number, or none that a double holds
        return shape, shape.pack(*values), time

    return read


def _plain(values: list[Any]) -> bool:
    """Whether all are numbers that a double can hold."""
    return all(type(value) is float or (type(value) is int and -_INTEGER < value < _INTEGER) for value in values)


def _shape(thing: str, names: tuple[str, ...]) -> Shape | None:
    """The shape of sound names; None where `decode` has to say what is wrong with them."""
    if len(_shapes) >= _MOST_SHAPES:
        _shapes.clear()
        _sound.clear()
    found = _sound.get(names)
    if found is None:
        try:
            for name in names:
                odd.check_name(name)
        except ValueError:
            return None
        found = _sound[names] = names, ("",) * len(names)
    shape = _shapes[thing, found[0]] = Shape(thing, *found)
    return shape


def _read_list(thing: str, payload: bytes) -> Columns | tuple[()] | None:
    if odd.is_senml_bytes(payload):
        return ()
    try:
        document = _list(payload)
    except (ValueError, RecursionError):
        return None
    if odd.is_senml(document):
        return ()
    names: list[str] = []
    values: list[Any] = []
    times: list[int | None] = []
    for record in document:
        if type(record) is not dict:
            return None
        stated = record.pop("ts", None)
        if stated is not None and (type(stated) is not int or not -odd.MILLIS_LIMIT < stated < odd.MILLIS_LIMIT):
            return None
        time = None if stated is None else stated * 1000
        for name, value in record.items():
            names.append(name)
            values.append(value)
            times.append(time)
    shape = _shapes.get((thing, tuple(names))) or _shape(thing, tuple(names))
    return None if shape is None or not _plain(values) else (shape, shape.pack(*values), times)
