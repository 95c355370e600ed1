"""The rarer shapes of native JSON, and the bad ones: each is a reading, or a reason why it is none."""

import json
import math
import re
from typing import Any, NoReturn

from tram.clock import parse_rfc3339
from tram.errors import PayloadError
from tram.readings import BadReading, Reading
from tram.sensing import Micros
from tram.units import ucum

MILLIS_LIMIT = 62_135_596_800_000
"""Times from 1 January of year 1 to as long after 1970 as that is before it: what a date can be written of."""
NAME_LIMIT = 200
"""Longest property name in characters, dots included."""
DEPTH_LIMIT = 16
"""Deepest nesting that is flattened or kept."""
TEXT_LIMIT = 4096
"""Longest text value in characters."""
UNIT_LIMIT = 40
"""Longest unit in characters."""
DIGITS_LIMIT = 400
"""Longest run of digits read as an integer: more is beyond any double."""

SENML_LABELS = frozenset(("bver", "n", "u", "v", "vs", "vb", "vd", "s", "t", "ut", "bt", "bu", "bv", "bs"))
_STARTS_WITH_BASE_NAME = re.compile(rb'\s*\[\s*\{\s*"bn"\s*:').match
_LEAF = frozenset(("value", "unit"))


def is_senml_bytes(payload: bytes) -> bool:
    """Whether bytes alone tell SenML: a CBOR array (RFC 8949), tagged or not, or JSON that begins `[{"bn":`."""
    lead = payload[:1]
    if lead == b"[" or lead.isspace():
        return _STARTS_WITH_BASE_NAME(payload) is not None
    return b"\x80" <= lead <= b"\x9f" or payload[:3] == b"\xd9\xd9\xf7"


def is_senml(document: list[Any]) -> bool:
    """Whether a list is a SenML pack: its first record has `bn`, or has no `ts` and any other SenML label."""
    first = document[0] if document else None
    if type(first) is not dict:
        return False
    return "bn" in first or ("ts" not in first and not SENML_LABELS.isdisjoint(first))


def shown(value: Any) -> str:
    """A JSON value for a reason: its kind, and the value where it is short."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    text = json.dumps(value) if isinstance(value, (str, bool, float)) or value is None else str(value)
    return text if len(text) <= 40 else f"{text[:37]}…"


def parse(payload: bytes) -> Any:
    """Reads what the strict parser refused: NaN, Infinity, 1e400, lone surrogates; they become bad readings later.

    Raises:
        PayloadError: empty, not UTF-8, not JSON, or nested too deep.
    """
    if not payload.strip():
        raise PayloadError("the payload is empty", code="empty")
    try:
        text = payload.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise PayloadError(f"not UTF-8: {error.reason} at byte {error.start}", code="utf-8") from None
    try:
        return json.loads(text, parse_int=_integer)
    except RecursionError:
        raise PayloadError("nested too deep", code="depth") from None
    except ValueError as error:
        raise PayloadError(f"not JSON: {error}", code="json") from None


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= DIGITS_LIMIT else math.inf


def time_of(stated: Any) -> Micros | None:
    """The `ts` of a record: epoch milliseconds or RFC 3339 with an offset; None (or null) states none.

    Raises:
        ValueError: anything else.
    """
    if stated is None:
        return None
    if isinstance(stated, (int, float)) and not isinstance(stated, bool):
        if not abs(stated) < MILLIS_LIMIT:  # also NaN
            raise ValueError(f"ts is no time: {shown(stated)}")
        return round(stated * 1000)
    if isinstance(stated, str):
        if "T" not in stated.upper() and " " not in stated:
            raise ValueError(f"ts is no RFC 3339 date-time: {shown(stated)}")
        try:
            micros = parse_rfc3339(stated)
        except ValueError as error:
            raise ValueError(f"ts is no RFC 3339 date-time with an offset: {shown(stated)} ({error})"[:200]) from None
        if not abs(micros) < MILLIS_LIMIT * 1000:
            raise ValueError(f"ts is no time: {shown(stated)}")
        return micros
    raise ValueError(f"ts is epoch milliseconds or RFC 3339 text, not {shown(stated)}")


def read_record(thing: str, record: dict[str, Any], readings: list[Reading], bad: list[BadReading]) -> None:
    """One record of any parser, into `readings` or `bad`."""
    try:
        time = time_of(record.pop("ts", None))
    except ValueError as error:
        bad.append(BadReading(thing, "ts", f"time: {error}"))
        return
    for name, value in record.items():
        read(thing, name, value, time, readings, bad)


def read(
    thing: str, name: str, value: Any, time: Micros | None, readings: list[Reading], bad: list[BadReading]
) -> bool:
    """Reads one member of a record into `readings` or `bad`; nested objects flatten with dots, null is no reading.

    Returns True when it was one plain number under a sound name.
    """
    pending: list[tuple[str, Any, str, int]] = [(name, value, "", 1)]
    while pending:
        name, value, unit, depth = pending.pop()
        if value is None:
            continue
        try:
            check_name(name)
            if isinstance(value, dict):
                if depth > DEPTH_LIMIT:
                    _refuse("depth", f"nested deeper than {DEPTH_LIMIT}")
                if "value" in value and value.keys() <= _LEAF and not isinstance(value["value"], dict):
                    pending.append((name, value["value"], _unit(value.get("unit")), depth + 1))
                else:
                    pending.extend((f"{name}.{key}", value[key], "", depth + 1) for key in reversed(value))
                continue
            fit = fitted(value)
            readings.append(Reading(thing, name, fit, unit, time))
            if depth == 1:
                return type(fit) is float
        except ValueError as error:
            bad.append(BadReading(thing, safe(name), str(error)))
    return False


def _unit(value: Any) -> str:
    """The unit of a `{"value": …, "unit": …}` leaf in UCUM where it is known, else as it was sent."""
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > UNIT_LIMIT or not value.isprintable():
        _refuse("unit", f"a unit is a text of at most {UNIT_LIMIT} characters, not {shown(value)}")
    return ucum(value) or value


def fitted(value: Any) -> float | bool | str | list[Any]:
    """A value as a Reading holds it.

    Raises:
        ValueError: with the reason, code first.
    """
    if isinstance(value, bool):
        return value
    if isinstance(value, (int, float)):
        return number(value)
    if isinstance(value, str):
        _check_text(value)
        return value
    if isinstance(value, list):
        check_stored("list", value)
        return value
    raise ValueError(f"type: {type(value).__name__} is no value")


def number(value: float) -> float:
    """A JSON number as a finite float. Raises ValueError with the reason."""
    try:
        fit = float(value)
    except OverflowError:
        fit = math.inf
    if fit != fit:
        _refuse("nan", "NaN is no number")
    if math.isinf(fit):
        _refuse("range", "infinite, or beyond any double")
    return fit


def check_name(name: str) -> None:
    """Whether a property may have this name. Raises ValueError with the reason."""
    if not name:
        _refuse("name", "a property without a name")
    if len(name) > NAME_LIMIT:
        _refuse("name", f"longer than {NAME_LIMIT} characters")
    if not name.isprintable():
        _refuse("name", "has characters that cannot be shown")


def _check_text(text: str) -> None:
    if len(text) > TEXT_LIMIT:
        _refuse("text", f"longer than {TEXT_LIMIT} characters")
    if "\x00" in text:
        _refuse("text", "holds a NUL character")
    if any("\ud800" <= c <= "\udfff" for c in text):
        _refuse("text", "holds half a surrogate pair")


def check_stored(name: str, value: Any) -> None:
    """Whether JSON of any shape can be kept as it is. Raises ValueError with the reason."""
    check_name(name)
    pending: list[tuple[Any, int]] = [(value, 1)]
    while pending:
        item, depth = pending.pop()
        if depth > DEPTH_LIMIT:
            _refuse("depth", f"nested deeper than {DEPTH_LIMIT}")
        if isinstance(item, list):
            pending.extend((inner, depth + 1) for inner in item)
        elif isinstance(item, dict):
            pending.extend((part, depth + 1) for pair in item.items() for part in pair)
        elif isinstance(item, str):
            _check_text(item)
        elif isinstance(item, (int, float)) and not isinstance(item, bool):
            number(item)


def safe(name: str) -> str:
    """A name that may be logged and stored whatever it holds."""
    return name[:NAME_LIMIT].encode("utf-8", "replace").decode().replace("\x00", "�")


def _refuse(code: str, text: str) -> NoReturn:
    raise ValueError(f"{code}: {text}")
