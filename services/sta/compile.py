"""A checked $filter or $orderby as SQL: types are told before anything runs, values are parameters, NULL is OData's.

OData 4.01 Part 2, 5.1.1: a comparison with null is true or false, never null; everything else of null is null.
A path over many entities (`Datastreams/name eq 'x'`) holds when it holds for any of them.
"""

import re
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import NamedTuple

from services.sta import geo
from services.sta.access import Access
from services.sta.calls import CALLS
from services.sta.functions import FUNCTIONS
from services.sta.identity import observation_key
from services.sta.lexer import QueryError, moment
from services.sta.mapping import TABLES
from services.sta.model import ENTITIES
from services.sta.sql import FALSE, Sql, join, make, value
from services.sta.syntax import Binary, Call, Expression, Geometry, Interval, Items, Literal, Order, Path, Unary
from tram.errors import TramError
from tram.store.database import Connection

JOINS = 8
"""Most navigations of one query."""

_SIGNS = {"eq": "=", "ne": "<>", "gt": ">", "ge": ">=", "lt": "<", "le": "<="}
_FLIPPED = {"eq": "eq", "ne": "ne", "gt": "lt", "ge": "le", "lt": "gt", "le": "ge"}
_TYPES = {
    "text": "text", "number": "numeric", "moment": "timestamptz", "date": "date", "time": "time", "span": "interval",
    "bool": "bool",
}  # fmt: skip


class Typed(NamedTuple):
    """A value: `kind` is one of _TYPES, json, period, geo, id (of an Observation) or null.

    `end`: of a period. `number`: what a json value is as a number, where that is known better. `literal`: its constant.
    `null`: whether it can be NULL. `place`: the stored geometry.
    """

    kind: str
    sql: Sql
    end: Sql | None = None
    number: Sql | None = None
    literal: Literal | None = None
    null: bool = True
    place: geo.Place | None = None
    keys: tuple[str, ...] = ()
    whole: bool = False


@dataclass
class _Frame:
    """Entities that one condition reaches through a link to many: they go into an EXISTS around it."""

    sources: list[str] = field(default_factory=list)
    conditions: list[Sql] = field(default_factory=list)
    aliases: dict[tuple[str, ...], str] = field(default_factory=dict)


class Compiler:
    """Compiles the expressions of one query on one entity set; `joins` is what they need behind its FROM."""

    def __init__(self, conn: Connection, entity: str, alias: str, access: Access, prefix: str = "j") -> None:
        self._conn, self._entity, self._alias, self._access = conn, entity, alias, access
        self._prefix = prefix
        self._count = 0
        self._aliases: dict[tuple[str, ...], str] = {}
        self._frame: _Frame | None = None
        self._text = ""
        self.joins: list[Sql] = []

    def filter(self, node: Expression) -> Sql:
        """A condition; NULL means false. Raises QueryError or TramError."""
        return self._condition(node, strict=False)

    def order(self, key: Order) -> Typed:
        """A sort key. Raises QueryError or TramError."""
        typed = self._value(key.expression)
        if typed.kind == "period":
            return typed._replace(kind="moment", end=None)
        if typed.kind in ("geo", "null"):
            raise self._error(f"nothing can be ordered by a {typed.kind}", key.expression.at)
        return typed

    # Conditions

    def _condition(self, node: Expression, strict: bool) -> Sql:
        match node:
            case Binary("and" | "or" as operator, left, right):
                parts = [self._condition(left, strict), self._condition(right, strict)]
                return make("({} " + operator.upper() + " {})", *parts)
            case Unary("not", operand):
                return make("(NOT {})", self._condition(operand, strict=True))
        outer, self._frame = self._frame, _Frame()
        condition = self._atom(node, strict)
        frame, self._frame = self._frame, outer
        if frame.sources:
            conditions = join(" AND ", [*frame.conditions, condition])
            return make("EXISTS (SELECT FROM {} WHERE {})", Sql(", ".join(frame.sources)), conditions)
        return condition

    def _atom(self, node: Expression, strict: bool) -> Sql:
        if isinstance(node, Binary) and node.operator in (*_SIGNS, "in"):
            if node.operator == "in" and isinstance(node.right, Items):
                left = self._value(node.left)
                each = [self._compare("eq", left, self._literal(item), node.at) for item in node.right.items]
                condition = make("({})", join(" OR ", each))
            else:
                condition = self._compare(node.operator, self._value(node.left), self._value(node.right), node.at)
            return make("coalesce({}, false)", condition) if strict else condition
        return self._as(self._value(node), "bool", node.at)

    def _compare(self, operator: str, left: Typed, right: Typed, at: int) -> Sql:
        if left.kind == "null" and right.kind != "null":
            left, right, operator = right, left, _FLIPPED[operator]
        if right.kind == "null":
            if left.kind == "null":
                return Sql("true" if operator in ("eq", "ge", "le") else "false")
            if operator not in ("eq", "ne"):
                return FALSE
            return make("({} IS NULL)" if operator == "eq" else "({} IS NOT NULL)", left.sql)
        if "period" in (left.kind, right.kind):
            return self._periods(operator, left, right, at)
        if left.literal and not right.literal:
            left, right, operator = right, left, _FLIPPED[operator]
        if left.kind == "id":
            return self._ids(operator, left, right, at)
        left, right = self._alike(left, right, at)
        if left.kind == "geo":
            raise self._error("geometries are compared with st_equals and the like", at)
        exact = right.literal is not None
        if operator == "ne":
            return make("({} IS DISTINCT FROM {})", left.sql, right.sql)
        if operator == "eq" and not exact and left.null and right.null:
            return make("({} IS NOT DISTINCT FROM {})", left.sql, right.sql)
        return make("({} " + _SIGNS[operator] + " {})", left.sql, right.sql)

    def _ids(self, operator: str, left: Typed, right: Typed, at: int) -> Sql:
        key = None if right.literal is None else observation_key(str(right.literal.value))
        if operator in ("eq", "ne") and right.literal is not None:
            if key is None:
                return FALSE if operator == "eq" else Sql("true")
            pairs = zip(left.keys, (value(key[0], "int4"), value(key[1], "timestamptz")), strict=True)
            same = join(" AND ", [make(f"{sql} = {{}}", one) for sql, one in pairs])
            return make("({})" if operator == "eq" else "(NOT ({}))", same)
        return make("({} " + _SIGNS[operator] + " {})", left.sql, self._as(right, "text", at))

    def _alike(self, left: Typed, right: Typed, at: int) -> tuple[Typed, Typed]:
        """Both of one kind; text constants are read as what they are compared with."""
        if left.kind == right.kind:
            return left, right
        if left.kind == "json":
            return Typed(right.kind, self._as(left, right.kind, at)), right
        if right.kind == "json":
            return left, Typed(left.kind, self._as(right, left.kind, at))
        if {left.kind, right.kind} == {"moment", "date"}:
            return tuple(self._midnight(one) for one in (left, right))  # type: ignore[return-value]
        if right.kind == "text" and right.literal is not None and left.kind in ("moment", "number"):
            return left, self._reread(right, left.kind, at)
        raise self._error(f"a {left.kind} is compared with a {right.kind}", at)

    def _midnight(self, typed: Typed) -> Typed:
        if typed.kind == "moment":
            return typed
        return typed._replace(kind="moment", sql=make("(({})::timestamp AT TIME ZONE 'UTC')", typed.sql))

    def _reread(self, typed: Typed, kind: str, at: int) -> Typed:
        assert typed.literal is not None
        text = str(typed.literal.value)
        try:
            if kind == "number":
                if not re.fullmatch(r"-?\d{1,18}", text, re.ASCII):
                    raise ValueError
                return self._literal(Literal(int(text), typed.literal.at))
            return self._literal(Literal(moment(text), typed.literal.at))
        except (ValueError, TypeError):
            raise self._error(f"{text[:40]!r} is no {kind}", typed.literal.at) from None

    def _periods(self, operator: str, left: Typed, right: Typed, at: int) -> Sql:
        """Instants are periods that end as they start. Before and after mean the whole of both."""
        if left.literal and not right.literal:
            left, right, operator = right, left, _FLIPPED[operator]
        left, right = (self._period(one, at) for one in (left, right))
        assert left.end is not None
        assert right.end is not None
        a, b, c, d = left.sql, left.end, right.sql, right.end
        point = right.literal is not None and not isinstance(right.literal.value, Interval)
        match operator:
            case "eq":
                return make("({} = {} AND {} = {})", a, c, b, d)
            case "ne":
                return make("(NOT coalesce({} = {} AND {} = {}, false))", a, c, b, d)
            case "gt":
                return make("({} > {})" if point else "({} >= {})", a, d)
            case "ge":
                return make("({} >= {})", a, c)
            case "lt":  # the first condition follows from the second: it is there for the index
                return make("({} < {} AND {} < {})" if point else "({} < {} AND {} <= {})", a, c, b, c)
            case _:
                return make("({} <= {} AND {} <= {})", a, d, b, d)

    def _period(self, typed: Typed, at: int) -> Typed:
        if typed.kind == "period":
            return typed
        if typed.kind == "text" and typed.literal is not None:
            typed = self._reread(typed, "moment", at)
        at_once = self._midnight(typed).sql if typed.kind == "date" else self._as(typed, "moment", at)
        return typed._replace(kind="period", sql=at_once, end=at_once)

    # Values

    def _value(self, node: Expression) -> Typed:
        match node:
            case Literal():
                return self._literal(node)
            case Path(segments, at):
                return self._path(segments, at)
            case Call():
                return self._call(node)
            case Unary("-", operand, at):
                typed = self._value(operand)
                kind = "span" if typed.kind == "span" else "number"
                return Typed(kind, make("(- {})", self._as(typed, kind, at)), whole=typed.whole)
            case Binary(operator, left, right, at) if operator in ("add", "sub", "mul", "div", "divby", "mod"):
                return self._arithmetic(operator, self._value(left), self._value(right), at)
            case Unary() | Binary():
                return Typed("bool", self._condition(node, strict=False))
            case _:
                raise self._error("a list stands only behind `in`", node.at)

    def _literal(self, node: Literal) -> Typed:
        found = node.value
        kind = next(
            kind
            for types, kind in (
                (type(None), "null"), (bool, "bool"), (int | Decimal, "number"), (str, "text"), (datetime, "moment"),
                (date, "date"), (time, "time"), (timedelta, "span"), (Interval, "period"), (Geometry, "geo"),
            )
            if isinstance(found, types)
        )  # fmt: skip
        if isinstance(found, Interval):
            ends = value(found.end, "timestamptz")
            return Typed(kind, value(found.start, "timestamptz"), end=ends, literal=node, null=False)
        sql = value(found, _TYPES[kind]) if kind in _TYPES else Sql("NULL")
        return Typed(kind, sql, literal=node, null=kind == "null", whole=isinstance(found, int))

    def _path(self, segments: tuple[str, ...], at: int) -> Typed:
        entity, alias = self._entity, self._alias
        walked: tuple[str, ...] = ()
        for index, name in enumerate(segments):
            if name in ("id", "@iot.id") and index == len(segments) - 1:
                return self._id(entity, alias)
            link = ENTITIES[entity].links.get(name)
            if link is None:
                return self._property(entity, alias, segments[index:], at)
            how = TABLES[entity].links[name]
            if how.key and segments[index + 1 :] in (("id",), ("@iot.id",)):
                return Typed("number", Sql(how.key.format(e=alias)), whole=True)
            walked = (*walked, name)
            alias = self._joined(walked, entity, alias, at)
            entity = link.target
        raise self._error(f"{'/'.join(segments)} is an entity: a property of it is expected", at)

    def _id(self, entity: str, alias: str) -> Typed:
        table = TABLES[entity]
        keys = tuple(key.format(e=alias) for key in table.keys)
        sql = Sql(table.id.format(e=alias))
        if entity == "Observation":
            return Typed("id", sql, null=False, keys=keys)
        return Typed("number", sql, null=False, whole=True)

    def _joined(self, walked: tuple[str, ...], entity: str, alias: str, at: int) -> str:
        """The alias of an entity that is reached by links, joined once."""
        frame = self._frame
        for known in (self._aliases, frame.aliases if frame else {}):
            if walked in known:
                return known[walked]
        name = walked[-1]
        target, how, many = (
            ENTITIES[entity].links[name].target,
            TABLES[entity].links[name],
            ENTITIES[entity].links[name].many,
        )
        inside = many or (frame is not None and walked[:-1] in frame.aliases)
        if inside and frame is None:
            raise self._error(f"nothing can be ordered by what stands behind {name}, which is many", at)
        self._count += 1
        if self._count > JOINS:
            raise self._error(f"more than {JOINS} navigations", at)
        made = f"{self._prefix}{self._count}"
        table = TABLES[target]
        on = join(
            " AND ",
            [
                Sql(how.on.format(e=alias, t=made, l=f"{made}_l")),
                Sql(table.where.format(e=made)),
                self._access.sees(table.seen, made),
            ],
        )
        source = table.source.format(e=made)
        if inside:
            assert frame is not None
            if how.through:
                frame.sources.append(f"{how.through} {made}_l")
            frame.sources.append(source)
            frame.conditions.append(on)
            frame.aliases[walked] = made
        else:
            around = f"({source})" if " JOIN " in source else source
            self.joins.append(make(f" LEFT JOIN {around} ON {{}}", on))
            self._aliases[walked] = made
        return made

    def _property(self, entity: str, alias: str, segments: tuple[str, ...], at: int) -> Typed:
        column = TABLES[entity].columns.get(segments[0])
        if column is None:
            raise self._error(f"{entity} has no {segments[0]!r}", at)
        sql = Sql(column.sql.format(e=alias))
        if column.kind in ("json", "any"):
            if len(segments) > 1:
                return Typed("json", make("nullif({} #> {}, 'null'::jsonb)", sql, value(list(segments[1:]), "text[]")))
            number = Sql(f"{alias}.result") if column.kind == "any" and segments[0] == "result" else None
            return Typed("json", sql, number=number)
        if len(segments) > 1:
            raise self._error(f"{segments[0]} has no parts", at)
        if column.kind == "geo":
            return Typed("geo", sql, place=geo.Place(entity, f"{alias}.id"))
        end = Sql(column.end.format(e=alias)) if column.end else None
        return Typed(column.kind, sql, end=end, null=column.null)

    def _as(self, typed: Typed, kind: str, at: int) -> Sql:
        """A value as this kind; a JSON value of another type is NULL."""
        if typed.kind == kind:
            return typed.sql
        if typed.kind == "null":
            return Sql(f"NULL::{_TYPES[kind]}")
        if typed.kind == "period" and kind == "moment":
            return typed.sql
        if typed.kind == "date" and kind == "moment":
            return self._midnight(typed).sql
        if typed.kind == "id" and kind == "text":
            return typed.sql
        if typed.kind == "json":
            if kind == "number" and typed.number is not None:
                return typed.number
            x = typed.sql
            match kind:
                case "number":
                    return make("(CASE WHEN jsonb_typeof({}) = 'number' THEN ({})::numeric END)", x, x)
                case "bool":
                    return make("(CASE WHEN jsonb_typeof({}) = 'boolean' THEN ({})::bool END)", x, x)
                case "text":
                    return make("(CASE WHEN jsonb_typeof({}) = 'string' THEN {} #>> '{{}}' END)", x, x)
                case "moment":
                    return make("sta_moment(CASE WHEN jsonb_typeof({}) = 'string' THEN {} #>> '{{}}' END)", x, x)
                case "date":
                    text = self._as(typed, "moment", at)
                    return make("(({}) AT TIME ZONE 'UTC')::date", text)
        raise self._error(f"a {kind} is expected here, not a {typed.kind}", at)

    def _arithmetic(self, operator: str, left: Typed, right: Typed, at: int) -> Typed:
        kinds = (self._moment_like(left), self._moment_like(right))
        if kinds == ("moment", "span") and operator in ("add", "sub"):
            sign = "+" if operator == "add" else "-"
            return Typed("moment", make("({} " + sign + " {})", self._as(left, "moment", at), right.sql))
        if kinds == ("moment", "moment") and operator == "sub":
            return Typed("span", make("({} - {})", self._as(left, "moment", at), self._as(right, "moment", at)))
        if kinds == ("span", "span") and operator in ("add", "sub"):
            return Typed("span", make("({} " + ("+" if operator == "add" else "-") + " {})", left.sql, right.sql))
        a, b = self._as(left, "number", at), self._as(right, "number", at)
        whole = left.whole and right.whole
        match operator:
            case "add" | "sub" | "mul":
                sign = {"add": "+", "sub": "-", "mul": "*"}[operator]
                return Typed("number", make("({} " + sign + " {})", a, b), whole=whole)
            case "mod":
                return Typed("number", make("mod(({})::numeric, nullif(({})::numeric, 0))", a, b), whole=whole)
            case "div" if whole:
                return Typed("number", make("trunc({} / nullif({}, 0))", a, b), whole=True)
        return Typed("number", make("({} / nullif({}, 0))", a, b))

    @staticmethod
    def _moment_like(typed: Typed) -> str:
        return "moment" if typed.kind in ("period", "date") else typed.kind

    def _call(self, node: Call) -> Typed:
        function = FUNCTIONS[node.name]
        if "geo" in function.takes:
            return Typed(function.gives, self._geo(node))
        wanted = zip(node.arguments, function.takes, strict=False)
        arguments = [self._as(self._value(argument), kind, argument.at) for argument, kind in wanted]
        whole = function.gives == "number" and node.name != "fractionalseconds"
        return Typed(function.gives, CALLS[node.name](arguments), whole=whole)

    def _geo(self, node: Call) -> Sql:
        arguments: list[geo.Place | Geometry] = []
        pattern = ""
        for argument, kind in zip(node.arguments, FUNCTIONS[node.name].takes, strict=True):
            typed = self._value(argument)
            constant = typed.literal.value if typed.literal else None
            if kind == "text" and isinstance(constant, str):
                pattern = constant
            elif kind == "geo" and isinstance(constant, Geometry):
                arguments.append(constant)
            elif kind == "geo" and typed.place is not None:
                arguments.append(typed.place)
            else:
                raise self._error(f"{node.name} takes a geometry here, not a {typed.kind}", argument.at)
        try:
            return geo.call(self._conn, node.name, arguments, pattern)
        except TramError as error:
            raise self._error(str(error), node.at) from None

    def _error(self, message: str, at: int) -> QueryError:
        return QueryError(message, self._text, at)

    def of(self, text: str) -> "Compiler":
        """Itself, for expressions of this text: errors point into it."""
        self._text = text
        return self
