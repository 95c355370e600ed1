"""The readings of some messages by column, between decoding and what is made of them."""

import struct
from array import array
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gateway.framing import Chunk
from tram.readings import Message, Times, moments
from tram.sensing import Micros, Thing
from tram.store.deadletters import DeadLetter

NO_TIME = np.iinfo(np.int64).min
FARTHEST = 2**60  # microseconds: some 36,000 years; a claimed time beyond is as insane as this one
_NAN = struct.pack("d", float("nan"))
_pack = struct.Struct("d").pack


@dataclass(slots=True)
class Rows:
    """The readings of some chunks by column, in order of receipt.

    Attributes:
        slots, numbers: one a reading: its key's slot (gateway.directory), its value as float64, NaN if in `others`.
        others: row -> a value that is no finite number.
        counts, times: one a message: how many readings are its own, and when they say they were taken.
        letters: what could not be read. things: what devices said of themselves.
    """

    chunks: list[Chunk] = field(default_factory=list)
    slots: "array[int]" = field(default_factory=lambda: array("q"))
    numbers: bytearray = field(default_factory=bytearray)
    others: dict[int, Any] = field(default_factory=dict)
    counts: list[int] = field(default_factory=list)
    times: list[Times] = field(default_factory=list)
    letters: list[DeadLetter] = field(default_factory=list)
    things: list[Thing] = field(default_factory=list)
    retained: int = 0  # timeless readings of retained messages, not stored

    def __len__(self) -> int:
        return len(self.slots)

    def add(self, slot: int, value: Any) -> None:
        """One reading of any value; the caller adds its message's count and times."""
        try:
            number = _pack(value)
        except (struct.error, OverflowError):
            number = _NAN
        if number == _NAN or not isfinite(value):
            self.others[len(self.slots)] = value
        self.slots.append(slot)
        self.numbers += number

    def sources(self) -> NDArray[np.int64]:
        """The index of each row's message, shape (rows,)."""
        return np.repeat(np.arange(len(self.counts)), self.counts)

    def received(self) -> NDArray[np.int64]:
        """When each message was received, in microseconds, shape (messages,)."""
        spans = [np.arange(c.received, c.received + len(c), dtype=np.int64) for c in self.chunks]
        return np.concatenate(spans) if spans else np.zeros(0, np.int64)

    def claimed(self) -> NDArray[np.int64]:
        """The time that each row states in microseconds, NO_TIME where it states none; shape (rows,)."""
        counts = np.array(self.counts, np.int64)
        try:  # the usual case: every message states one
            one_each = struct.pack(f"{len(counts)}q", *self.times)
        except struct.error:
            return self._claimed(counts)
        return np.repeat(np.ndarray(len(counts), np.int64, one_each), counts)

    def _claimed(self, counts: NDArray[np.int64]) -> NDArray[np.int64]:
        alone = [_sane(t) if isinstance(t, int) else NO_TIME for t in self.times]
        claimed = np.repeat(np.array(alone, np.int64), counts)
        spread = [(i, *times) for i, times in enumerate(self.times) if isinstance(times, tuple)]
        if spread:
            messages, bases, own = zip(*spread, strict=True)
            inside = np.zeros(len(counts), bool)
            inside[list(messages)] = True
            claimed[np.repeat(inside, counts)] = moments(np.repeat(bases, counts[inside]), np.frombuffer(b"".join(own)))
        for message, end in enumerate(np.cumsum(counts).tolist()):
            if isinstance(times := self.times[message], list):
                claimed[end - len(times) : end] = [NO_TIME if t is None else _sane(t) for t in times]
        return claimed

    def message(self, index: int) -> Message:
        """One message, as it was received."""
        for chunk in self.chunks:
            if index < len(chunk):
                topic = chunk.topics[index].decode("utf-8", "replace")
                return Message(topic, chunk.payloads[index], chunk.received + index)
            index -= len(chunk)
        raise IndexError(index)


def _sane(time: Micros) -> Micros:
    return max(-FARTHEST, min(FARTHEST, time))
