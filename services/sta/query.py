"""One page of one entity set as one SQL query: scope, filter, order, the place in a walk, and the columns asked for."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from services.sta import skiptoken
from services.sta.access import Access
from services.sta.compile import Compiler
from services.sta.lexer import QueryError
from services.sta.mapping import LATER, TABLES, Column, Table, json_of
from services.sta.model import ENTITIES, Entity
from services.sta.sql import TRUE, Sql, join, make, value
from services.sta.syntax import Options, Path
from tram.store.database import Connection

_KINDS = {
    "text": "text", "number": "numeric", "whole": "int8", "moment": "timestamptz", "date": "date", "time": "time",
    "span": "interval", "bool": "bool", "json": "jsonb", "id": "text",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Key:
    """One sort key."""

    sql: Sql
    kind: str
    descending: bool = False
    null: bool = False

    @property
    def order(self) -> Sql:
        """OData: null comes before everything. Where there is none nothing is said of it, so that an index serves."""
        nulls = (" NULLS LAST" if self.descending else " NULLS FIRST") if self.null else ""
        return make("{}" + (" DESC" if self.descending else "") + nulls, self.sql)

    def behind(self, text: str | None) -> Sql:
        """The rows that come after this value by this key alone."""
        if text is None:
            return Sql("false") if self.descending else make("({} IS NOT NULL)", self.sql)
        given = value(text, _KINDS[self.kind])
        if self.descending:
            return make("({} < {} OR {} IS NULL)" if self.null else "({} < {})", *self._twice(given))
        return make("({} > {})", self.sql, given)

    def _twice(self, given: Sql) -> tuple[Sql, ...]:
        return (self.sql, given, self.sql) if self.null else (self.sql, given)

    def same(self, text: str | None) -> Sql:
        if text is None:
            return make("({} IS NULL)", self.sql)
        return make("({} = {})", self.sql, value(text, _KINDS[self.kind]))


@dataclass
class Query:
    """What one level asks of one entity set. `alias` of its main table; `where` beside the filter; `extra` columns."""

    entity: Entity
    alias: str
    source: Sql
    where: list[Sql]
    keys: list[Key]
    filter: Sql = TRUE
    before: Sql = field(default_factory=lambda: Sql(""))

    @property
    def table(self) -> Table:
        return TABLES[self.entity.name]

    def select(self, columns: Sequence[Sql], *, limit: int | None, skip: int = 0, behind: Sql = TRUE) -> Sql:
        """SELECT of a page. `limit` None: all of it."""
        order = join(", ", [key.order for key in self.keys])
        text = make("{} ORDER BY {}", self.unordered(columns, behind), order)
        if limit is not None:
            text = make("{} LIMIT {}", text, value(limit, "int8"))
        return make("{} OFFSET {}", text, value(skip, "int8")) if skip else text

    def unordered(self, columns: Sequence[Sql], behind: Sql = TRUE) -> Sql:
        """SELECT of all of it in any order."""
        conditions = join(" AND ", [*self.where, self.filter, behind])
        return make("SELECT {} FROM {}{} WHERE {}", join(", ", columns), self.before, self.source, conditions)

    def count(self) -> Sql:
        """SELECT of how many there are."""
        return make(
            "SELECT count(*) FROM {}{} WHERE {}", self.before, self.source, join(" AND ", [*self.where, self.filter])
        )

    def behind(self, shape: str, token: str | None) -> Sql:
        """The condition of the rows after a $skiptoken. Raises TramError."""
        if token is None:
            return TRUE
        texts = skiptoken.decode(shape, token, len(self.keys))
        parts, same = [], TRUE
        for key, text in zip(self.keys, texts, strict=True):
            parts.append(make("({} AND {})", same, key.behind(text)))
            same = make("{} AND {}", same, key.same(text))
        first = self.keys[0]
        condition = make("({})", join(" OR ", parts))
        if not first.null and texts[0] is not None:  # follows from the rest; an index can use it
            sign = "<=" if first.descending else ">="
            bound = make("({} " + sign + " {})", first.sql, value(texts[0], _KINDS[first.kind]))
            return make("{} AND {}", bound, condition)
        return condition

    def key_texts(self) -> list[Sql]:
        """Columns with the keys as text, for the next $skiptoken."""
        return [make("({})::text", key.sql) for key in self.keys]


def build(
    conn: Connection,
    entity: str,
    alias: str,
    access: Access,
    options: Options,
    *,
    through: str = "",
    on: Sql = TRUE,
    trusted: bool = False,
) -> Query:
    """A query on a set. `through`: a table in front of it that `on` speaks of.
    `trusted`: all that `on` leaves may be seen. Raises QueryError."""
    table = TABLES[entity]
    compiler = Compiler(conn, entity, alias, access, prefix=f"{alias}j")
    texts = dict(options.texts)
    condition = TRUE
    if options.filter is not None:
        condition = make("({})", compiler.of(texts.get("$filter", "")).filter(options.filter))
    keys = []
    for order in options.orderby:
        typed = compiler.of(texts.get("$orderby", "")).order(order)
        if typed.kind == "id":
            keys += [_own(key, alias, order.descending) for key in table.keys]
        else:
            sql, kind = typed.sql, typed.kind
            if typed.number is not None:  # of `result`: numbers by size before everything else
                keys.append(Key(typed.number, "number", order.descending, null=True))
            keys.append(Key(sql, kind, order.descending, typed.null))
    keys += [_own(key, alias, keys[-1].descending if keys else False) for key in table.keys]
    source = make("{}{}", Sql(table.source.format(e=alias)), join("", compiler.joins))
    where = [on] if trusted else [on, Sql(table.where.format(e=alias)), access.sees(table.seen, alias)]
    before = Sql(f"{through}, ") if through else Sql("")
    return Query(ENTITIES[entity], alias, source, where, _distinct(keys), condition, before)


def _own(key: str, alias: str, descending: bool) -> Key:
    return Key(Sql(key.format(e=alias)), "moment" if "time" in key else "whole", descending)


def _distinct(keys: list[Key]) -> list[Key]:
    seen = [key.sql for key in keys]
    return [key for i, key in enumerate(keys) if key.sql not in seen[:i]]


def selected(entity: Entity, select: Sequence[Path]) -> tuple[list[str], list[str], bool]:
    """(properties, links, whether the id) that $select asks for; without one all of them. Raises QueryError."""
    if not select or any(path.segments == ("*",) for path in select):
        return list(entity.properties), list(entity.links), True
    names = [path.segments[0] for path in select]
    for path in select:
        name = path.segments[0]
        if (
            name not in entity.properties
            and name not in entity.links
            and name not in ("id", "@iot.id", "@iot.selfLink")
        ):
            raise QueryError(f"{entity.name} has no {name!r}", name, 0)
    properties = [name for name in entity.properties if name in names]
    links = [name for name in entity.links if name in names]
    return properties, links, any(name in ("id", "@iot.id") for name in names)


def body(query: Query, properties: Sequence[str]) -> Sql:
    """A column with the members of an entity's JSON object, each with a comma in front."""
    columns = [(name, query.table.columns[name]) for name in properties]
    whole = _members([(name, column, json_of(column)) for name, column in columns])
    if query.table.plain and any(column.plain is not None for _, column in columns):
        few = [(name, column, json_of(column) if column.plain is None else column.plain) for name, column in columns]
        whole = f"CASE WHEN {query.table.plain} THEN {_members(few)} ELSE {whole} END"
    return Sql(whole.format(e=query.alias))


def _members(columns: Sequence[tuple[str, Column, str]]) -> str:
    """`columns`: name, column, SQL of its JSON text, "" where it has no value."""
    members = []
    for name, column, text in columns:
        if column.later:
            members.append(f"'{LATER}'")
        elif text:
            text = f"coalesce({text}, 'null')" if column.always else text
            members.append(f"',\"{name}\":' || ({text})")
        elif column.always:
            members.append(f"',\"{name}\":null'")
    return f"concat({', '.join(members)})" if members else "''"
