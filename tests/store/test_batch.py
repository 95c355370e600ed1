"""Batches: packing, moving rows, JSON that the database takes."""

import contextlib
import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tram.errors import PayloadError
from tram.store import wire
from tram.store.batch import Batch, concat, encode_json, storable_text


@st.composite
def batches(draw: st.DrawFn) -> Batch:
    n = draw(st.integers(0, 20))
    rows = st.dictionaries(st.integers(0, n - 1), st.binary(max_size=20), max_size=5) if n else st.just({})
    times = st.integers(-(2**63), 2**63 - 1) if draw(st.booleans()) else st.integers(10**15, 10**15 + 10**7)
    return Batch(
        draw(arrays(np.int32, n)),
        draw(arrays(np.int64, n, elements=times)),
        draw(arrays(np.float64, n)),
        draw(arrays(np.int16, n)) if draw(st.booleans()) else np.zeros(n, np.int16),
        draw(rows),
        draw(rows),
        draw(rows),
    )


def rows(batch: Batch) -> list[Any]:
    """A batch as comparable rows; results by their bits, so that a NaN equals itself."""
    return [
        (id, time, result, quality, batch.result_json.get(i), batch.parameters.get(i), batch.extra.get(i))
        for i, (id, time, result, quality) in enumerate(
            zip(
                batch.datastream_id.tolist(), batch.phenomenon_time.tolist(), batch.result.view(np.int64).tolist(),
                batch.quality.tolist(), strict=True,
            )
        )
    ]  # fmt: skip


@given(batches())
def test_unpacking_gives_back_what_was_packed(batch: Batch) -> None:
    packed = batch.pack()
    found = Batch.unpack(packed)
    assert rows(found) == rows(batch)
    dtypes = [c.dtype for c in (found.datastream_id, found.phenomenon_time, found.result, found.quality)]
    assert dtypes == [np.int32, np.int64, np.float64, np.int16]
    assert found.pack() == packed


@given(batches(), st.data())
def test_what_is_cut_or_longer_is_refused(batch: Batch, data: st.DataObject) -> None:
    packed = batch.pack()
    cut = data.draw(st.integers(0, len(packed) - 1))
    for wrong in (packed[:cut], packed + b"\0"):
        with pytest.raises(ValueError):
            Batch.unpack(wrong)


@given(st.binary(max_size=200), st.booleans())
def test_any_bytes_are_a_batch_or_an_error(noise: bytes, headed: bool) -> None:
    with contextlib.suppress(ValueError):
        Batch.unpack((b"TB1" if headed else b"") + noise)


def test_the_usual_row_takes_sixteen_bytes() -> None:
    n = 1000
    times = 1_780_000_000_000_000 + np.arange(n, dtype=np.int64)
    batch = Batch(np.arange(n, dtype=np.int32), times, np.ones(n), np.zeros(n, np.int16))
    assert len(batch.pack()) == 16 * n + 16


@given(batches(), st.data())
def test_taken_rows_keep_their_sparse_columns(batch: Batch, data: st.DataObject) -> None:
    n = len(batch)
    chosen = data.draw(st.lists(st.integers(0, n - 1), max_size=10)) if n else []
    all_rows = rows(batch)
    assert rows(batch.take(np.array(chosen, np.intp))) == [all_rows[i] for i in chosen]


@given(st.lists(batches(), max_size=4))
def test_concat(several: list[Batch]) -> None:
    assert rows(concat(several)) == [row for batch in several for row in rows(batch)]


@given(batches())
def test_copy_rows_have_the_right_length(batch: Batch) -> None:
    batch = Batch(
        batch.datastream_id, np.clip(batch.phenomenon_time, 0, 2**52), batch.result, batch.quality,
        batch.result_json, batch.parameters,
    )  # fmt: skip
    plain, others = wire.split(batch)
    assert sorted([*plain.tolist(), *others.tolist()]) == list(range(len(batch)))
    assert len(wire.plain_rows(batch.take(plain))) == 19 + 40 * len(plain) + 2
    assert wire.all_rows(batch).endswith(b"\xff\xff")


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.floats()
    | st.integers(-(2**64), 2**64)
    | st.text()
    | st.sampled_from(["a\0b", "\ud800"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@given(JSON)
def test_encoded_json_is_json_without_what_postgresql_refuses(value: Any) -> None:
    encoded = encode_json(value)
    json.loads(encoded)
    assert b"\\u0000" not in encoded.replace(b"\\\\", b"")
    encoded.decode()


def test_what_encoding_changes() -> None:
    assert json.loads(encode_json({"a\0": ["x\ud800y", math.nan]})) == {"a\ufffd": ["x\ufffdy", None]}
    assert storable_text("chữ 🙂") == "chữ 🙂"


def test_json_too_deep_is_refused() -> None:
    deep: Any = 1
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(PayloadError):
        encode_json(deep)
    with pytest.raises(PayloadError):
        encode_json({"x": object()})
