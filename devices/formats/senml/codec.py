"""SenML (RFC 8428), JSON and CBOR, as readings. README.md has the rules; pack.py resolves, naming.py splits names.

A JSON pack of plain records is read straight into structs; everything odd is read generically, record by record.
"""

from collections.abc import Callable, MutableMapping
from typing import Any

from devices.formats.senml import pack, plain
from devices.formats.senml.naming import check, printable, split, stands_alone, thing_of_topic
from devices.formats.senml.units import ucum_of, unit_of_sum
from tram.readings import BadReading, Columns, Decoded, Message, Reading

_new = tuple.__new__  # what Reading(…) and Decoded(…) come to, at half their price
_REMEMBERED = 100_000


class SenML:
    """Packs of records whose names, times, units, values and sums build on base ones."""

    name = "senml"
    topics = ("tram/v1/+/telemetry",)

    def __init__(self) -> None:
        # Only spares work: how names were cut, by (topic's Thing, base name), then by name. Emptied when full.
        self._names: dict[tuple[str, str], dict[str, tuple[str, str] | None]] = {}
        self._remembered = 0

    def decode(self, message: Message, memory: MutableMapping[str, Any]) -> Decoded | None:
        """Reads one pack. On a topic it shares it is asked after those that leave packs to it, and takes anything."""
        fallback = thing_of_topic(message.topic)
        bad: list[BadReading] = []
        readings: list[Reading] = []
        units: dict[str, str] = {"": ""}
        base = ""
        names = self._names.setdefault((fallback, base), {})
        for record in pack.resolve(message.payload, message.received):
            if isinstance(record, pack.Refused):
                bad.append(_refused(record.base, record.name, fallback, record.reason))
                continue
            own_base, name, unit, value, total, time = record
            if own_base != base:
                base = own_base
                names = self._names.setdefault((fallback, base), {})
            cut = names.get(name)
            if cut is None:
                try:
                    cut = self._cut(names, base, name, unit, fallback)
                except ValueError as error:
                    bad.append(_refused(base, name, fallback, str(error)))
                    continue
            code = units.get(unit)
            if code is None:
                code = units[unit] = ucum_of(unit)
            if value is not None:
                readings.append(_new(Reading, (cut[0], cut[1], value, code, time)))
            if total is not None:
                readings.append(Reading(cut[0], f"{cut[1]}.sum", total, unit_of_sum(code), time))
        if self._remembered > _REMEMBERED:
            self._names.clear()
            self._remembered = 0
        return _new(Decoded, (readings, bad, ()))

    def reader(self, topic: str) -> Callable[[bytes], Columns | tuple[()] | None] | None:
        """Plain JSON packs by column: see tram.readings.ColumnFormat."""
        return plain.reader(thing_of_topic(topic))

    def _cut(
        self, names: dict[str, tuple[str, str] | None], base: str, name: str, unit: str, fallback: str
    ) -> tuple[str, str]:
        """(thing, property) of a name not met before, or of one whose unit has a say (which is not remembered)."""
        self._remembered += 1
        if name not in names:
            check(base + name)
            names[name] = None if stands_alone(base, name) else split(base, name, unit, fallback)
        return names[name] or split(base, name, unit, fallback)


def _refused(base: str, name: str, fallback: str, reason: str) -> BadReading:
    thing, prop = split(printable(base), printable(name), "", fallback)
    return BadReading(thing, prop, reason)


FORMAT = SenML()
