"""Reading: one query a level of $expand, JSON put together from text that the database made.

A page's rows are (id, members, …); what is expanded comes in one more query for all of them, LATERAL for links to many
(so that $top, $filter and $orderby count for each parent) and by id for links to one.
"""

import time
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import psycopg

from services.sta import ends, skiptoken, windows
from services.sta.access import Access
from services.sta.lexer import QueryError
from services.sta.mapping import LATER, TABLES
from services.sta.model import ENTITIES, Entity
from services.sta.paging import costly, merged, next_address, page_limit, shape_of
from services.sta.query import Query, body, build, selected
from services.sta.sql import TRUE, Sql, make
from services.sta.syntax import Options
from tram.errors import TramError
from tram.store import series
from tram.store.database import Connection, Cursor

ENTITIES_MOST = 50_000
"""Most entities of one answer, expanded ones included."""


class Row:
    """One entity that was read: its id as in JSON and links, members as JSON text, what is expanded behind them."""

    __slots__ = ("id", "members")

    def __init__(self, id: str, members: str) -> None:
        self.id, self.members = id, members


class TooLongError(TramError):
    """A query that the database did not end in time."""

    code = "query"

    def __init__(self) -> None:
        super().__init__("it would take too long: name a Datastream, a time or a $top")


@dataclass
class Reader:
    """Reads for one request. `base` is the address of the service root, without a slash at its end.

    Attributes:
        filter_seconds: what all statements of a request may take together when a filter or an order can ask for
            anything; without those, the connection's own limit for each statement holds.
    """

    conn: Connection
    access: Access
    base: str
    filter_seconds: float = 5.0
    read: int = 0
    _aliases: int = 0
    _deadline: float | None = None

    def bound(self, options: Options) -> None:
        """Time begins to run, if the options ask for what nobody knows the cost of."""
        if costly(options):
            self._deadline = time.monotonic() + self.filter_seconds

    def run(self, query: Sql) -> Cursor:
        """One statement. Raises TooLongError."""
        self.limit()
        try:
            return self.conn.execute(query.query, query.params)
        except psycopg.errors.QueryCanceled:
            raise TooLongError from None

    def limit(self) -> None:
        """The next statement gets what is left. Raises TooLongError."""
        if self._deadline is not None:
            left = round((self._deadline - time.monotonic()) * 1000)
            if left < 1:
                raise TooLongError
            self.conn.execute("SELECT set_config('statement_timeout', %s, true)", (str(left),))

    def alias(self) -> str:
        self._aliases += 1
        return f"e{self._aliases}"

    def rows(self, query: Sql) -> list[tuple[Any, ...]]:
        """Runs a query; counts what it gives. Raises QueryError when it is too much."""
        found = self.run(query).fetchall()
        self.read += len(found)
        if self.read > ENTITIES_MOST:
            raise QueryError(f"more than {ENTITIES_MOST} entities in one answer: use $top or $filter", "$expand", 0)
        return found

    def selected(
        self, query: Query, columns: Sequence[Sql], limit: int, skip: int, shape: str, token: str | None
    ) -> list[tuple[Any, ...]]:
        """The rows of a page, from where its $skiptoken says."""
        behind = query.behind(shape, token)
        key = windows.by_time(query)
        if key is None:
            return self.rows(query.select(columns, limit=limit, skip=skip, behind=behind))

        def ask(bound: Sql) -> list[tuple[Any, ...]]:
            both = make("{} AND {}", behind, bound)
            return self.run(query.select(columns, limit=limit, skip=skip, behind=both)).fetchall()

        begin = skiptoken.decode(shape, token, len(query.keys))[0] if token else None
        found = windows.page(self.conn, query, key, begin, limit, ask)
        self.read += len(found)
        return found

    def link(self, entity: Entity, id: str) -> str:
        """selfLink."""
        shown = f"'{id}'" if entity.name == "Observation" else id
        return f"{self.base}/{entity.set_name}({shown})"

    # Pages

    def page(
        self, entity: str, options: Options, address: str, on: Sql = TRUE, through: str = "", alias: str = ""
    ) -> str:
        """The JSON of one page of a set. `address`: of the set, for nextLink; `on`: what it is limited to."""
        alias = alias or self.alias()
        query = build(self.conn, entity, alias, self.access, options, through=through, on=on)
        limit = page_limit(entity, options)
        shape = shape_of(address, options)
        id = Sql(f"({query.table.id.format(e=alias)})::text")
        columns = [id, *self._columns(query, options), *query.key_texts()]
        skip = 0 if options.skip_token else options.skip or 0
        found = self.selected(query, columns, limit + 1, skip, shape, options.skip_token) if limit else []
        next_link = ""
        if len(found) > limit > 0:
            found = found[:limit]
            token = skiptoken.encode(shape, found[-1][-len(query.keys) :])
            next_link = next_address(address, options, token)
        rows = self.entities(query.entity, [row[: len(columns) - len(query.keys)] for row in found[:limit]], options)
        count = ""
        if options.count:
            total = self.run(query.count()).fetchone()
            count = f'"@iot.count":{total[0] if total else 0},'
        tail = f',"@iot.nextLink":{_json(next_link)}' if next_link else ""
        # Put together once: an answer can have megabytes, and every copy of it is milliseconds.
        rows = rows or [""]
        rows[0] = f'{{{count}"value":[{rows[0]}'
        rows[-1] += f"]{tail}}}"
        return ",".join(rows)

    def _columns(self, query: Query, options: Options) -> list[Sql]:
        """Members, then the ids of what a link to one leads to, in the order of `_ones`."""
        properties, _, _ = selected(query.entity, options.select)
        refs = [Sql(f"({query.table.links[e].key.format(e=query.alias)})") for e in _ones(query.entity, options)]
        return [body(query, properties), *refs]

    def one(self, entity: str, options: Options, on: Sql, through: str = "", alias: str = "") -> str | None:
        """The JSON of the one entity that `on` leaves; None where there is none."""
        alias = alias or self.alias()
        query = build(self.conn, entity, alias, self.access, options, through=through, on=on)
        id = Sql(f"({query.table.id.format(e=alias)})::text")
        found = self.rows(query.select([id, *self._columns(query, options)], limit=1))
        made = self.entities(query.entity, found, options)
        return made[0] if made else None

    # Entities

    def entities(self, entity: Entity, found: Sequence[tuple[Any, ...]], options: Options, first: int = 0) -> list[str]:
        """JSON objects of rows that have, from column `first` on, (id, members, ids of links to one …)."""
        if not options.expand and entity.name != "Datastream":
            return self._written(entity, [(row[first], row[first + 1]) for row in found], options)
        rows = [Row(row[first], row[first + 1]) for row in found]
        expanded: set[str] = set()
        if rows:
            spans = self._spans(rows, options) if entity.name == "Datastream" else None
            ones = {name: [row[first + 2 + i] for row in found] for i, name in enumerate(_ones(entity, options))}
            for name, inner in merged(options.expand).items():
                link = ENTITIES[entity.name].links.get(name)
                if link is None:
                    raise QueryError(f"{entity.name} has no {name!r} to expand", name, 0)
                expanded.add(name)
                if link.many:
                    self._many(entity, rows, name, inner, spans)
                else:
                    self._one(rows, name, link.target, inner, ones[name])
        return self._written(entity, [(row.id, row.members) for row in rows], options, expanded)

    def _written(
        self, entity: Entity, rows: Iterable[tuple[str, str]], options: Options, expanded: Collection[str] = ()
    ) -> list[str]:
        """The objects of (id, members): what stands between the places of the id is the same in all of them."""
        _, links, with_id = selected(entity, options.select)
        around = "'" if entity.name == "Observation" else ""
        own = f"{self.base}/{entity.set_name}({around}\0{around})"
        members = [f'"{name}@iot.navigationLink":"{own}/{name}"' for name in links if name not in expanded]
        if with_id or not options.select:
            quote = '"' if around else ""
            members = [f'"@iot.id":{quote}\0{quote}', f'"@iot.selfLink":"{own}"', *members]
        parts = ("{" + ",".join(members)).split("\0")
        if members:
            return [f"{id.join(parts)}{members}}}" for id, members in rows]
        return ["{" + members.lstrip(",") + "}" for _, members in rows]

    def _one(self, rows: list[Row], name: str, target: str, options: Options, refs: list[Any]) -> None:
        alias = self.alias()
        wanted = sorted({ref for ref in refs if ref is not None})
        on = Sql(f"{alias}.id = ANY(%s::bigint[])", (_array(wanted),))
        # A filter of one entity makes no sense: what is expanded is there or it is not.
        options = replace(options, filter=None, orderby=(), count=None)
        query = build(self.conn, target, alias, self.access, options, on=on)
        found = self.rows(query.select([Sql(f"({alias}.id)::text"), *self._columns(query, options)], limit=None))
        by_id = dict(zip((row[0] for row in found), self.entities(ENTITIES[target], found, options), strict=True))
        for row, ref in zip(rows, refs, strict=True):
            made = by_id.get(str(ref))
            if made is not None:
                row.members += f',"{name}":{made}'

    def _spans(self, rows: list[Row], options: Options) -> series.Spans | None:
        """First and last times of Datastreams, where they are asked for; phenomenonTime is written with them."""
        shown = LATER in rows[0].members
        newest = merged(options.expand).get("Observations")
        if not shown and (newest is None or ends.wanted(newest) is None):
            return None
        spans = series.spans(self.conn, [int(row.id) for row in rows])
        if shown:
            members = ends.members(spans)
            for row in rows:
                row.members = row.members.replace(LATER, members.get(int(row.id), ""))
        return spans

    def _many(self, entity: Entity, rows: list[Row], name: str, options: Options, spans: series.Spans | None) -> None:
        target = ENTITIES[entity.name].links[name].target
        how, parent, alias = TABLES[entity.name].links[name], self.alias(), self.alias()
        through = f"{alias}_l"
        on = Sql(how.on.format(e=parent, t=alias, l=through))
        query = build(
            self.conn,
            target,
            alias,
            self.access,
            options,
            on=on,
            through=f"{how.through} {through}" if how.through else "",
            # Whoever sees a Datastream sees its Observations: asked once, not for each of them.
            trusted=(entity.name, name) == ("Datastream", "Observations"),
        )
        limit = page_limit(target, options)
        ids = [int(row.id) for row in rows]
        columns = [Sql(f"({query.table.id.format(e=alias)})::text AS own"), *self._columns(query, options)]
        end = ends.wanted(options)
        found: list[tuple[Any, ...]] = []
        behind: dict[int, Sequence[str | None]] = {}  # by parent: the sort key of its last one, where there are more
        rest = ids
        if spans is not None and name == "Observations" and end is not None:
            found = self._by_key(query, columns, spans, end)
            behind |= ends.keys(spans, end, [key.kind for key in query.keys])
            there = {row[0] for row in found}
            # Whose first or last was removed since the spans were read.
            rest = [id for id in spans.ids.tolist() if id not in there]
        if rest:
            inner = query.select([*columns, *query.key_texts()], limit=limit + 1, skip=options.skip or 0)
            # No ORDER BY around it: LATERAL with LIMIT is a nested loop, whose inner rows come in their order.
            around = make(
                f"SELECT {parent}.id, x.* FROM {TABLES[entity.name].main} {parent} CROSS JOIN LATERAL ({{}}) AS x "
                f"WHERE {parent}.id = ANY(%s::bigint[])",
                inner,
            )
            walked = self.rows(Sql(around.text, (*around.params, _array(rest))))
            more = {id for id, n in Counter(row[0] for row in walked).items() if n > limit}
            if more:
                walked = _first_of_each(walked, limit)
            for id in rest:
                behind.pop(id, None)
            behind |= {row[0]: row[-len(query.keys) :] for row in walked if row[0] in more}
            found += walked
        each = _joined([row[0] for row in found], self.entities(query.entity, found, options, 1))
        following = _json(next_address("", options, ""))[1:-1]
        shape = shape_of("", options)
        counts = self._counts(entity, parent, query, ids) if options.count else {}
        for row, id in zip(rows, ids, strict=True):
            count = f',"{name}@iot.count":{counts.get(id, 0)}' if options.count else ""
            next_link, last = "", behind.get(id)
            if last is not None:
                path = f"/{entity.set_name}({id})/{name}"
                token = skiptoken.encode(path + shape, last)
                next_link = f',"{name}@iot.nextLink":"{self.base}{path}{following}{token}"'
            row.members = f'{row.members}{count},"{name}":[{each.get(id, "")}]{next_link}'

    def _by_key(self, query: Query, columns: Sequence[Sql], spans: series.Spans, end: int) -> list[tuple[Any, ...]]:
        """The first or last Observation of each Datastream whose is still there."""
        found: list[tuple[Any, ...]] = []
        for keys in ends.groups(spans, end):
            # A plain join: TimescaleDB takes three times as long for each of thousands of subqueries.
            one = replace(query, where=[ends.condition(query.alias, keys)], before=ends.source(keys))
            found += self.rows(one.unordered([Sql("w.id"), *columns]))
        return found

    def _counts(self, entity: Entity, parent: str, query: Query, ids: list[int]) -> dict[int, int]:
        count = query.count()
        text = (
            f"SELECT {parent}.id, ({{}}) FROM {TABLES[entity.name].main} {parent} WHERE {parent}.id = ANY(%s::bigint[])"
        )
        around = make(text, count)
        return dict(self.run(Sql(around.text, (*around.params, _array(ids)))).fetchall())


def _array(ids: Iterable[int]) -> str:
    """PostgreSQL's text of an array: psycopg takes ten times as long for a list of thousands."""
    return "{" + ",".join(map(str, ids)) + "}"


def _joined(ids: Sequence[int], texts: Sequence[str]) -> dict[int, str]:
    """The texts of each id, with commas between."""
    each = dict(zip(ids, texts, strict=True))
    if len(each) == len(ids):  # one of each: the newest Observation of thousands of Datastreams
        return each
    several: dict[int, list[str]] = {}
    for id, text in zip(ids, texts, strict=True):
        several.setdefault(id, []).append(text)
    return {id: ",".join(found) for id, found in several.items()}


def _first_of_each(found: Iterable[tuple[Any, ...]], limit: int) -> list[tuple[Any, ...]]:
    """At most `limit` rows of each parent, which is their first column."""
    seen: Counter[int] = Counter()
    kept = []
    for row in found:
        seen[row[0]] += 1
        if seen[row[0]] <= limit:
            kept.append(row)
    return kept


def _ones(entity: Entity, options: Options) -> list[str]:
    """The expanded links that lead to one entity."""
    return [name for name in merged(options.expand) if name in entity.links and not entity.links[name].many]


def _json(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
