"""What the gateway makes of messages by column against the same messages read reading by reading."""

import json
import math
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from devices import formats
from gateway.decode import Decoder, Route, nothing_plain
from gateway.directory import ACTIVE, Directory
from gateway.framing import Chunk
from gateway.normalise import Normaliser, Work
from gateway.rows import NO_TIME, Rows
from tests.devices import packs
from tram.clock import DAY, SECOND, TimePolicy

NOW = 1_700_000_000 * SECOND
TOPICS = (b"tram/v1/one/telemetry", b"tram/v1/two/telemetry")
NAMES = st.sampled_from(["t", "rh", "a.b", "", "bad\0name"])
VALUES = (
    st.floats() | st.integers(-(2**70), 2**70) | st.booleans() | st.sampled_from(["12.5", "on", None, [1], {"a": 1}])
)
MOMENTS = st.sampled_from([None, NOW // 1000, 1_699_999_000_000, 0, "2023-11-14T22:13:20.5+07:00", "never", 2**61])
READINGS_LIMIT = 5


def _with_time(record: dict[str, Any], moment: Any) -> dict[str, Any]:
    return record if moment is None else {"ts": moment} | record


native = st.builds(_with_time, st.dictionaries(NAMES, VALUES, max_size=4), MOMENTS)
payloads = (
    packs.regular
    | packs.spoilt
    | (native | st.lists(native, max_size=3)).map(lambda document: json.dumps(document).encode())
    | st.binary(max_size=20)
)


def work_of(chunks: list[Chunk], *, by_column: bool) -> tuple[Directory, Rows, Work]:
    """What becomes of the chunks when every Thing is active and one property in three is measured and limited."""
    directory = Directory("open", 10)
    decoder = Decoder(directory, payload_bytes=10_000, payload_readings=READINGS_LIMIT)
    if not by_column:
        for topic in TOPICS:
            speakers = formats.speakers(topic.decode())
            decoder._routes[topic] = Route(topic.decode(), speakers, nothing_plain)
    rows = Rows()
    for chunk in chunks:
        decoder.decode(chunk, rows)
    for slot, key in enumerate(directory.keys):
        directory.state[slot], directory.datastream[slot] = ACTIVE, slot
        if key.property == "t":
            directory.measured[slot], directory.low[slot], directory.high[slot] = True, -10.0, 100.0
            directory.stuck[slot] = 2
    work = Normaliser(directory, TimePolicy(past=400 * DAY)).normalise(rows)
    return directory, rows, work


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.lists(st.lists(st.tuples(st.sampled_from(TOPICS), payloads), max_size=6), max_size=3))
def test_by_column_as_one_by_one(sent: list[list[tuple[bytes, bytes]]]) -> None:
    chunks = [
        Chunk([t for t, _ in messages], [b"\0\1"] * len(messages), [p for _, p in messages], received=NOW + 100 * i)
        for i, messages in enumerate(sent)
    ]
    directory, rows, fast = work_of(chunks, by_column=True)
    slow_directory, slow_rows, slow = work_of(chunks, by_column=False)
    assert directory.keys == slow_directory.keys
    assert rows.slots == slow_rows.slots
    assert rows.counts == slow_rows.counts
    assert rows.claimed().tolist() == slow_rows.claimed().tolist()
    for column in ("datastream_id", "phenomenon_time", "quality"):
        assert getattr(fast.batch, column).tolist() == getattr(slow.batch, column).tolist()
    pairs = zip(fast.batch.result.tolist(), slow.batch.result.tolist(), strict=True)
    assert all(a == b or (math.isnan(a) and math.isnan(b)) for a, b in pairs)
    assert fast.batch.result_json == slow.batch.result_json
    assert fast.batch.parameters == slow.batch.parameters
    assert fast.sources.tolist() == slow.sources.tolist()
    assert fast.letters == slow.letters


def test_times_of_every_kind_in_one_batch() -> None:
    directory = Directory("open", 10)
    decoder = Decoder(directory, payload_bytes=10_000, payload_readings=100)
    sent = [
        b'{"t": 1}',  # none
        b'{"t": 1, "rh": 2, "ts": 1700000000123}',  # one of all
        b'[{"bn": "d/", "bt": 1700000000.5, "n": "a", "v": 1, "t": -1}, {"n": "b", "v": 2}]',  # one each
        b"not JSON",
        b'[{"ts": 1700000000001, "t": 1}, {"t": 2}]',  # a list with and without
        b'[{"bn": "d/", "bt": 1700000000.5, "n": "a", "v": 1}]',  # one of all
        b'[{"bn": "d/", "n": "a", "v": 1, "t": -2}]',  # relative to the time of receipt
    ]
    rows = Rows()
    decoder.decode(Chunk([TOPICS[0]] * len(sent), [b"\0\1"] * len(sent), sent, received=NOW), rows)
    assert rows.counts == [1, 2, 2, 0, 2, 1, 1]
    assert [None if t == NO_TIME else t - NOW for t in rows.claimed().tolist()] == [
        None, 123_000, 123_000, -500_000, 500_000, 1_000, None, 500_000, 6 - 2 * SECOND
    ]  # fmt: skip
    assert [letter.reason for letter in rows.letters] == ["json"]


def test_too_many_readings_are_too_many_by_column_too() -> None:
    directory = Directory("open", 10)
    decoder = Decoder(directory, payload_bytes=10_000, payload_readings=READINGS_LIMIT)
    sent = [json.dumps({f"p{i}": i for i in range(n)}).encode() for n in (READINGS_LIMIT, READINGS_LIMIT + 1)]
    rows = Rows()
    decoder.decode(Chunk([TOPICS[0]] * 2, [b"\0\1"] * 2, sent, received=NOW), rows)
    assert rows.counts == [READINGS_LIMIT, 0]
    assert [letter.reason for letter in rows.letters] == ["too-many"]
