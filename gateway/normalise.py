"""Rows as they were sent to a batch as it is stored: unit, time, quality, all by column.

The rules, in the order they are applied:
- a value in another unit of its property is converted (gateway.directory.conversion); one in a unit that cannot be is
  stored as sent, flagged UNIT;
- true and false are 1 and 0; a number that is not finite is a dead letter; text, lists and objects go to result_json,
  but of a catalogued property, which is a number, a text that is one is taken as it, and all else is a dead letter;
- a time that is not sane (tram.clock.TimePolicy) gives way to the receive time, is kept in parameters as
  `claimed_time`, and the row is flagged CLOCK; one long past is flagged LATE;
- a value outside its property's limits is flagged RANGE, one that stands still for too long STUCK.
"""

import re
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from gateway.deadletter import letter
from gateway.directory import ACTIVE, HELD, Directory
from gateway.rows import NO_TIME, Rows
from tram.clock import TimePolicy, format_rfc3339
from tram.errors import PayloadError
from tram.quality import StuckDetector, out_of_range
from tram.readings import Message
from tram.store.batch import Batch, encode_json
from tram.store.deadletters import DeadLetter
from tram.store.registry import Held, Refused


@dataclass(slots=True)
class Work:
    """What one transaction stores.

    Attributes:
        batch: the observations.
        sources: shape (len(batch),): index in `rows` of the message each came from.
        rows: the rows it was made of; `rows.chunks` are what is acknowledged after the commit.
        letters: dead letters.
        held: (thing id, message) of Things that wait to be accepted.
    """

    batch: Batch
    sources: NDArray[np.int64]
    rows: Rows
    letters: list[DeadLetter]
    held: list[tuple[int, Message]]


class Normaliser:
    """Keeps what every Datastream said last, so hand it every batch once, in order of receipt."""

    def __init__(self, directory: Directory, policy: TimePolicy) -> None:
        self._directory, self._policy = directory, policy
        self._stuck = StuckDetector()

    def start_over(self) -> None:
        """Forgets the last values: the directory's slots are others now."""
        self._stuck = StuckDetector()

    def normalise(self, rows: Rows) -> Work:
        """The work that some rows come to. The directory must have no open question (Directory.asks) any more."""
        directory = self._directory
        slots = np.ndarray(len(rows), np.int64, rows.slots)
        values, texts = np.ndarray(len(rows), np.float64, rows.numbers), dict[int, bytes]()
        claimed = rows.claimed()
        sources = rows.sources()
        received = rows.received()[sources]
        letters, held = list(rows.letters), list[tuple[int, Message]]()
        stored = directory.state[slots] == ACTIVE
        if not stored.all():
            self._not_stored(rows, slots, sources, stored, letters, held)
        for row, value in rows.others.items():
            if not stored[row]:
                continue
            if directory.measured[slots[row]] and not isinstance(value, (int, float)):
                fault = _measure(value, row, values)
            else:
                fault = _encode(value, row, texts)
            if fault is not None:
                stored[row] = False
                key, message = directory.keys[slots[row]], rows.message(int(sources[row]))
                detail = f"{key.thing} {key.property}: {fault[1]}"
                letters.append(letter(fault[0], detail, message.topic, message.payload, message.received))
        kept: NDArray[np.intp] | None = None
        if not stored.all():
            kept = np.flatnonzero(stored)
            slots, values, claimed = slots[kept], values[kept], claimed[kept]
            sources, received = sources[kept], received[kept]
        directory.heard[slots] = received
        result = values * directory.scale[slots] + directory.offset[slots]
        result[~np.isfinite(result)] = np.nan
        times, quality = self._policy.judge_columns(claimed, claimed != NO_TIME, received)
        parameters = _claims(claimed, times)
        quality |= directory.flags[slots]
        quality |= out_of_range(result, directory.low[slots], directory.high[slots])
        limits = directory.stuck[slots]
        watched = np.flatnonzero(limits)  # most properties may well hold still: nothing is remembered of them
        if len(watched):
            quality[watched] |= self._stuck.flags(slots[watched], result[watched], limits[watched])
        if kept is not None and texts:
            texts = {int(np.searchsorted(kept, row)): text for row, text in texts.items() if stored[row]}
        batch = Batch(directory.datastream[slots], times, result, quality, texts, parameters)
        return Work(batch, sources, rows, letters, held)

    def _not_stored(
        self, rows: Rows, slots: NDArray[np.int64], sources: NDArray[np.int64], stored: NDArray[np.bool_],
        letters: list[DeadLetter], held: list[tuple[int, Message]],
    ) -> None:  # fmt: skip
        """A message waits once for each Thing that is held, and has one letter for each reason it is refused."""
        directory = self._directory
        done: set[tuple[int, int | str]] = set()
        for row in np.flatnonzero(~stored).tolist():
            index, slot = int(sources[row]), int(slots[row])
            answer = directory.answers[slot]
            mark = (index, answer.thing_id if isinstance(answer, Held) else answer.reason)
            if mark in done:
                continue
            done.add(mark)
            message = rows.message(index)
            if isinstance(answer, Refused):
                letters.append(letter(answer.reason, answer.detail, message.topic, message.payload, message.received))
            elif directory.state[slot] == HELD:
                held.append((answer.thing_id, message))


def _encode(value: Any, row: int, texts: dict[int, bytes]) -> tuple[str, str] | None:
    """Puts a value that is no finite number among the texts. Returns (reason, detail) when it cannot be stored."""
    if isinstance(value, (int, float)):
        return "nan", "a number that is not finite or too large"
    try:
        texts[row] = encode_json(value)
    except PayloadError as error:
        return error.code, str(error)
    return None


_NUMBER = re.compile(r"\s*[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?\s*", re.ASCII)


def _measure(value: Any, row: int, values: NDArray[np.float64]) -> tuple[str, str] | None:
    """Takes a text that is a number for that number. Returns (reason, detail) of all else."""
    if isinstance(value, str) and len(value) <= 64 and _NUMBER.fullmatch(value):
        values[row] = float(value)
        return None if np.isfinite(values[row]) else ("nan", "a number that is not finite or too large")
    kind = "text" if isinstance(value, str) else "an object" if isinstance(value, dict) else "a list"
    return "type", f"{kind} stands where a number is expected"


def _claims(claimed: NDArray[np.int64], times: NDArray[np.int64]) -> dict[int, bytes]:
    """The claimed time of the rows that were not given it, as parameters."""
    rows = np.flatnonzero((claimed != times) & (claimed != NO_TIME)).tolist()
    return {row: msgspec.json.encode({"claimed_time": _shown(int(claimed[row]))}) for row in rows}


def _shown(micros: int) -> str | int:
    try:
        return format_rfc3339(micros)
    except OverflowError:  # outside the years 1 to 9999: the number it is
        return micros
