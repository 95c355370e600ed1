"""The buffer: its limits, and when a batch is due."""

import threading
import time

from gateway.buffer import Buffer
from gateway.framing import Chunk


def chunk(n: int, size: int = 10) -> Chunk:
    return Chunk([b"t"] * n, [b"\0\1"] * n, [b"1"] * n, size=size)


def test_full_by_messages_until_released() -> None:
    buffer = Buffer(10, 1_000)
    buffer.put(chunk(9))
    assert buffer.wait_for_room(0)
    buffer.put(chunk(5))
    assert not buffer.wait_for_room(0)
    taken = [buffer.take(), buffer.take()]
    assert not buffer.wait_for_room(0)  # taken is not settled
    assert buffer.waiting == 0
    buffer.release([c for c in taken if c])
    assert buffer.wait_for_room(0)
    assert (buffer.messages, buffer.bytes, buffer.take()) == (0, 0, None)


def test_full_by_bytes() -> None:
    buffer = Buffer(10, 1_000)
    buffer.put(chunk(1, size=1_000))
    assert not buffer.wait_for_room(0)


def test_room_wakes_the_reader() -> None:
    buffer = Buffer(1, 1_000)
    buffer.put(chunk(1))
    found: list[bool] = []
    reader = threading.Thread(target=lambda: found.append(buffer.wait_for_room(300)))
    reader.start()
    start = time.monotonic()
    taken = buffer.take()
    assert taken is not None
    buffer.release([taken])
    reader.join(60)
    assert found == [True]
    assert time.monotonic() - start < 60


def test_a_batch_is_due_by_rows_by_age_or_when_full() -> None:
    buffer = Buffer(100, 1_000)
    assert not buffer.wait_for_batch(10, 30, 0.01)  # nothing came
    buffer.put(chunk(10))
    start = time.monotonic()
    assert buffer.wait_for_batch(10, 300, 1)  # rows
    assert buffer.wait_for_batch(1_000, 0.05, 1)  # age
    buffer.rows_a_message = 50
    assert buffer.wait_for_batch(500, 300, 1)  # rows again: ten packs of fifty
    buffer.put(chunk(95))
    assert buffer.wait_for_batch(1_000_000, 300, 1)  # full
    assert time.monotonic() - start < 60
