"""Observations of all Datastreams in order of phenomenonTime, without an index by time: by stretches of time that grow.

An index by time would cost every row that is written; few ever ask so. A page looks at the last second before where it
begins (or the first after it), then at eight, at sixty-four …, until it is full or there is nothing beyond. Chunks and
a BRIN index, which costs a row next to nothing, make a look at a stretch without rows cheap.
"""

from collections.abc import Callable, Iterator
from typing import Any

from services.sta.query import Key, Query
from services.sta.sql import TRUE, Sql, make, value
from tram.clock import SECOND, from_micros, parse_rfc3339
from tram.store import series
from tram.store.database import Connection
from tram.store.observations import EARLIEST, LATEST

GROWTH = 8


def by_time(query: Query) -> Key | None:
    """The time key, when the query is one for Observations of many Datastreams with the time as its first order."""
    first = query.keys[0]
    many = query.entity.name == "Observation" and not query.before.text and query.where[0] == TRUE
    return first if many and first.sql.text == f"{query.alias}.phenomenon_time" else None


def stretches(conn: Connection, key: Key, begin: str | None) -> Iterator[tuple[Sql, bool]]:
    """(condition of a stretch from where the page begins, whether there is nothing beyond it), ever longer ones.

    `begin`: the time of a $skiptoken, as text.
    """
    spans = series.spans(conn)
    if not len(spans.ids):
        yield TRUE, True
        return
    first, last = int(spans.firsts.min()), int(spans.lasts.max())
    if begin is not None:
        at = parse_rfc3339(begin)
        first, last = (first, min(last, at)) if key.descending else (max(first, at), last)
    width = SECOND
    while True:
        edge = max(last - width, EARLIEST) if key.descending else min(first + width, LATEST)
        beyond = edge <= first if key.descending else edge >= last
        sign = ">=" if key.descending else "<="
        bound = make("{} " + sign + " {}", key.sql, value(from_micros(edge), "timestamptz"))
        # The last one is open: rows that came meanwhile are in it.
        yield (TRUE if beyond else bound), beyond
        if beyond:
            return
        width *= GROWTH


Rows = list[tuple[Any, ...]]


def page(conn: Connection, key: Key, begin: str | None, wanted: int, ask: Callable[[Sql], Rows]) -> Rows:
    """The rows of the first stretch that has enough of them. `ask` runs the query with a further condition."""
    found: Rows = []
    for condition, whole in stretches(conn, key, begin):
        found = ask(condition)
        if whole or len(found) >= wanted:
            break
    return found
