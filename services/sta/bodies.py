"""Bodies of writes, checked against the model before anything is written. JSON is kept as it was sent."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec

from services.sta import geo
from services.sta.lexer import moment
from services.sta.model import ENTITIES, Entity
from tram.errors import TramError

DEPTH = 64
"""Most levels of a body."""
INLINE = 10_000
"""Most entities of one deep insert."""

Raw = msgspec.Raw


class BodyError(TramError):
    """A body that does not fit; the message says where."""

    code = "body"


@dataclass
class Sent:
    """One entity of a body: `properties` by name, decoded texts or raw JSON; `links` by name, lists of Sent or ids."""

    entity: Entity
    properties: dict[str, Any] = field(default_factory=dict)
    links: dict[str, list["Sent | str"]] = field(default_factory=dict)


def decode(body: bytes) -> Any:
    """Any JSON, or BodyError: not JSON, NaN, a number no double holds, nested too deep."""
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BodyError(f"the body is no JSON: {error}") from None
    if b"\\u0000" in body:
        raise BodyError("the body has a NUL character (\\u0000), which cannot be stored")
    if _depth(found) > DEPTH:
        raise BodyError(f"the body is nested deeper than {DEPTH}")
    return found


def _depth(value: Any) -> int:
    deepest, stack = 0, [(value, 1)]
    while stack:
        found, level = stack.pop()
        if isinstance(found, dict | list):
            deepest = max(deepest, level)
            if level > DEPTH:
                return level
            stack += [(inner, level + 1) for inner in (found.values() if isinstance(found, dict) else found)]
    return deepest


def read(entity: Entity, body: bytes, *, whole: bool, budget: list[int] | None = None) -> Sent:
    """One entity. `whole`: what is required must be there; else only what is to change.

    Raises:
        BodyError: see there.
    """
    if budget is None:
        decode(body)
        budget = [INLINE]
    budget[0] -= 1
    if budget[0] < 0:
        raise BodyError(f"more than {INLINE} entities in one body")
    try:
        members = msgspec.json.decode(body, type=dict[str, Raw])
    except msgspec.DecodeError:
        raise BodyError(f"{entity.name}: an object is expected") from None
    sent = Sent(entity)
    for name, raw in members.items():
        if name.startswith("@iot.") or "@iot." in name or name == "id":
            continue
        if name in entity.links:
            sent.links[name] = _links(entity, name, bytes(raw), budget)
        elif name in entity.properties:
            known = entity.properties[name]
            if not known.read_only or name == "observedArea":
                sent.properties[name] = read_property(f"{entity.name}.{name}", known.kind, bytes(raw))
        else:
            raise BodyError(f"{entity.name} has no {name[:60]!r}")
    _check_place(sent)
    if whole:
        missing = [
            n for n, p in entity.properties.items() if p.required and not p.read_only and sent.properties.get(n) is None
        ]
        if missing:
            raise BodyError(f"{entity.name} needs {', '.join(missing)}")
    return sent


def reference(raw: bytes) -> str | None:
    """The id of `{"@iot.id": …}` (a number, a text, or a selfLink); None for an entity to be made."""
    try:
        members = msgspec.json.decode(raw, type=dict[str, Raw])
    except msgspec.DecodeError:
        raise BodyError('a link is {"@iot.id": …}') from None
    id = members.get("@iot.id")
    if id is None:
        return None
    found = msgspec.json.decode(bytes(id))
    if isinstance(found, bool) or not isinstance(found, int | str):
        raise BodyError("@iot.id is a number or a text")
    text = str(found)
    inside = re.search(r"\('?([^()']{1,60})'?\)/?$", text)
    return inside[1] if inside else text


def _links(entity: Entity, name: str, raw: bytes, budget: list[int]) -> list["Sent | str"]:
    link = entity.links[name]
    if raw == b"null":
        return []
    if link.many:
        try:
            items = [bytes(one) for one in msgspec.json.decode(raw, type=list[Raw])]
        except msgspec.DecodeError:
            raise BodyError(f"{entity.name}.{name} is a list") from None
    else:
        items = [raw]
    found: list[Sent | str] = []
    for item in items:
        id = reference(item)
        found.append(id if id is not None else read(ENTITIES[link.target], item, whole=True, budget=budget))
    return found


def read_property(where: str, kind: str, raw: bytes) -> Any:
    if kind == "any":
        return raw.decode()
    if raw == b"null":
        return None
    found = msgspec.json.decode(raw)
    match kind:
        case "text":
            if not isinstance(found, str):
                raise BodyError(f"{where} is a text")
            return found
        case "json":
            if not isinstance(found, dict):
                raise BodyError(f"{where} is an object")
            return raw.decode()
        case "geo":
            return raw.decode()
        case "moment":
            return time(where, found)
        case _:
            return period(where, found)


def time(where: str, value: Any) -> datetime:
    """An instant. Raises BodyError."""
    try:
        found = moment(value)
    except (ValueError, TypeError, OverflowError):
        found = None
    if found is None or found.tzinfo is None:
        raise BodyError(f"{where} is a time with its offset, like 2026-10-08T14:32:00+07:00, not {str(value)[:40]!r}")
    try:
        found.astimezone(UTC)
    except OverflowError:
        raise BodyError(f"{where} lies outside the years 1 to 9999") from None
    return found


def period(where: str, value: Any) -> tuple[datetime, datetime | None]:
    """(start, end) of an interval, (time, None) of an instant. Raises BodyError."""
    if not isinstance(value, str):
        raise BodyError(f"{where} is a time or an interval")
    start, slash, end = value.partition("/")
    first = time(where, start)
    if not slash:
        return first, None
    last = time(where, end)
    if last < first:
        raise BodyError(f"{where} ends before it starts")
    return first, last if last > first else None


def _check_place(sent: Sent) -> None:
    """What is said to be GeoJSON is."""
    name = {"Location": "location", "FeatureOfInterest": "feature", "Datastream": "observedArea"}.get(sent.entity.name)
    if name is None or sent.properties.get(name) is None:
        return
    encoding = sent.properties.get("encodingType")
    if encoding is None or "geo" in encoding.lower():
        fault = geo.invalid(msgspec.json.decode(sent.properties[name]))
        if fault:
            raise BodyError(f"{sent.entity.name}.{name}: {fault}")
