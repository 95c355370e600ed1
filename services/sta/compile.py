"""A checked $filter or $orderby as SQL: types are told before anything runs, values are parameters, NULL is OData's.

OData 4.01 Part 2, 5.1.1: a comparison with null is true or false, never null; everything else of null is null.
A path over many entities (`Datastreams/name eq 'x'`) holds when it holds for any of them.
"""

from dataclasses import dataclass, field

from services.sta import geo
from services.sta.access import Access
from services.sta.calls import CALLS
from services.sta.functions import FUNCTIONS
from services.sta.mapping import TABLES
from services.sta.model import ENTITIES
from services.sta.sql import Sql, join, make, value
from services.sta.syntax import Binary, Call, Expression, Geometry, Items, Literal, Order, Path, Unary
from services.sta.values import SIGNS, Typed, Values
from tram.errors import TramError
from tram.store.database import Connection

JOINS = 8
"""Most navigations of one query."""
SPATIAL = 8
"""Most geospatial functions of one query: each looks at every stored geometry."""


@dataclass
class _Frame:
    """Entities that one condition reaches through a link to many: they go into an EXISTS around it."""

    sources: list[str] = field(default_factory=list)
    conditions: list[Sql] = field(default_factory=list)
    aliases: dict[tuple[str, ...], str] = field(default_factory=dict)


class Compiler(Values):
    """Compiles the expressions of one query on one entity set; `joins` is what they need behind its FROM."""

    def __init__(self, conn: Connection, entity: str, alias: str, access: Access, prefix: str = "j") -> None:
        self._conn, self._entity, self._alias, self._access = conn, entity, alias, access
        self._prefix = prefix
        self._count = 0
        self._aliases: dict[tuple[str, ...], str] = {}
        self._frame: _Frame | None = None
        self._spatial = 0
        self._loaded: geo.Loaded = {}
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
        if isinstance(node, Binary) and node.operator in (*SIGNS, "in"):
            if node.operator == "in" and isinstance(node.right, Items):
                left = self._value(node.left)
                each = [self._compare("eq", left, self._literal(item), node.at) for item in node.right.items]
                condition = make("({})", join(" OR ", each))
            else:
                condition = self._compare(node.operator, self._value(node.left), self._value(node.right), node.at)
            return make("coalesce({}, false)", condition) if strict else condition
        return self._as(self._value(node), "bool", node.at)

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

    def _call(self, node: Call) -> Typed:
        function = FUNCTIONS[node.name]
        if "geo" in function.takes:
            return Typed(function.gives, self._geo(node))
        wanted = zip(node.arguments, function.takes, strict=False)
        arguments = [self._as(self._value(argument), kind, argument.at) for argument, kind in wanted]
        whole = function.gives == "number" and node.name != "fractionalseconds"
        return Typed(function.gives, CALLS[node.name](arguments), whole=whole)

    def _geo(self, node: Call) -> Sql:
        self._spatial += 1
        if self._spatial > SPATIAL:
            raise self._error(f"more than {SPATIAL} geospatial functions", node.at)
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
            return geo.call(self._conn, node.name, arguments, pattern, self._loaded)
        except TramError as error:
            raise self._error(str(error), node.at) from None

    def of(self, text: str) -> "Compiler":
        """Itself, for expressions of this text: errors point into it."""
        self._text = text
        return self
