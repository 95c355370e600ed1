"""Well-known text (OGC 06-103r4, 7) to GeoJSON geometries (RFC 7946), bounded: coordinates are lon lat in WGS 84."""

import math
import re
from typing import Any

from services.sta.syntax import Geometry

POSITIONS = 5_000
"""Most positions of one literal."""

_TOKEN = re.compile(r"\s*(?:([A-Za-z]+)|([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)|([(),]))")
_NESTING = {"POINT": 0, "LINESTRING": 1, "MULTIPOINT": 1, "POLYGON": 2, "MULTILINESTRING": 2, "MULTIPOLYGON": 3}
_NAMES = {
    "POINT": "Point",
    "LINESTRING": "LineString",
    "MULTIPOINT": "MultiPoint",
    "POLYGON": "Polygon",
    "MULTILINESTRING": "MultiLineString",
    "MULTIPOLYGON": "MultiPolygon",
}


def parse(text: str) -> Geometry:
    """One geometry. Raises ValueError with what is wrong."""
    body = re.sub(r"^SRID=4326;", "", text.strip())
    if body.startswith("SRID="):
        raise ValueError("only SRID 4326 (WGS 84) is known")
    words = _split(body)
    kind = words[0].upper() if words else ""
    if kind not in _NAMES:
        raise ValueError(f"{kind or 'nothing'!r} is no geometry")
    rest = words[1:]
    if rest and rest[0].upper() == "Z":
        rest = rest[1:]
    coordinates, end = _list(rest, 0, 0, kind)
    if end != len(rest):
        raise ValueError(f"{rest[end]!r} is too much")
    _check(kind, coordinates)
    return Geometry({"type": _NAMES[kind], "coordinates": coordinates}, body)


def _split(text: str) -> list[str]:
    words, at = [], 0
    text = text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise ValueError(f"{text[at]!r} is not expected")
        words.append(match.group().strip())
        at = match.end()
    return words


def _list(words: list[str], at: int, depth: int, kind: str) -> tuple[Any, int]:
    """A bracketed list at `at`: of positions at the innermost level of the kind, of lists above it."""
    if at >= len(words) or words[at] != "(":
        raise ValueError("'(' is expected")
    innermost = depth >= _NESTING[kind] - 1
    parts: list[Any] = []
    at += 1
    while True:
        if not innermost:
            part, at = _list(words, at, depth + 1, kind)
        elif kind == "MULTIPOINT" and at < len(words) and words[at] == "(":
            part, at = _position(words, at + 1)
            at = _close(words, at)
        else:
            part, at = _position(words, at)
        parts.append(part)
        if len(parts) > POSITIONS:
            raise ValueError(f"more than {POSITIONS} positions")
        if at < len(words) and words[at] == ",":
            at += 1
            continue
        at = _close(words, at)
        break
    if _NESTING[kind] == 0:
        if len(parts) != 1:
            raise ValueError("a point has one position")
        return parts[0], at
    return parts, at


def _close(words: list[str], at: int) -> int:
    if at >= len(words) or words[at] != ")":
        raise ValueError("')' is expected")
    return at + 1


def _position(words: list[str], at: int) -> tuple[list[float], int]:
    start = at
    while at < len(words) and words[at] not in "(),":
        at += 1
    try:
        position = [float(word) for word in words[start:at]]
    except ValueError:
        raise ValueError(f"{' '.join(words[start:at])!r} is no position") from None
    if len(position) not in (2, 3) or not all(map(math.isfinite, position)):
        raise ValueError("a position has two or three numbers")
    if abs(position[0]) > 180 or abs(position[1]) > 90:
        raise ValueError(f"longitude {position[0]:g}, latitude {position[1]:g} is no place on Earth")
    return position, at


def _check(kind: str, coordinates: Any) -> None:
    if kind == "LINESTRING" and len(coordinates) < 2:
        raise ValueError("a line has two positions or more")
    polygons = {"POLYGON": [coordinates], "MULTIPOLYGON": coordinates}.get(kind, [])
    for ring in (ring for polygon in polygons for ring in polygon):
        if len(ring) < 4 or ring[0] != ring[-1]:
            raise ValueError("a ring has four positions or more and ends where it begins")
