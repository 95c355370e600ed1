"""Computing calculated Datastreams: changes of the committed stream mark spans of time, which are computed.

    committed --mark--> calculated_mark         position and marks in one transaction
    marks --read inputs--> evaluate --compare with what is stored--> write | correct | delete     in one transaction

A value is a function of the inputs as they stand, whenever they came; so late, corrected and deleted values are no
special case, and computing a span twice changes nothing. What is written goes through the committed stream again: that
is how a chain works, and how rollups, alarms and viewers learn of it.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tram.clock import DAY, from_micros
from tram.expressions import ExpressionError, Program, Series, compile_expression, run
from tram.quality import SUSPECT, Quality
from tram.store import calculated, observations, sqlfile
from tram.store.batch import Batch, concat
from tram.store.calculated import Definition
from tram.store.calculated_rows import ROWS, Rows, Wanted
from tram.store.committed import Committed, Reader
from tram.store.database import Connection, Cursor, available
from tram.store.observations import EARLIEST, LATEST

READER = "calculated"
AT_ONCE = 50
"""Most definitions of one transaction."""
SPANS = 1_000
"""Most spans that one step marks of one definition; more become one that holds them all."""
WIDE = 32 * DAY
"""A span of this length is history, computed after all that are shorter."""
_CALCULATED = int(Quality.ESTIMATED)

Span = tuple[int, int]


class CalculationError(Exception):
    """A definition cannot be computed; the message says why, to a person."""


@dataclass(slots=True)
class Outcome:
    """What computing a part of one definition came to: rows to add, to change, to take away, and what is left."""

    id: int
    added: Batch
    changed: Batch
    gone: Batch
    left: list[Span]
    undefined: int = 0
    undefined_at: datetime | None = None
    fault: str = ""

    @property
    def written(self) -> int:
        """Rows that it writes."""
        return len(self.added) + len(self.changed) + len(self.gone)


class Calculator:
    """Keeps calculated Datastreams true. One marks at a time: the reader's position is locked."""

    def __init__(self) -> None:
        self._reader = Reader(READER)
        self._queries = sqlfile.load("calculated")
        self._after = 0

    def start(self, conn: Connection) -> None:
        """Makes the position where there is none. Never commits."""
        self._reader.start(conn)

    def rebuild(self, conn: Connection) -> None:
        """For a reader that fell behind: the stream's end, and everything marked. Never commits."""
        self._reader.start(conn, again=True)
        with available():
            conn.execute(self._queries["mark_all"], calculated.ALL)

    def mark(self, conn: Connection, rows: int = 200_000) -> bool:
        """Takes about `rows` rows from the stream and marks what they touch; whether there may be more. Never commits.

        Raises:
            FellBehindError: call `rebuild`.
        """
        taken = self._reader.take(conn, rows=rows, batches=2_000)
        if taken:
            self._mark(conn, taken)
        return sum(len(one.batch) for one in taken) >= rows

    def _mark(self, conn: Connection, taken: Sequence[Committed]) -> None:
        ids = np.concatenate([one.batch.datastream_id for one in taken])
        with available():
            distinct = np.unique(ids).tolist()
            looking = conn.execute(self._queries["touched"], (distinct,)).fetchall()
        if not looking:
            return
        times = np.concatenate([one.batch.phenomenon_time for one in taken])
        spans: dict[int, list[NDArray[np.int64]]] = {}
        for stream, id, reach in looking:
            mine = np.unique(times[ids == stream])
            spans.setdefault(id, []).append(np.column_stack((mine, mine + reach)))
        found = [(id, *span) for id, parts in spans.items() for span in merged(np.concatenate(parts))]
        calculated.mark(conn, [f[0] for f in found], [f[1] for f in found], [f[2] for f in found])

    def compute(self, conn: Connection) -> bool:
        """Computes a part of what is marked, of some definitions in turn; whether there may be more. Never commits."""
        with available(), conn.cursor(binary=True) as cursor:
            ids = self._turn(cursor)
            if not ids:
                return False
            marks: dict[int, list[Span]] = {id: [] for id in ids}
            for id, first, last in cursor.execute(self._queries["take_marks"], (ids,)).fetchall():
                marks[id].append((first, last))
            found = [one for one in calculated.several(conn, ids) if one.enabled]
            outcomes = _outcomes(cursor, found, marks)
            left = [(one.id, *span) for one in outcomes for span in one.left]
            calculated.mark(conn, [f[0] for f in left], [f[1] for f in left], [f[2] for f in left])
            self._tell(cursor, found, outcomes)
        # Last: these take the stream's lock.
        observations.write(conn, concat([one.added for one in outcomes]))
        observations.correct(conn, concat([one.changed for one in outcomes]))
        gone = concat([one.gone for one in outcomes])
        observations.delete(conn, gone.datastream_id, gone.phenomenon_time)
        return True

    def _tell(self, cursor: Cursor, before: Sequence[Definition], outcomes: Sequence[Outcome]) -> None:
        """Notes on the definitions what came of it; where nothing changed, nothing."""
        faults = {one.id: one.fault for one in before}
        told = [
            {"id": one.id, "fault": one.fault, "written": one.written, "undefined": one.undefined,
             "undefined_at": one.undefined_at}
            for one in outcomes if one.written or one.fault != faults[one.id]
        ]  # fmt: skip
        if told:
            cursor.executemany(self._queries["told"], told)

    def _turn(self, cursor: Cursor) -> list[int]:
        """The next definitions that have marks, going round; their rows are locked."""
        for after in (self._after, 0) if self._after else (0,):
            rows = cursor.execute(self._queries["marked"], {"after": after, "limit": AT_ONCE}).fetchall()
            if rows:
                self._after = rows[-1][0] if len(rows) == AT_ONCE else 0
                return [row[0] for row in rows]
        return []


def merged(spans: NDArray[np.int64]) -> list[Span]:
    """Spans (n, 2) joined where they meet, by time; more than SPANS become one."""
    spans = spans[np.argsort(spans[:, 0], kind="stable")]
    ends = np.maximum.accumulate(spans[:, 1])
    new = np.flatnonzero(np.append(True, spans[1:, 0] > ends[:-1] + 1))
    if len(new) > SPANS:
        return [(int(spans[0, 0]), int(ends[-1]))]
    lasts = ends[np.append(new[1:] - 1, len(spans) - 1)]
    return list(zip(spans[new, 0].tolist(), lasts.tolist(), strict=True))


def program_of(one: Definition) -> Program:
    """The definition's program, for its inputs' units as they are now.

    Raises:
        CalculationError: an input or the result is gone, or a unit no longer fits.
    """
    for source in one.inputs:
        if source.datastream_id is None:
            raise CalculationError(f"the input {source.name} ({source.was}) was deleted: change the definition")
    if one.output_id is None:
        raise CalculationError("the result's Datastream was deleted: remove the definition")
    units = tuple((source.name, source.unit or "") for source in one.inputs)
    try:
        return _compiled(one.expression, units, one.unit or "", one.max_age)
    except ExpressionError as error:
        raise CalculationError(f"the expression no longer fits its inputs: {error}") from None


@lru_cache(maxsize=2_000)
def _compiled(text: str, units: tuple[tuple[str, str], ...], unit: str, max_age: int) -> Program:
    return compile_expression(text, dict(units), unit, max_age)


def _outcomes(cursor: Cursor, definitions: Sequence[Definition], marks: Mapping[int, list[Span]]) -> list[Outcome]:
    """Computes parts of several definitions; their short spans are read together."""
    sources = [source.datastream_id for one in definitions for source in one.inputs]
    cuts: dict[int, int] = dict(cursor.execute(sqlfile.load("retention")["cut_of"], {"ids": sources}).fetchall())
    rows = Rows(cursor)
    wanted: list[Wanted] = []
    for one in definitions:
        with suppress(CalculationError):  # told by `_outcome`
            program, first = program_of(one), _computable(one, cuts)
            for span in _narrow(marks[one.id]):
                wanted += _wanted(one, program, (max(span[0], first), span[1]))
    rows.ahead(wanted)
    return [_outcome(rows, one, marks[one.id], _computable(one, cuts)) for one in definitions]


def _narrow(marks: list[Span]) -> list[Span]:
    short = [span for span in marks if span[1] - span[0] < WIDE]
    return merged(np.array(short, np.int64)) if short else []


def _wanted(one: Definition, program: Program, span: Span) -> list[Wanted]:
    """What computing a span reads: the result, then each input."""
    first, last = max(span[0], EARLIEST), min(span[1], LATEST)
    if last < first or one.output_id is None:
        return []
    reads = [Wanted("stored", one.output_id, first, last)]
    for source in one.inputs:
        assert source.datastream_id is not None
        reads.append(Wanted("numbers", source.datastream_id, first - program.reach[source.name] + 1, last))
    return reads


def _outcome(rows: Rows, one: Definition, marks: list[Span], first: int) -> Outcome:
    """Computes the short spans first, and one page of what is long."""
    none = concat([])
    try:
        program = program_of(one)
        wide = [span for span in marks if span[1] - span[0] >= WIDE]
        found = Outcome(one.id, none, none, none, [])
        long = merged(np.array(wide, np.int64)) if wide else []
        # What is recent first; history goes on by one page, even while new values never cease.
        todo = [*_narrow(marks), *long[:1]]
        budget, done = ROWS, np.zeros((0, 2), np.int64)
        for start, last in todo:
            if budget <= 0:
                found.left.append((start, last))
                continue
            if last < first:
                continue  # older than what the inputs are kept: it stands
            page = _page(rows, one, program, (max(start, first), last))
            budget -= page.rows
            _take(found, one, _without(page, done))
            done = np.append(done, [(start, last)], 0)
        found.left += long[1:]
        return found
    except CalculationError as fault:
        return Outcome(one.id, none, none, none, [], fault=str(fault))


@dataclass(slots=True)
class Page:
    """One part of a span: moments, values and what is stored, up to and with `last`; None: the span's end."""

    times: NDArray[np.int64]
    values: NDArray[np.float64]
    stored: NDArray[np.void]
    left: Span | None
    rows: int


def _page(rows: Rows, one: Definition, program: Program, span: Span) -> Page:
    last = min(span[1], LATEST)
    first = max(span[0], EARLIEST)
    reads = _wanted(one, program, span)
    stored = rows.get(*reads[0])
    until = last if len(stored) < ROWS else int(stored["time"][-1])
    inputs: dict[str, Series] = {}
    read = 0
    for source, wanted in zip(one.inputs, reads[1:], strict=True):
        found = rows.get(*wanted)
        read += len(found)
        if len(found) == ROWS:
            until = min(until, int(found["time"][-1]))
            if until < first:
                raise CalculationError(
                    f"the input {source.name} has more than {ROWS} values in what one value looks back at: take a "
                    "shorter window, or put a calculated Datastream of its mean in between"
                )
        good = found[(found["quality"] & SUSPECT) == 0]
        inputs[source.name] = Series(good["time"], good["result"])
    times = moments(one, inputs, first, until)
    computed = run(program, inputs, times)
    left = (until + 1, span[1]) if until < last else None
    there = computed.present
    return Page(times[there], computed.values[there], stored[stored["time"] <= until], left, read)


def _without(page: Page, done: NDArray[np.int64]) -> Page:
    """A page without what lies in spans that are done."""
    if len(done) == 0:
        return page

    def outside(times: NDArray[np.int64]) -> NDArray[np.bool_]:
        span = np.searchsorted(done[:, 0], times, "right") - 1
        return np.asarray((span < 0) | (times > done[np.maximum(span, 0), 1]), bool)

    kept, stands = outside(page.times), outside(page.stored["time"])
    return Page(page.times[kept], page.values[kept], page.stored[stands], page.left, page.rows)


def moments(one: Definition, inputs: Mapping[str, Series], first: int, last: int) -> NDArray[np.int64]:
    """When there are values of the result: wherever a triggering input has one."""
    found = [inputs[source.name].times for source in one.inputs if source.triggers]
    times = np.unique(np.concatenate(found)) if found else np.zeros(0, np.int64)
    return times[(times >= first) & (times <= last)]


def _take(found: Outcome, one: Definition, page: Page) -> None:
    """Adds to `found` in what a page differs from what is stored."""
    assert one.output_id is not None
    undefined = np.isnan(page.values)
    quality = np.where(undefined, _CALCULATED | int(Quality.UNDEFINED), _CALCULATED).astype(np.int16)
    at = np.searchsorted(page.stored["time"], page.times)
    there = np.zeros(len(page.times), bool)
    inside = at < len(page.stored)
    there[inside] = page.stored["time"][at[inside]] == page.times[inside]
    before, flags = page.stored["result"][at[there]], page.stored["quality"][at[there]]
    same = np.zeros(len(page.times), bool)
    same[there] = ((before == page.values[there]) | (np.isnan(before) & undefined[there])) & (
        (flags & ~np.int16(Quality.CORRECTED)) == quality[there]
    )
    rows = Batch(np.full(len(page.times), one.output_id, np.int32), page.times, page.values, quality)
    found.added = concat([found.added, rows.take(np.flatnonzero(~there))])
    found.changed = concat([found.changed, rows.take(np.flatnonzero(there & ~same))])
    gone = np.setdiff1d(page.stored["time"], page.times)
    nothing = Batch(
        np.full(len(gone), one.output_id, np.int32), gone, np.full(len(gone), np.nan), np.zeros(len(gone), np.int16)
    )
    found.gone = concat([found.gone, nothing])
    new = undefined & ~same
    if new.any():
        found.undefined += int(new.sum())
        newest = from_micros(int(page.times[new].max()))
        found.undefined_at = newest if found.undefined_at is None else max(newest, found.undefined_at)
    if page.left:
        found.left.append(page.left)


def _computable(one: Definition, cuts: Mapping[int, int]) -> int:
    """The first moment whose inputs are all still kept (retention): what was computed before it stands."""
    kept = ((source, source.datastream_id) for source in one.inputs)
    return max((cuts[id] + source.reach for source, id in kept if id is not None and id in cuts), default=EARLIEST)
