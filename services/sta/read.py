"""Reading: one query a level of $expand, JSON put together from text that the database made.

A page's rows are (id, members, …); what is expanded comes in one more query for all of them, LATERAL for links to many
(so that $top, $filter and $orderby count for each parent) and by id for links to one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

from services.sta import skiptoken
from services.sta.access import Access
from services.sta.lexer import QueryError
from services.sta.mapping import TABLES
from services.sta.model import ENTITIES, Entity
from services.sta.query import Query, body, build, selected
from services.sta.sql import TRUE, Sql, make
from services.sta.syntax import Expand, Options
from tram.store.database import Connection

PAGE = 100
"""Entities of a page, and of each expanded set, when $top says nothing."""
PAGE_MOST = {"Observation": 10_000}
MOST = 1_000
"""Largest $top that is followed at once; more comes by nextLink. Observations: PAGE_MOST."""
ENTITIES_MOST = 50_000
"""Most entities of one answer, expanded ones included."""
EXPANDS = 8
"""Most navigations within each other in $expand."""


@dataclass(slots=True)
class Row:
    """One entity that was read: its id as in JSON and links, members as JSON text, and what was expanded into it."""

    id: str
    members: str
    inside: list[str] = field(default_factory=list)


@dataclass
class Reader:
    """Reads for one request. `base` is the address of the service root, without a slash at its end."""

    conn: Connection
    access: Access
    base: str
    read: int = 0
    _aliases: int = 0

    def alias(self) -> str:
        self._aliases += 1
        return f"e{self._aliases}"

    def rows(self, query: Sql) -> list[tuple[Any, ...]]:
        """Runs a query; counts what it gives. Raises QueryError when it is too much."""
        found = self.conn.execute(query.query, query.params).fetchall()
        self.read += len(found)
        if self.read > ENTITIES_MOST:
            raise QueryError(f"more than {ENTITIES_MOST} entities in one answer: use $top or $filter", "$expand", 0)
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
        behind = query.behind(shape, options.skip_token)
        found = self.rows(query.select(columns, limit=limit + 1, skip=skip, behind=behind)) if limit else []
        next_link = ""
        if len(found) > limit > 0:
            found = found[:limit]
            token = skiptoken.encode(shape, found[-1][-len(query.keys) :])
            next_link = next_address(address, options, token)
        rows = self.entities(query.entity, [row[: len(columns) - len(query.keys)] for row in found[:limit]], options)
        count = ""
        if options.count:
            total = self.conn.execute(query.count().query, query.count().params).fetchone()
            count = f'"@iot.count":{total[0] if total else 0},'
        tail = f',"@iot.nextLink":{_json(next_link)}' if next_link else ""
        return f'{{{count}"value":[{",".join(rows)}]{tail}}}'

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

    def entities(self, entity: Entity, found: Sequence[tuple[Any, ...]], options: Options) -> list[str]:
        """JSON objects of rows of (id, members, ids of links to one …)."""
        rows = [Row(row[0], row[1]) for row in found]
        expanded: set[str] = set()
        if rows:
            ones = {name: [row[2 + i] for row in found] for i, name in enumerate(_ones(entity, options))}
            for name, inner in merged(options.expand).items():
                link = ENTITIES[entity.name].links.get(name)
                if link is None:
                    raise QueryError(f"{entity.name} has no {name!r} to expand", name, 0)
                expanded.add(name)
                if link.many:
                    self._many(entity, rows, name, inner)
                else:
                    self._one(rows, name, link.target, inner, ones[name])
        _, links, with_id = selected(entity, options.select)
        return self._written(
            entity, rows, [name for name in links if name not in expanded], with_id, bool(options.select)
        )

    def _written(
        self, entity: Entity, rows: Iterable[Row], links: Sequence[str], with_id: bool, select: bool
    ) -> list[str]:
        quoted = entity.name == "Observation"
        around = "'" if quoted else ""
        base = self.base.replace("%", "%%")
        own = f"{base}/{entity.set_name}({around}%s{around})"
        id = '"@iot.id":"%s",' if quoted else '"@iot.id":%s,'
        head = f'{{{id}"@iot.selfLink":"{own}"%s%s' if with_id or not select else "{%s%s"
        navigation = "".join(f',"{name}@iot.navigationLink":"{own}/{name}"' for name in links)
        template = head + navigation + "}"
        ids = 2 if with_id or not select else 0
        made = []
        for row in rows:
            values = (row.id,) * ids + (row.members, "".join(row.inside)) + (row.id,) * len(links)
            made.append(template % values)
        return made if ids else ["{" + text[1:].lstrip(",") for text in made]

    def _one(self, rows: list[Row], name: str, target: str, options: Options, refs: list[Any]) -> None:
        alias = self.alias()
        wanted = sorted({ref for ref in refs if ref is not None})
        on = Sql(f"{alias}.id = ANY(%s::bigint[])", (wanted,))
        # A filter of one entity makes no sense: what is expanded is there or it is not.
        options = replace(options, filter=None, orderby=(), count=None)
        query = build(self.conn, target, alias, self.access, options, on=on)
        found = self.rows(query.select([Sql(f"({alias}.id)::text"), *self._columns(query, options)], limit=None))
        by_id = dict(zip((row[0] for row in found), self.entities(ENTITIES[target], found, options), strict=True))
        for row, ref in zip(rows, refs, strict=True):
            made = by_id.get(str(ref))
            if made is not None:
                row.inside.append(f',"{name}":{made}')

    def _many(self, entity: Entity, rows: list[Row], name: str, options: Options) -> None:
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
        inner = query.select(columns, limit=limit + 1, skip=options.skip or 0)
        # No ORDER BY around it: LATERAL with LIMIT is a nested loop, whose inner rows come in their order.
        around = make(
            f"SELECT {parent}.id, x.* FROM {TABLES[entity.name].main} {parent} CROSS JOIN LATERAL ({{}}) AS x "
            f"WHERE {parent}.id = ANY(%s::bigint[])",
            inner,
        )
        found = self.rows(Sql(around.text, (*around.params, ids)))
        each: dict[int, list[tuple[Any, ...]]] = {id: [] for id in ids}
        for values in found:
            each[values[0]].append(values[1:])
        kept = [row for id in ids for row in each[id][:limit]]
        made = iter(self.entities(query.entity, kept, options))
        following = _json(next_address("", options, None, (options.skip or 0) + limit))[1:]
        counts = self._counts(entity, parent, query, ids) if options.count else {}
        for row in rows:
            own = each[int(row.id)]
            here = [next(made) for _ in own[:limit]]
            if options.count:
                row.inside.append(f',"{name}@iot.count":{counts.get(int(row.id), 0)}')
            row.inside.append(f',"{name}":[{",".join(here)}]')
            if len(own) > limit > 0:
                row.inside.append(f',"{name}@iot.nextLink":"{self.link(entity, row.id)}/{name}{following}')

    def _counts(self, entity: Entity, parent: str, query: Query, ids: list[int]) -> dict[int, int]:
        count = query.count()
        text = (
            f"SELECT {parent}.id, ({{}}) FROM {TABLES[entity.name].main} {parent} WHERE {parent}.id = ANY(%s::bigint[])"
        )
        around = make(text, count)
        return dict(self.conn.execute(around.query, (*around.params, ids)).fetchall())


def page_limit(entity: str, options: Options) -> int:
    """Rows of a page. A larger $top is no error: the rest comes by nextLink (OGC 18-088, 9.3.3.4)."""
    return min(PAGE if options.top is None else options.top, PAGE_MOST.get(entity, MOST))


def _ones(entity: Entity, options: Options) -> list[str]:
    """The expanded links that lead to one entity."""
    return [name for name in merged(options.expand) if name in entity.links and not entity.links[name].many]


def merged(expands: Sequence[Expand], depth: int = 0) -> dict[str, Options]:
    """By the first segment of each $expand: `Datastream/Thing` is Datastream with Thing expanded in it.

    Raises QueryError: nested too deep.
    """
    if depth > EXPANDS:
        raise QueryError(f"more than {EXPANDS} navigations within each other", "$expand", 0)
    found: dict[str, Options] = {}
    for expand in expands:
        name, rest = expand.path[0], expand.path[1:]
        options = expand.options
        if rest:
            options = Options(expand=(Expand(rest, expand.options, expand.at),))
        if name in found:
            before = found[name]
            kept = options if not rest else before
            options = replace(kept, expand=(*before.expand, *options.expand))
        found[name] = options
        merged(options.expand, depth + 1)
    return found


def next_address(address: str, options: Options, token: str | None, skip: int = 0) -> str:
    """The address of the next page: the same options, and where it begins."""
    kept = [(name, text) for name, text in options.texts if name not in ("$skip", "$skiptoken")]
    if skip:
        kept.append(("$skip", str(skip)))
    if token:
        kept.append(("$skiptoken", token))
    return address + "?" + "&".join(f"{name}={quote(text, safe='$(),/:;=@*')}" for name, text in kept)


def shape_of(address: str, options: Options) -> str:
    texts = dict(options.texts)
    path = address.split("/sta/v1.1", 1)[-1]
    return f"{path}|{texts.get('$filter', '')}|{texts.get('$orderby', '')}"


def _json(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
