"""Observations of all Datastreams in order of phenomenonTime, without an index by time: by stretches of time that grow.

An index by time would cost every row that is written, a BRIN one a tenth of that row; few ever ask so. A page looks at
the last second before where it begins (or the first after it), then at eight, at sixty-four …, until it is full or
nothing is beyond: each time by the index on (Datastream, time), for the Datastreams whose extent reaches into it.
"""

from collections.abc import Callable, Iterator
from typing import Any

from services.sta.query import Key, Query
from services.sta.sql import FALSE, TRUE, Sql, make, value
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


def stretches(conn: Connection, query: Query, key: Key, begin: str | None) -> Iterator[tuple[Sql, bool]]:
    """(condition of a stretch from where the page begins, whether there is nothing beyond it), ever longer ones.

    `begin`: the time of a $skiptoken, as text.
    """
    spans = series.spans(conn)
    if not len(spans.ids):
        yield FALSE, True
        return
    first, last = int(spans.firsts.min()), int(spans.lasts.max())
    if begin is not None:
        at = parse_rfc3339(begin)
        first, last = (first, min(last, at)) if key.descending else (max(first, at), last)
    width = SECOND
    while True:
        low, high = (last - width, last) if key.descending else (first, first + width)
        beyond = low <= first if key.descending else high >= last
        if beyond:
            low, high = first, last
        there = spans.ids[(spans.lasts >= low) & (spans.firsts <= high)]
        ids = "{" + ",".join(map(str, there.tolist())) + "}"
        stretch = make(f"{query.alias}.datastream_id = ANY({{}})", value(ids, "int4[]"))
        sign, edge = (">=", low) if key.descending else ("<=", high)
        edge = max(EARLIEST, min(edge, LATEST))
        yield make("{} AND {} " + sign + " {}", stretch, key.sql, value(from_micros(edge), "timestamptz")), beyond
        if beyond:
            return
        width *= GROWTH


Rows = list[tuple[Any, ...]]


def page(conn: Connection, query: Query, key: Key, begin: str | None, wanted: int, ask: Callable[[Sql], Rows]) -> Rows:
    """The rows of the first stretch that has enough of them. `ask` runs the query with a further condition."""
    found: Rows = []
    for condition, whole in stretches(conn, query, key, begin):
        found = ask(condition)
        if whole or len(found) >= wanted:
            break
    return found
