"""What a device says of itself on `tram/v1/{thing}/state`: label, kind, area, place and properties."""

from typing import Any

import msgspec

from devices.formats.native import odd
from tram.errors import PayloadError
from tram.readings import BadReading, Decoded
from tram.sensing import Location, Thing

_parse = msgspec.json.Decoder().decode
_TEXTS = ("label", "kind", "area")


def describe(thing: str, payload: bytes) -> Decoded:
    """Reads a state message: one object. An empty payload (a retained message taken back) says nothing.

    `label`, `kind`, `area` are texts; `location` is `{"lon": …, "lat": …}` with an optional `height` (WGS 84, degrees
    and metres); members of `properties`, and any other member, become properties of the Thing. null says nothing. A
    member that cannot be read is a BadReading; the rest counts.
    """
    if not payload:
        return Decoded(())
    try:
        document = _parse(payload)
    except (ValueError, RecursionError):
        document = odd.parse(payload)
    if not isinstance(document, dict):
        raise PayloadError(f"a state is an object, not {odd.shown(document)}", code="type")
    bad: list[BadReading] = []
    texts = {"label": "", "kind": "", "area": ""}
    location: Location | None = None
    properties: dict[str, Any] = {}
    inner = document.pop("properties", None)
    for name, value in [*document.items(), *(inner.items() if isinstance(inner, dict) else ())]:
        if value is None:
            continue
        try:
            if name in _TEXTS and value is document.get(name):
                texts[name] = _text(value)
            elif name == "location" and value is document.get(name):
                location = _location(value)
            else:
                odd.check_stored(name, value)
                properties[name] = value
        except ValueError as error:
            bad.append(BadReading(thing, odd.safe(name), str(error)))
    if inner is not None and not isinstance(inner, dict):
        bad.append(BadReading(thing, "properties", f"type: properties are an object, not {odd.shown(inner)}"))
    known = Thing(thing, texts["label"], texts["kind"], texts["area"] or None, location=location, properties=properties)
    return Decoded((), bad, (known,))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"type: a text is wanted, not {odd.shown(value)}")  # noqa: TRY004 - a reason, not a fault
    if len(value) > odd.NAME_LIMIT or not value.isprintable():
        raise ValueError(f"text: longer than {odd.NAME_LIMIT} characters, or not printable")
    return value.strip()


def _location(value: Any) -> Location:
    if not isinstance(value, dict):
        raise ValueError(f'type: a location is {{"lon": …, "lat": …}}, not {odd.shown(value)}')  # noqa: TRY004
    longitude, latitude = _degrees("lon", value.get("lon")), _degrees("lat", value.get("lat"))
    height = value.get("height")
    try:
        return Location(longitude, latitude, None if height is None else _degrees("height", height))
    except ValueError as error:
        raise ValueError(f"range: {error}") from None


def _degrees(key: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"type: location.{key} is a number, not {odd.shown(value)}")  # noqa: TRY004
    return odd.number(value)
