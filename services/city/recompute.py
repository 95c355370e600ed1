"""Computing the past again: `python -m services.city.recompute air --from … --to …` (`tram domain recompute`).

For what the committed stream cannot tell: a formula or a configuration changed, or a service came after its data. What
is the same as it was is not touched; what changed is stored as a correction, as when late data comes.
"""

import argparse
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import numpy as np

from services.city.discovery import discover
from services.city.domain import Derivation, Domain
from services.city.inputs import QUERIES, Touched
from services.city.putting import Put, put
from tram.clock import DAY, SECOND, from_micros, to_micros
from tram.embedded.addresses import DATABASE, resolve
from tram.errors import NotFoundError, SettingsError, TramError
from tram.sensing import Micros
from tram.settings import Settings, load
from tram.store.columns import Layout
from tram.store.database import Connection, available, connect
from tram.store.wire import timestamps

_ROWS = Layout(thing="int4", property="int2", first="time", last="time")
PIECE = 1_000
"""Buckets of one transaction; 400 took a fifth more time for what each statement costs by itself."""
LONG = 60 * DAY
"""A longer span is computed in two halves at once: while one waits for the server the other computes."""
PAST = 366 * DAY
"""How far back `note` reaches; the command reaches further."""


def recompute(
    conn: Connection, settings: Settings, domain: Domain, start: Micros, end: Micros, now: Micros
) -> Iterator[Put]:
    """Computes every bucket of [start, end) that has data, a piece at a time; commit after each.

    Raises:
        UnavailableError: roll back and try again.
    """
    for derivation in domain.derivations:
        piece = PIECE * derivation.width
        first = (start + derivation.offset) // derivation.width * derivation.width - derivation.offset
        last = min(end, now - derivation.width - derivation.grace + 1)
        for begin in range(first, last, piece):
            with available():  # the worker waits: else what it computes of data that comes now could be put back
                conn.execute(QUERIES["beside"], (f"{domain.name}.{derivation.name}",))
            touched = _touched(conn, derivation, begin, min(begin + piece, last), now)
            if len(touched):
                yield put(conn, domain, derivation.compute(conn, touched, settings))


def whole(settings: Settings, domain: Domain, start: Micros, end: Micros, now: Micros) -> Put:
    """The same with connections of its own, a long span in two halves side by side; commits piece by piece.

    Raises:
        UnavailableError: what was committed stays; computing all of it again does no harm.
    """

    def part(span: tuple[Micros, Micros]) -> Put:
        total = Put(0, 0, 0, 0)
        with connect(settings, "recompute") as conn:
            conn.execute("SET statement_timeout = 0")
            for done in recompute(conn, settings, domain, *span, now):
                conn.commit()
                total = Put(*(a + b for a, b in zip(total, done, strict=True)))
            conn.commit()
        return total

    middle = (start + end) // 2 // DAY * DAY - settings.utc_offset * 3600 * SECOND
    spans = [(start, middle), (middle, end)] if end - start > LONG else [(start, end)]
    with ThreadPoolExecutor(len(spans)) as pool:
        return Put(*(sum(each) for each in zip(*pool.map(part, spans), strict=True)))


def note(conn: Connection, domain: str, derivation: Derivation, thing: int) -> None:
    """Has the worker compute a Thing's last year again. Never commits."""
    now = time.time_ns() // 1000
    arguments = {
        "derivation": f"{domain}.{derivation.name}", "thing": thing, "properties": sorted(derivation.inputs),
        "since": from_micros(now - PAST), "width": derivation.width, "origin": from_micros(-derivation.offset),
    }  # fmt: skip
    with available():
        conn.execute(QUERIES["touch_thing"], arguments)


def _touched(conn: Connection, derivation: Derivation, begin: Micros, end: Micros, now: Micros) -> Touched:
    """Every bucket of a Datastream between its first and last time: one without data has no result, which is true."""
    names = sorted(derivation.inputs)
    start, last = timestamps(np.array([begin, end - 1]))
    arguments = {"properties": names, "start": start, "last": last}
    with available(), conn.cursor(binary=True) as cursor:
        rows = _ROWS.copy_out(cursor, QUERIES["measured_between"], arguments)
    width = derivation.width
    first, until = (rows["first"] - begin) // width, (rows["last"] - begin) // width + 1
    count = until - first
    number = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count) + np.repeat(first, count)
    property = np.repeat(np.array(names)[rows["property"]], count)
    thing = np.repeat(rows["thing"].astype(np.int64), count)
    return Touched(thing, property, begin + number * width, now - derivation.grace)


def _moment(text: str, offset: int) -> Micros:
    """RFC 3339, or a day of the province."""
    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is None:
            found = datetime.fromisoformat(f"{text if 'T' in text else text + 'T00:00:00'}{offset:+03d}:00")
    except ValueError as error:
        raise SettingsError(f"{text!r} is no day (2026-10-01) and no time (2026-10-01T07:00:00+07:00)") from error
    return to_micros(found)


def main(words: list[str]) -> int:
    """Returns the exit code."""
    parser = argparse.ArgumentParser(prog="tram domain recompute", allow_abbrev=False)
    parser.add_argument("service")
    parser.add_argument("--from", dest="start", required=True)
    parser.add_argument("--to", dest="end", default="")
    args = parser.parse_args(words)
    try:
        settings = resolve(load(os.environ), needs=(DATABASE,))
        domain = next((one for one in discover() if one.name == args.service), None)
        if domain is None:
            raise NotFoundError(f"there is no service {args.service!r}: {', '.join(one.name for one in discover())}")
        now = time.time_ns() // 1000
        start = _moment(args.start, settings.utc_offset)
        end = _moment(args.end, settings.utc_offset) if args.end else now
        if start >= end:
            raise SettingsError("--from must be before --to")
        total = whole(settings, domain, start, end, now)
        sys.stdout.write("{} new, {} corrected, {} taken away, {} as they were\n".format(*total))
    except TramError as error:
        sys.stderr.write(f"tram: {error}\n")
        return 2 if error.permanent else 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
