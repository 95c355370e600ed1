"""The functions of $filter: OGC 18-088 table 24 (OData built-in and spatial ones), with the types they take and give.

One row a function: adding one is a row here and its SQL in compile.py, and a test holds the two together.
"""

from typing import NamedTuple


class Function(NamedTuple):
    """Types: text, number, moment, date, time, span, bool, geo. `least`: how many arguments must be given."""

    takes: tuple[str, ...]
    gives: str
    least: int


def _all(*takes: str, gives: str) -> Function:
    return Function(takes, gives, len(takes))


FUNCTIONS: dict[str, Function] = {
    # string
    "substringof": _all("text", "text", gives="bool"),
    "contains": _all("text", "text", gives="bool"),
    "startswith": _all("text", "text", gives="bool"),
    "endswith": _all("text", "text", gives="bool"),
    "length": _all("text", gives="number"),
    "indexof": _all("text", "text", gives="number"),
    "substring": Function(("text", "number", "number"), "text", 2),
    "tolower": _all("text", gives="text"),
    "toupper": _all("text", gives="text"),
    "trim": _all("text", gives="text"),
    "concat": _all("text", "text", gives="text"),
    # date and time
    "year": _all("moment", gives="number"),
    "month": _all("moment", gives="number"),
    "day": _all("moment", gives="number"),
    "hour": _all("moment", gives="number"),
    "minute": _all("moment", gives="number"),
    "second": _all("moment", gives="number"),
    "fractionalseconds": _all("moment", gives="number"),
    "date": _all("moment", gives="date"),
    "time": _all("moment", gives="time"),
    "totaloffsetminutes": _all("moment", gives="number"),
    "now": _all(gives="moment"),
    "mindatetime": _all(gives="moment"),
    "maxdatetime": _all(gives="moment"),
    # mathematics
    "round": _all("number", gives="number"),
    "floor": _all("number", gives="number"),
    "ceiling": _all("number", gives="number"),
    # geospatial and spatial relationships
    "geo.distance": _all("geo", "geo", gives="number"),
    "geo.length": _all("geo", gives="number"),
    "geo.intersects": _all("geo", "geo", gives="bool"),
    "st_equals": _all("geo", "geo", gives="bool"),
    "st_disjoint": _all("geo", "geo", gives="bool"),
    "st_touches": _all("geo", "geo", gives="bool"),
    "st_within": _all("geo", "geo", gives="bool"),
    "st_overlaps": _all("geo", "geo", gives="bool"),
    "st_crosses": _all("geo", "geo", gives="bool"),
    "st_intersects": _all("geo", "geo", gives="bool"),
    "st_contains": _all("geo", "geo", gives="bool"),
    "st_relate": _all("geo", "geo", "text", gives="bool"),
}
