"""History from CSV files: in bounded pieces, resumable, idempotent; a bad line is said and the rest loaded.

lines --parse--> readings --registry.resolve--> Datastreams --units--> a Batch --observations.write--> + progress, one
                    | bad: (line number, reason)                                                      transaction
"""

import csv
import hashlib
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import BinaryIO

import numpy as np

from tram.clock import to_micros
from tram.errors import PayloadError, SettingsError, UnitError
from tram.store import observations, registry, sqlfile
from tram.store.batch import Batch
from tram.store.database import Connection, available
from tram.store.registry import Key, Resolved
from tram.units import convert

LINES = 10_000  # of one transaction
MOST_LINE = 1_048_576  # bytes of one line, quoted line ends included
FIELDS = ("thing", "property", "unit", "time", "result", "value", "quality")


@dataclass(frozen=True, slots=True)
class Meaning:
    """What the columns mean.

    Attributes:
        columns: field (of FIELDS) -> the file's column.
        constants: field -> a value that counts for every line.
        wide: column -> (property, unit): each such column is a property; then there is no `property` and `result`.
        utc_offset: hours that times without an offset are ahead of UTC.
        delimiter: between the columns.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    wide: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    utc_offset: float = 7
    delimiter: str = ","


@dataclass(slots=True)
class Done:
    """What an import did so far. `place` and `line`: where it stands; `bad`: lines of which something was left out."""

    place: int = 0
    line: int = 0
    inserted: int = 0
    duplicates: int = 0
    bad: int = 0


@dataclass(frozen=True, slots=True)
class _Reading:
    line: int
    key: Key
    time: int
    result: float
    json: bytes | None
    quality: int


def load(
    conn: Connection, file: BinaryIO, mapping: Meaning, *, report: Callable[[int, str], None],
    progress: Callable[[Done], None] = lambda done: None, again: bool = False,
) -> Done:  # fmt: skip
    """Imports a CSV file with a head line. Commits every LINES lines; one that was interrupted goes on where it was.

    Args:
        file: seekable, UTF-8 (a byte order mark may begin it).
        report: told every bad line: its number in the file and why.
        again: from the beginning, though it was done before. Rows that are there already are not stored twice anyway.

    Raises:
        SettingsError: the mapping does not fit the file.
        UnavailableError: the database is away: call again.
    """
    head, head_bytes = _line(file, 1)
    names = _split(head.removeprefix("\ufeff"), mapping.delimiter, 1)
    picks = _picks(names, mapping)
    fingerprint = _fingerprint(file, mapping)
    done = Done(head_bytes, 1)
    queries = sqlfile.load("imports")
    with available():
        row = conn.execute(queries["progress"], (fingerprint,)).fetchone()
        conn.commit()
        if row is not None and not again:
            done.place, done.line = row
    file.seek(done.place)
    while True:
        readings, ended = _piece(file, done, names, picks, mapping, report)
        with available():
            _store(conn, readings, done, report)
            conn.execute(queries["note"], (fingerprint, done.place, done.line))
            conn.commit()
        progress(done)
        if ended:
            return done


def _piece(
    file: BinaryIO, done: Done, names: list[str], picks: "_Picks", mapping: Meaning,
    report: Callable[[int, str], None],
) -> tuple[list[_Reading], bool]:  # fmt: skip
    readings: list[_Reading] = []
    for _ in range(LINES):
        number = done.line + 1
        try:
            text, size = _line(file, number)
        except PayloadError as error:
            # The rest of an endless line is skipped; what follows is read on.
            done.place, done.line, done.bad = file.tell(), number, done.bad + 1
            report(number, str(error))
            continue
        if size == 0:
            return readings, True
        done.place += size
        done.line += text.count("\n") or 1
        if not text.strip():
            continue
        try:
            found, faults = picks.read(_split(text, mapping.delimiter, number), number)
        except PayloadError as error:
            found, faults = [], [str(error)]
        readings += found
        if faults:
            done.bad += 1
            report(number, "; ".join(faults))
    return readings, False


def _store(conn: Connection, readings: list[_Reading], done: Done, report: Callable[[int, str], None]) -> None:
    if not readings:
        return
    answers = registry.resolve(conn, list({reading.key: None for reading in readings}), "open")
    kept: list[tuple[_Reading, int, float]] = []
    for reading in readings:
        answer = answers[reading.key]
        fault = None
        result = reading.result
        if not isinstance(answer, Resolved):
            fault = getattr(answer, "detail", None) or "its Thing is not accepted"
        elif reading.key.unit and answer.unit and reading.key.unit != answer.unit and not math.isnan(result):
            try:
                result = convert(result, reading.key.unit, answer.unit)
            except UnitError as error:
                fault = str(error)
        if fault or not isinstance(answer, Resolved):
            done.bad += 1
            report(reading.line, str(fault))
        else:
            kept.append((reading, answer.datastream_id, result))
    batch = Batch(
        np.array([id for _, id, _ in kept], np.int32),
        np.array([reading.time for reading, _, _ in kept], np.int64),
        np.array([result for _, _, result in kept], np.float64),
        np.array([reading.quality for reading, _, _ in kept], np.int16),
        {row: reading.json for row, (reading, _, _) in enumerate(kept) if reading.json is not None},
    )
    written = observations.write(conn, batch)
    done.inserted += written.inserted
    done.duplicates += written.duplicates


@dataclass(frozen=True, slots=True)
class _Picks:
    """Where the fields stand in a line."""

    width: int
    at: Mapping[str, int]
    constants: Mapping[str, str]
    wide: Mapping[int, tuple[str, str]]
    zone: timezone

    def read(self, cells: list[str], line: int) -> tuple[list[_Reading], list[str]]:
        """The readings of a line, and what is wrong with the rest of it."""
        if len(cells) != self.width:
            raise PayloadError(f"{len(cells)} columns, the head has {self.width}", code="columns")
        thing, time = self._text(cells, "thing").strip(), self._time(cells)
        quality = self._quality(cells)
        if not self.wide:
            key = Key(thing, self._text(cells, "property").strip(), self._text(cells, "unit").strip())
            text, json = self._text(cells, "result").strip(), self._text(cells, "value").strip()
            if not text and not json:
                raise PayloadError("it has no result", code="empty")
            return [_Reading(line, key, time, _number(text), json.encode() if json else None, quality)], []
        readings, faults = [], []
        for place, (property, unit) in self.wide.items():
            text = cells[place].strip()
            if text:  # an empty cell says nothing
                try:
                    readings.append(_Reading(line, Key(thing, property, unit), time, _number(text), None, quality))
                except PayloadError as error:
                    faults.append(f"{property}: {error}")
        return readings, faults

    def _text(self, cells: list[str], name: str) -> str:
        return cells[self.at[name]] if name in self.at else self.constants.get(name, "")

    def _time(self, cells: list[str]) -> int:
        text = self._text(cells, "time").strip()
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise PayloadError(f"{text[:40]!r} is no time like 2026-01-31T12:00:00+07:00", code="time") from None
        return to_micros(moment if moment.tzinfo else moment.replace(tzinfo=self.zone))

    def _quality(self, cells: list[str]) -> int:
        text = self._text(cells, "quality").strip() or "0"
        if not text.isdecimal() or int(text) > 0x7FFF:
            raise PayloadError(f"the quality {text[:20]!r} is none", code="quality")
        return int(text)


def _number(text: str) -> float:
    if not text:
        return math.nan
    try:
        number = float(text)
    except ValueError:
        raise PayloadError(f"{text[:40]!r} is no number", code="type") from None
    if not math.isfinite(number):
        raise PayloadError(f"{text[:40]!r} is no number that can be stored", code="nan")
    return number


def _picks(names: list[str], mapping: Meaning) -> _Picks:
    for column in [*mapping.columns.values(), *mapping.wide]:
        if column not in names:
            raise SettingsError(f"the file has no column {column!r}; it has {', '.join(names)}")
    at = {name: names.index(name) for name in FIELDS if name in names and name not in mapping.constants}
    at |= {name: names.index(column) for name, column in mapping.columns.items()}
    needed = ("thing", "time") if mapping.wide else ("thing", "property", "time", "result")
    for name in needed:
        if name not in at and name not in mapping.constants:
            raise SettingsError(f"nothing says what the {name} is: map a column to it, or give a constant")
    zone = timezone(timedelta(hours=mapping.utc_offset))
    return _Picks(
        len(names), at, mapping.constants, {names.index(column): what for column, what in mapping.wide.items()}, zone
    )


def _line(file: BinaryIO, number: int) -> tuple[str, int]:
    """The next line, with the line ends that stand in quotes; its size in bytes, 0 at the end."""
    data = file.readline(MOST_LINE)
    while data.count(b'"') % 2 and len(data) < MOST_LINE:
        more = file.readline(MOST_LINE - len(data))
        if not more:
            break
        data += more
    if len(data) >= MOST_LINE:
        while data and not data.endswith(b"\n"):
            data = file.readline(MOST_LINE)
        raise PayloadError(f"longer than {MOST_LINE} bytes", code="size")
    try:
        return data.decode("utf-8"), len(data)
    except UnicodeDecodeError:
        return data.decode("utf-8", "replace"), len(data)


def _split(text: str, delimiter: str, number: int) -> list[str]:
    try:
        rows: Iterator[list[str]] = csv.reader([text], delimiter=delimiter, strict=True)
        return next(rows, [])
    except csv.Error as error:
        if number == 1:
            raise SettingsError(f"the head cannot be read: {error}") from None
        raise PayloadError(f"no CSV: {error}", code="csv") from None


def _fingerprint(file: BinaryIO, mapping: Meaning) -> str:
    place = file.tell()
    file.seek(0)
    digest = hashlib.sha256(file.read(1 << 20))
    size = file.seek(0, 2)
    file.seek(place)
    digest.update(f"{size} {mapping!r}".encode())
    return digest.hexdigest()
