"""Native telemetry and state: plain JSON on `tram/v1/{thing}/telemetry` and `…/state`. README.md has the rules.

The common shape (one object of numbers, by far the most messages) is read straight; everything odd goes to odd.py.
"""

from collections.abc import Callable, MutableMapping
from typing import Any

import msgspec

from devices.formats.native import odd, plain
from devices.formats.native.state import describe
from devices.formats.native.topic import thing_of
from tram.errors import PayloadError
from tram.readings import BadReading, Columns, Decoded, Message, Reading

_object = msgspec.json.Decoder(dict[str, Any]).decode
_list = msgspec.json.Decoder(list[Any]).decode
_new = tuple.__new__  # what Reading(…) and Decoded(…) come to, at half their price
_REMEMBERED = 50_000


class Native:
    """`{"ts": …, "property": value, …}`, one object or a list; and what a device says of itself."""

    name = "native"
    topics = ("tram/v1/+/telemetry", "tram/v1/+/state")

    def __init__(self) -> None:
        # Both only spare work: a telemetry topic's Thing, and property names already found sound. Emptied when full.
        self._things: dict[str, str] = {}
        self._names: set[str] = set()

    def decode(self, message: Message, memory: MutableMapping[str, Any]) -> Decoded | None:
        """Reads telemetry or state. None: a SenML pack on the shared telemetry topic (see `odd.is_senml`)."""
        topic, payload = message.topic, message.payload
        thing = self._things.get(topic)
        if thing is None:
            thing = thing_of(topic)
            if topic.endswith("/state"):
                return describe(thing, payload)
            if len(self._things) >= _REMEMBERED:
                self._things.clear()
            self._things[topic] = thing
        try:
            record = _object(payload)
        except (ValueError, RecursionError):  # UnicodeDecodeError and msgspec's errors are ValueErrors
            return self._other(thing, payload)
        readings: list[Reading] = []
        bad: list[BadReading] = []
        self._record(thing, record, readings, bad)
        return _new(Decoded, (readings, bad, ()))

    def reader(self, topic: str) -> Callable[[bytes], Columns | tuple[()] | None] | None:
        """Plain telemetry by column: see tram.readings.ColumnFormat."""
        return None if topic.endswith("/state") else plain.reader(thing_of(topic))

    def _record(self, thing: str, record: dict[str, Any], readings: list[Reading], bad: list[BadReading]) -> None:
        """One record, of the strict parser: its numbers are finite, its text is Unicode."""
        stated = record.pop("ts", None)
        if type(stated) is int and -odd.MILLIS_LIMIT < stated < odd.MILLIS_LIMIT:
            time: int | None = stated * 1000
        else:
            try:
                time = odd.time_of(stated)
            except ValueError as error:
                bad.append(BadReading(thing, "ts", f"time: {error}"))
                return
        names = self._names
        for name, value in record.items():
            if type(value) is float and name in names:
                readings.append(_new(Reading, (thing, name, value, "", time)))
            elif odd.read(thing, name, value, time, readings, bad):
                if len(names) >= _REMEMBERED:
                    names.clear()
                names.add(name)

    def _other(self, thing: str, payload: bytes) -> Decoded | None:
        """What is no plain object: lists, packs of SenML, and what the strict parser refuses."""
        if odd.is_senml_bytes(payload):
            return None
        strict = True
        try:
            document: Any = _list(payload)
        except (ValueError, RecursionError):
            document, strict = odd.parse(payload), False
        if isinstance(document, dict):
            document = [document]
        elif not isinstance(document, list):
            raise PayloadError(f"an object or a list of objects is wanted, not {odd.shown(document)}", code="type")
        elif odd.is_senml(document):
            return None
        readings: list[Reading] = []
        bad: list[BadReading] = []
        for record in document:
            if type(record) is not dict:
                bad.append(BadReading(thing, "", f"type: a record is an object, not {odd.shown(record)}"))
            elif strict:
                self._record(thing, record, readings, bad)
            else:
                odd.read_record(thing, record, readings, bad)
        return Decoded(readings, bad)


FORMAT = Native()
