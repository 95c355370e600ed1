"""Values of a $filter: their types, told before anything runs; how they are compared, converted and counted with.

OData 4.01 Part 2, 5.1.1: a comparison with null is true or false, never null; everything else of null is null.
"""

import re
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import NamedTuple

from services.sta import geo
from services.sta.identity import observation_key
from services.sta.lexer import QueryError, moment
from services.sta.sql import FALSE, Sql, join, make, value
from services.sta.syntax import Geometry, Interval, Literal

SIGNS = {"eq": "=", "ne": "<>", "gt": ">", "ge": ">=", "lt": "<", "le": "<="}
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


class Values:
    """What compiling knows of values; entities and paths are services.sta.compile's. Errors point into `_text`."""

    _text = ""

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
        return make("({} " + SIGNS[operator] + " {})", left.sql, right.sql)

    def _ids(self, operator: str, left: Typed, right: Typed, at: int) -> Sql:
        key = None if right.literal is None else observation_key(str(right.literal.value))
        if operator in ("eq", "ne") and right.literal is not None:
            if key is None:
                return FALSE if operator == "eq" else Sql("true")
            pairs = zip(left.keys, (value(key[0], "int4"), value(key[1], "timestamptz")), strict=True)
            same = join(" AND ", [make(f"{sql} = {{}}", one) for sql, one in pairs])
            return make("({})" if operator == "eq" else "(NOT ({}))", same)
        return make("({} " + SIGNS[operator] + " {})", left.sql, self._as(right, "text", at))

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

    def _error(self, message: str, at: int) -> QueryError:
        return QueryError(message, self._text, at)
