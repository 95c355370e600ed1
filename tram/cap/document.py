"""A CAP 1.2 document: the values of the standard's data dictionary (section 3.2), and its XML (3.4)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from xml.etree.ElementTree import Element, SubElement, register_namespace, tostring

from tram.errors import TramError

NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"
register_namespace("", NAMESPACE)
_NO_TOKEN = re.compile(r"[\s,<&]")  # 3.2.1: identifier and sender must not have these
NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class CapError(TramError):
    """A document that CAP 1.2 does not allow."""

    code = "cap"


class Status(StrEnum):
    """`Actual` is for the public to act on; `Test` and `Exercise` are not."""

    ACTUAL = "Actual"
    EXERCISE = "Exercise"
    SYSTEM = "System"
    TEST = "Test"


class MsgType(StrEnum):
    """What a document does to those it refers to."""

    ALERT = "Alert"
    UPDATE = "Update"
    CANCEL = "Cancel"


class Category(StrEnum):
    GEO = "Geo"
    MET = "Met"
    SAFETY = "Safety"
    SECURITY = "Security"
    RESCUE = "Rescue"
    FIRE = "Fire"
    HEALTH = "Health"
    ENV = "Env"
    TRANSPORT = "Transport"
    INFRA = "Infra"
    CBRNE = "CBRNE"
    OTHER = "Other"


class Urgency(StrEnum):
    IMMEDIATE = "Immediate"
    EXPECTED = "Expected"
    FUTURE = "Future"
    PAST = "Past"
    UNKNOWN = "Unknown"


class Severity(StrEnum):
    EXTREME = "Extreme"
    SEVERE = "Severe"
    MODERATE = "Moderate"
    MINOR = "Minor"
    UNKNOWN = "Unknown"


class Certainty(StrEnum):
    OBSERVED = "Observed"
    LIKELY = "Likely"
    POSSIBLE = "Possible"
    UNLIKELY = "Unlikely"
    UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True)
class Area:
    """Where it holds.

    Attributes:
        description: for people, in the language of the block.
        polygons: closed rings of (longitude, latitude), at least four positions each.
        circle: (longitude, latitude, kilometres).
        code: of the administrative area.
    """

    description: str
    polygons: Sequence[Sequence[tuple[float, float]]] = ()
    circle: tuple[float, float, float] | None = None
    code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Info:
    """One block: the same alert in one language."""

    language: str
    category: Category
    event: str
    urgency: Urgency
    severity: Severity
    certainty: Certainty
    expires: datetime
    onset: datetime | None = None
    sender_name: str = ""
    headline: str = ""
    description: str = ""
    instruction: str = ""
    web: str = ""
    parameters: Sequence[tuple[str, str]] = ()
    areas: Sequence[Area] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A document. `references`: (sender, identifier, sent) of every earlier one of its chain."""

    identifier: str
    sender: str
    sent: datetime
    status: Status
    kind: MsgType
    infos: Sequence[Info] = field(default_factory=tuple)
    references: Sequence[tuple[str, str, datetime]] = ()
    note: str = ""
    incidents: str = ""


def moment(at: datetime) -> str:
    """A time as CAP writes it: whole seconds, an offset, never Z (3.3.2)."""
    if at.tzinfo is None:
        raise CapError("a time without an offset")
    text = at.replace(microsecond=0).isoformat()
    return text[:-6] + "-00:00" if text.endswith("+00:00") else text


def write(alert: Alert) -> bytes:
    """The XML, UTF-8.

    Raises:
        CapError: an identifier or sender with a space, comma, < or &; an update without references; a ring that is not
            closed; a place that is none.
    """
    for name, value in (("identifier", alert.identifier), ("sender", alert.sender)):
        if not value or _NO_TOKEN.search(value):
            raise CapError(f"the {name} {value!r} is empty or has a space, a comma, < or &")
    if (alert.kind is not MsgType.ALERT) != bool(alert.references):
        raise CapError("an Update or a Cancel refers to earlier documents, an Alert to none")
    root = Element(f"{{{NAMESPACE}}}alert")
    _text(root, "identifier", alert.identifier)
    _text(root, "sender", alert.sender)
    _text(root, "sent", moment(alert.sent))
    _text(root, "status", alert.status.value)
    _text(root, "msgType", alert.kind.value)
    _text(root, "scope", "Public")
    _optional(root, "note", alert.note)
    _optional(root, "references", " ".join(f"{s},{i},{moment(at)}" for s, i, at in alert.references))
    _optional(root, "incidents", alert.incidents)
    for info in alert.infos:
        _info(root, info)
    body: bytes = tostring(root, encoding="UTF-8", xml_declaration=True)
    return body + b"\n"


def _info(root: Element, info: Info) -> None:
    block = SubElement(root, f"{{{NAMESPACE}}}info")
    _text(block, "language", info.language)
    _text(block, "category", info.category.value)
    _text(block, "event", info.event)
    _text(block, "urgency", info.urgency.value)
    _text(block, "severity", info.severity.value)
    _text(block, "certainty", info.certainty.value)
    if info.onset is not None:
        _text(block, "onset", moment(info.onset))
    _text(block, "expires", moment(info.expires))
    _optional(block, "senderName", info.sender_name)
    _optional(block, "headline", info.headline)
    _optional(block, "description", info.description)
    _optional(block, "instruction", info.instruction)
    _optional(block, "web", info.web)
    for name, value in info.parameters:
        parameter = SubElement(block, f"{{{NAMESPACE}}}parameter")
        _text(parameter, "valueName", name)
        _text(parameter, "value", value)
    for area in info.areas:
        _area(block, area)


def _area(block: Element, area: Area) -> None:
    made = SubElement(block, f"{{{NAMESPACE}}}area")
    _text(made, "areaDesc", area.description or "-")
    for ring in area.polygons:
        if len(ring) < 4 or ring[0] != ring[-1]:
            raise CapError("a polygon has at least four positions, the first and the last of them the same")
        _text(made, "polygon", " ".join(f"{_degrees(lat, 90)},{_degrees(lon, 180)}" for lon, lat in ring))
    if area.circle is not None:
        lon, lat, radius = area.circle
        _text(made, "circle", f"{_degrees(lat, 90)},{_degrees(lon, 180)} {radius:g}")
    if area.code:
        code = SubElement(made, f"{{{NAMESPACE}}}geocode")
        _text(code, "valueName", "VN-DVHC")
        _text(code, "value", area.code)


def _degrees(value: float, most: float) -> str:
    if not -most <= value <= most:
        raise CapError(f"{value} is no place on Earth")
    return f"{value:.5f}".rstrip("0").rstrip(".")


def _text(parent: Element, name: str, text: str) -> None:
    SubElement(parent, f"{{{NAMESPACE}}}{name}").text = NO_XML.sub("\ufffd", text)


def _optional(parent: Element, name: str, text: str) -> None:
    if text:
        _text(parent, name, text)
