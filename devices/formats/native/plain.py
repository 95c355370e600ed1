"""Plain native telemetry by column: nothing but finite numbers, at one time. All else is codec.py's."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from devices.formats.native import odd
from tram.clock import EPOCH, MICROSECOND
from tram.readings import Columns

_object = msgspec.json.Decoder(dict[str, Any]).decode
_list = msgspec.json.Decoder(list[Any]).decode
_INTEGER = 1 << 63
_MOST_SHAPES = 50_000
_date = datetime.fromisoformat

_units: dict[tuple[str, ...], tuple[str, ...]] = {}
"""Sound shapes (the names of a record, in order) and as many empty units. Only spares work; emptied when full."""


def reader(thing: str) -> Callable[[bytes], Columns | tuple[()] | None]:
    """What reads the payloads of one Thing's telemetry topic; see tram.readings.ColumnFormat."""
    shapes, limit = _units, odd.MILLIS_LIMIT

    def read(payload: bytes) -> Columns | tuple[()] | None:
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
        units = shapes.get(names)
        if units is None:
            units = _shape(names)
            if units is None:
                return None
        values = list(record.values())
        for value in values:
            if type(value) is not float and not (type(value) is int and -_INTEGER < value < _INTEGER):
                return None  # no number, or none that a double holds
        return thing, names, units, values, [time] * len(values)

    return read


def _plain(values: list[Any]) -> bool:
    """Whether all are numbers that a double can hold."""
    return all(type(value) is float or (type(value) is int and -_INTEGER < value < _INTEGER) for value in values)


def _shape(names: tuple[str, ...]) -> tuple[str, ...] | None:
    try:
        for name in names:
            odd.check_name(name)
    except ValueError:
        return None
    if len(_units) >= _MOST_SHAPES:
        _units.clear()
    return _units.setdefault(names, ("",) * len(names))


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
    shape = tuple(names)
    units = _units.get(shape) or _shape(shape)
    return None if units is None or not _plain(values) else (thing, shape, units, values, times)
