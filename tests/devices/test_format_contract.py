"""One contract for every folder in devices/formats: its examples, README, topics, and that nothing breaks it."""

import json
import math
import tomllib
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices import formats
from tram.clock import parse_rfc3339
from tram.errors import PayloadError
from tram.properties import known
from tram.readings import ColumnFormat, Decoded, Format, Message, readings
from tram.units import convert

RECEIVED = parse_rfc3339("2025-11-22T12:00:00Z")
NAMES = sorted(formats.discover())


def cases() -> list[Any]:
    found = []
    for name in NAMES:
        text = files("devices.formats").joinpath(name, "examples.toml").read_text(encoding="utf-8")
        found += [pytest.param(name, case, id=f"{name}: {case['name']}") for case in tomllib.loads(text)["case"]]
    return found


def message_of(case: dict[str, Any]) -> Message:
    payload = bytes.fromhex(case["payload_hex"]) if "payload_hex" in case else case["payload"].encode()
    received = parse_rfc3339(case["received"]) if "received" in case else RECEIVED
    return Message(case["topic"], payload * case.get("repeat", 1), received, case.get("username", ""))


def read(case: dict[str, Any]) -> tuple[str, Decoded]:
    memory = formats.memories()
    for before in case.get("before", ()):
        formats.decode(message_of(before), memory)
    return formats.decode(message_of(case), memory)


@pytest.mark.parametrize(("name", "case"), cases())
def test_example(name: str, case: dict[str, Any]) -> None:
    if "error" in case:
        with pytest.raises(PayloadError) as refused:
            read(case)
        assert refused.value.code == case["error"], refused.value
        assert len(str(refused.value)) < 300
        return
    spoken, decoded = read(case)
    assert spoken == name
    wanted = [
        (r["thing"], r["property"], r["value"], r.get("unit", ""), parse_rfc3339(r["time"]) if "time" in r else None)
        for r in case.get("readings", ())
    ]
    assert [tuple(r) for r in decoded.readings] == wanted
    assert [type(r.value) for r in decoded.readings] == [type(value) for _, _, value, _, _ in wanted]
    assert [[b.property, b.reason.partition(":")[0]] for b in decoded.bad] == case.get("bad", [])
    told = []
    for thing in decoded.things:
        place = {"lon": thing.location.longitude, "lat": thing.location.latitude} if thing.location else {}
        texts = {"label": thing.label, "kind": thing.kind, "area": thing.area}
        properties = {"properties": dict(thing.properties)} if thing.properties else {}
        told.append({"name": thing.name, **{k: v for k, v in texts.items() if v}, **place, **properties})
    assert told == case.get("things", [])


@pytest.mark.parametrize(("name", "case"), [c for c in cases() if "normalised" in c.values[1]])
def test_normalised(name: str, case: dict[str, Any]) -> None:
    """What the readings come to in the catalogue's names and units."""
    told = []
    for reading in read(case)[1].readings:
        prop = known(reading.property)
        if prop is None:
            told.append([reading.property, reading.value, reading.unit])
        else:
            assert isinstance(reading.value, float)
            told.append([prop.name, convert(reading.value, reading.unit or prop.unit, prop.unit), prop.unit])
    assert told == case["normalised"]


@pytest.mark.parametrize("name", NAMES)
def test_folder(name: str) -> None:
    found = formats.discover()[name]
    assert isinstance(found, Format)
    assert found.name == name
    assert files("devices.formats").joinpath(name, "README.md").read_text(encoding="utf-8").startswith(f"# {name}")
    assert found.topics
    for topic in found.topics:
        levels = topic.split("/")
        assert all(level in ("+", "#") or not set(level) & set("+#\0") for level in levels), topic
        assert "#" not in levels[:-1], topic
        assert found in formats.speakers(topic.replace("+", "x").replace("#", "y/z"))
    folder = [case.values[1] for case in cases() if case.values[0] == name]
    assert any("error" in case for case in folder), "examples without an error case"
    assert any("normalised" in case for case in folder), "examples without a normalised case"


WORDS = [
    "ts",
    "value",
    "unit",
    "bn",
    "bt",
    "bu",
    "bv",
    "bs",
    "bver",
    "n",
    "u",
    "v",
    "vs",
    "vb",
    "vd",
    "s",
    "t",
    "ut",
    "x_",
    "values",
    "data",
    "object",
    "fPort",
    "metrics",
    "params",
    "label",
    "location",
    "lon",
    "lat",
    "properties",
]
labels = st.text(max_size=4) | st.sampled_from(WORDS)
json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.integers(10**300, 10**310) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(labels, inner, max_size=6),
    max_leaves=20,
)
payloads = (
    st.binary(max_size=200)
    | json_values.map(lambda value: json.dumps(value).encode())
    | st.lists(st.dictionaries(labels, json_values, max_size=6), max_size=4).map(lambda v: json.dumps(v).encode())
    | st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass"))
)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=400, deadline=None)
@given(payload=payloads, word=st.text(st.characters(exclude_characters="/+#\0", codec="utf-8"), max_size=8))
def test_any_bytes(name: str, payload: bytes, word: str) -> None:
    """Whatever arrives: readings that can be stored and reasons that can be read, or PayloadError; nothing else."""
    found = formats.discover()[name]
    for topic in found.topics:
        message = Message(topic.replace("+", word or "x").replace("#", word or "x"), payload, RECEIVED)
        try:
            decoded = found.decode(message, {})
        except PayloadError as error:
            decoded = refused(error)
        else:
            if decoded is not None:
                check(decoded)
        if isinstance(found, ColumnFormat):
            compare(found, message, decoded)


def refused(error: PayloadError) -> None:
    assert error.code
    assert 0 < len(str(error).encode()) < 600


def check(decoded: Decoded) -> None:
    for reading in decoded.readings:
        assert type(reading.value) in (float, bool, str, list, dict)
        stored = json.dumps(reading.value, allow_nan=False, ensure_ascii=False).encode()
        assert b"\\u0000" not in stored
        if isinstance(reading.value, float):
            assert math.isfinite(reading.value)
        assert reading.property
        for text in (reading.thing, reading.property, reading.unit):
            assert "\0" not in text
            text.encode()
        assert reading.time is None or (type(reading.time) is int and abs(reading.time) < 2**63)
    for bad in decoded.bad:
        code, _, reason = bad.reason.partition(": ")
        assert code.replace("-", "").isalpha()
        assert reason
        for text in bad:
            assert "\0" not in text
            text.encode()
    for thing in decoded.things:
        json.dumps(dict(thing.properties), allow_nan=False, ensure_ascii=False).encode()


def compare(found: ColumnFormat, message: Message, decoded: Decoded | None) -> None:
    """By column comes exactly what `decode` says, or nothing."""
    reader = found.reader(message.topic)
    columns = reader(message.payload) if reader else None
    if columns is None:
        return
    if columns == ():
        assert decoded is None
        return
    assert decoded is not None
    assert not decoded.bad
    assert not decoded.things
    assert list(decoded.readings) == readings(columns)


BOMBS = {
    "brackets": b"[" * 100_000,
    "objects": b'{"a":' * 100_000,
    "arrays in CBOR": b"\x81" * 100_000,
    "maps in CBOR": b"\xa1" * 9_999,
    "a length of 2**64 in CBOR": b"\x9b" + b"\xff" * 8,
    "an integer": b"[" + b"1" * 1_000_000 + b"]",
    "an integer as a value": b'{"a":' + b"9" * 99_999 + b"}",
    "a text": b'"' + b"x" * 1_000_000,
    "zeros": b"\0" * 1000,
}


@pytest.mark.parametrize("payload", BOMBS.values(), ids=BOMBS)
@pytest.mark.parametrize("name", NAMES)
def test_bombs(name: str, payload: bytes) -> None:
    found = formats.discover()[name]
    for topic in found.topics:
        message = Message(topic.replace("+", "x").replace("#", "x"), payload, RECEIVED)
        try:
            decoded = found.decode(message, {})
        except PayloadError as error:
            refused(error)
        else:
            if decoded is not None:
                check(decoded)


def test_no_format_speaks() -> None:
    with pytest.raises(PayloadError) as refused:
        formats.decode(Message("nobody/speaks/this", b"{}", RECEIVED), formats.memories())
    assert refused.value.code == "no-format"


def test_filters() -> None:
    assert formats.matches("a/+/c", "a/b/c")
    assert formats.matches("a/#", "a")
    assert formats.matches("a/#", "a/b/c")
    assert formats.matches("+", "")
    assert not formats.matches("a/+", "a")
    assert not formats.matches("a/+", "a/b/c")
    assert not formats.matches("#", "$SYS/x")
    assert not formats.matches("+/x", "$SYS/x")
