"""The Atom feed (RFC 4287) of CAP documents."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from xml.etree.ElementTree import Element, SubElement, tostring

from tram.cap.document import NO_XML

ATOM = "http://www.w3.org/2005/Atom"
MEDIA_TYPE = "application/cap+xml"


@dataclass(frozen=True, slots=True)
class Entry:
    """One document in the feed."""

    identifier: str
    title: str
    summary: str
    updated: datetime
    url: str


def feed(*, id: str, title: str, author: str, url: str, updated: datetime, entries: Sequence[Entry]) -> bytes:
    """The feed, newest entry first."""
    root = Element("feed", {"xmlns": ATOM, "xml:lang": "vi"})
    _text(root, "id", id)
    _text(root, "title", title)
    _text(root, "updated", updated.isoformat(timespec="seconds"))
    _text(SubElement(root, "author"), "name", author)
    SubElement(root, "link", {"rel": "self", "type": "application/atom+xml", "href": url})
    for entry in entries:
        one = SubElement(root, "entry")
        _text(one, "id", f"urn:cap:{entry.identifier}")
        _text(one, "title", entry.title)
        _text(one, "updated", entry.updated.isoformat(timespec="seconds"))
        _text(one, "summary", entry.summary)
        SubElement(one, "link", {"rel": "alternate", "type": MEDIA_TYPE, "href": entry.url})
    body: bytes = tostring(root, encoding="UTF-8", xml_declaration=True)
    return body + b"\n"


def _text(parent: Element, name: str, text: str) -> None:
    SubElement(parent, name).text = NO_XML.sub("\ufffd", text)
