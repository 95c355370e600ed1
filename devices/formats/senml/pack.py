"""Bytes to resolved SenML records (RFC 8428 sections 4 to 6). Pure: the time of receipt is handed in."""

from collections.abc import Iterator
from typing import NamedTuple

from devices.formats.senml.records import Record, read
from tram.sensing import Micros

RELATIVE = 2.0**28
"""Seconds; times before this are relative to now (section 4.5.3)."""
TIME_LIMIT = 62_135_596_800.0
"""Seconds around 1970 that a date can be written of."""
TEXT_LIMIT = 4096
"""Longest text or data value in characters."""

Resolved = tuple[str, str, str, float | str | bool | None, float | None, Micros | None]
"""One record with its base values worked in: (base, name, unit, value, sum, time).

base + name is the full name, not checked here; unit as it was sent, "" if none; data is base64url text, as in JSON;
a value of None stands beside a sum; time is in microseconds, None the time of receipt. A plain tuple, since one is
made for every value of a pack.
"""


class Refused(NamedTuple):
    """One record that cannot be read, and why."""

    base: str
    name: str
    reason: str


def resolve(payload: bytes, received: Micros) -> Iterator[Resolved | Refused]:
    """Resolves a pack, record by record. A record without value and sum only sets base values.

    Raises:
        PayloadError: see `records.read`; raised before the first record.
    """
    records, faults = read(payload)
    return _resolve(records, faults, received)


def _resolve(records: list[Record], faults: dict[int, str], received: Micros) -> Iterator[Resolved | Refused]:
    base = base_unit = ""
    base_time = base_value = base_sum = 0.0
    for index, r in enumerate(records):
        if r.bn is not None:
            base = r.bn
        if r.bt is not None:
            base_time = r.bt
        if r.bu is not None:
            base_unit = r.bu
        if r.bv is not None:
            base_value = r.bv
        if r.bs is not None:
            base_sum = r.bs
        name = r.n or ""
        number = r.v
        seconds = base_time if r.t is None else base_time + r.t
        if number is not None and RELATIVE <= seconds < TIME_LIMIT and r.s is None and not faults:
            # Nearly every record: a number at an absolute time.
            number += base_value
            if number - number == 0.0 and r.vs is None and r.vb is None and r.vd is None:
                yield base, name, base_unit if r.u is None else r.u, number, None, round(seconds * 1e6)
                continue
        try:
            if index in faults:
                raise ValueError(faults[index])
            value = _value(r, base_value)
            if value is None and r.s is None:
                continue
            total = None if r.s is None else _finite(r.s + base_sum)
            time = moment(seconds, received)
        except ValueError as error:
            yield Refused(base, name, str(error))
            continue
        yield base, name, base_unit if r.u is None else r.u, value, total, time


def _value(r: Record, base_value: float) -> float | str | bool | None:
    given = [value for value in (r.v, r.vs, r.vb, r.vd) if value is not None]
    if not given:
        return None
    if len(given) > 1:
        raise ValueError("value: more than one value")
    value = given[0]
    if isinstance(value, str):
        _check_text(value)
    return value if isinstance(value, (bool, str)) else _finite(value + base_value)


def moment(seconds: float, received: Micros) -> Micros | None:
    """The absolute time of a resolved SenML time in seconds; 0 is now, which is None: the time of receipt.

    Raises:
        ValueError: no date can be written of it.
    """
    if seconds == 0.0:
        return None
    if not abs(seconds) < TIME_LIMIT:  # also NaN
        raise ValueError(f"time: {seconds:g} s is no time")
    return round(seconds * 1e6) if seconds >= RELATIVE else received + round(seconds * 1e6)


def _finite(value: float) -> float:
    if value - value != 0.0:
        raise ValueError("nan: NaN is no number" if value != value else "range: infinite, or beyond any double")
    return value


def _check_text(text: str) -> None:
    if len(text) > TEXT_LIMIT:
        raise ValueError(f"text: longer than {TEXT_LIMIT} characters")
    if "\x00" in text:
        raise ValueError("text: holds a NUL character")
    if any("\ud800" <= c <= "\udfff" for c in text):
        raise ValueError("text: holds half a surrogate pair")
