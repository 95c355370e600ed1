"""Packs by column against the same packs record by record, which RFC 8428's own examples were checked with."""

import json
from collections.abc import Sequence
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from devices.formats.senml.codec import FORMAT
from tests.devices import packs
from tram.clock import parse_rfc3339
from tram.errors import PayloadError
from tram.readings import Message, Reading, readings

TOPIC = "tram/v1/logger-1/telemetry"
RECEIVED = parse_rfc3339("2025-11-22T12:00:00Z")


def by_column(payload: bytes) -> list[Reading] | None:
    reader = FORMAT.reader(TOPIC)
    assert reader is not None
    columns = reader(payload)
    return readings(columns) if columns else None


def one_by_one(payload: bytes) -> tuple[Sequence[Reading], Sequence[Any]]:
    decoded = FORMAT.decode(Message(TOPIC, payload, RECEIVED), {})
    assert decoded is not None
    return decoded.readings, decoded.bad


@settings(deadline=None, derandomize=True)
@given(packs.regular | packs.spoilt)
@example(b"[]")
@example(b'[{"n":"a","v":1}')
@example(b'[{"n":"a","v":1},]')
@example(b'[{"n":"a","v":1}{"n":"b","v":2}]')
@example(b'[{"n":"a","v":1}]]')
@example(b'[{"n":"a","v":1}] [{"n":"b","v":2}]')
@example(b'[{"bn":"a}","v":1},{"n":"b","v":2}]')
@example(b'[{"bn":"a\\u007d","v":1},{"n":"b","v":2}]')
@example(b'[{"bn":"d","bt":1e9},{"bn":"e","n":"b","v":2}]')
@example(b'[{"bn":"d","bt":1e9},{"\\u0062n":"e","n":"b","v":2}]')
@example(b'[{"bn":"d/","u":"' + b"u" * 41 + b'"},{"n":"b","v":2}]')
@example(b'{"n":"a","v":1}')
@example(b'\xef\xbb\xbf[{"n":"a","v":1}]')
def test_columns_say_what_records_say(payload: bytes) -> None:
    found = by_column(payload)
    try:
        wanted, bad = one_by_one(payload)
    except PayloadError:
        assert found is None
    else:
        if found is not None:
            assert bad == []
            assert found == list(wanted)


@settings(deadline=None, derandomize=True)
@given(
    packs.plain_records,
    st.lists(st.floats(-1e5, 1e5) | st.integers(-100, 100), min_size=8, max_size=8),
    st.floats(1e9, 2e9) | st.integers(10**9, 2 * 10**9),
    st.booleans(),
    st.booleans(),
)
def test_what_loggers_send_is_plain(
    records: list[dict[str, Any]], shifts: list[float], base: float, moving: bool, apart: bool
) -> None:
    """A base name and time, in a record of their own or in the first; with times of their own or without."""
    if moving:
        records = [record | {"t": t} for record, t in zip(records, shifts, strict=False)]
    head = {"bn": "urn:dev:mac:0024befffe804ff1/", "bt": base}
    pack = [head, *records] if apart else [head | records[0], *records[1:]]
    payload = json.dumps(pack).encode()
    wanted, bad = one_by_one(payload)
    assert len(wanted) == len(records)
    assert not bad
    assert by_column(payload) == list(wanted)
