"""The SQL of the functions of $filter that are not geospatial: one row a function, as in functions.py."""

from collections.abc import Callable
from datetime import UTC, datetime

from services.sta.sql import Sql, make, value


def _sql(template: str) -> Callable[[list[Sql]], Sql]:
    return lambda arguments: make(template, *arguments)


def _field(name: str) -> Callable[[list[Sql]], Sql]:
    return _sql("floor(extract(" + name + " FROM ({}) AT TIME ZONE 'UTC'))")


_PLACE = "least(greatest(floor({}), 0), 1000000)::int"


def _substring(arguments: list[Sql]) -> Sql:
    text, start, *count = arguments
    if count:
        return make("substr({}, " + _PLACE + " + 1, " + _PLACE + ")", text, start, count[0])
    return make("substr({}, " + _PLACE + " + 1)", text, start)


def _endswith(arguments: list[Sql]) -> Sql:
    text, end = arguments
    return make("(right({}, length({})) = {})", text, end, end)


def _swapped(arguments: list[Sql]) -> Sql:
    return make("(strpos({}, {}) > 0)", arguments[1], arguments[0])


CALLS: dict[str, Callable[[list[Sql]], Sql]] = {
    "substringof": _swapped,
    "contains": _sql("(strpos({}, {}) > 0)"),
    "startswith": _sql("starts_with({}, {})"),
    "endswith": _endswith,
    "length": _sql("length({})"),
    "indexof": _sql("(strpos({}, {}) - 1)"),
    "substring": _substring,
    "tolower": _sql("lower({})"),
    "toupper": _sql("upper({})"),
    "trim": _sql("btrim({}, E' \\t\\n\\r')"),
    "concat": _sql("({} || {})"),
    "year": _field("year"),
    "month": _field("month"),
    "day": _field("day"),
    "hour": _field("hour"),
    "minute": _field("minute"),
    "second": _field("second"),
    "fractionalseconds": _sql("mod(extract(second FROM ({}))::numeric, 1)"),
    "date": _sql("(({}) AT TIME ZONE 'UTC')::date"),
    "time": _sql("(({}) AT TIME ZONE 'UTC')::time"),
    # All times are kept and compared in UTC.
    "totaloffsetminutes": _sql("(CASE WHEN {} IS NOT NULL THEN 0 END)"),
    "now": lambda _: Sql("now()"),
    "mindatetime": lambda _: value(datetime(1, 1, 1, tzinfo=UTC), "timestamptz"),
    "maxdatetime": lambda _: value(datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC), "timestamptz"),
    "round": _sql("round(({})::numeric)"),
    "floor": _sql("floor({})"),
    "ceiling": _sql("ceiling({})"),
}
