"""The typed tree of a query: what $filter, $orderby, $select and $expand say, with the place where each part stands.

OData 4.01 Part 2 (URL conventions) as OGC 18-088 section 9.3 uses it. `at` is an index into the option's text.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True)
class Interval:
    """An ISO 8601 time interval literal, `start/end`."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Geometry:
    """A geometry literal: GeoJSON geometry made from `geography'…'` (WKT), WGS 84."""

    geojson: dict[str, Any]
    wkt: str


Value = None | bool | int | Decimal | str | datetime | date | time | timedelta | Interval | Geometry


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant."""

    value: Value
    at: int


@dataclass(frozen=True, slots=True)
class Path:
    """A property, reached through entities and JSON: `Datastream/Thing/properties/floor`."""

    segments: tuple[str, ...]
    at: int


@dataclass(frozen=True, slots=True)
class Call:
    """A function: `contains(name,'a')`. The parser has checked that it exists and takes as many arguments."""

    name: str
    arguments: "tuple[Expression, ...]"
    at: int


@dataclass(frozen=True, slots=True)
class Unary:
    """`not x` or `-x`."""

    operator: str
    operand: "Expression"
    at: int


@dataclass(frozen=True, slots=True)
class Binary:
    """`left operator right`: or and eq ne gt ge lt le in add sub mul div divby mod."""

    operator: str
    left: "Expression"
    right: "Expression"
    at: int


@dataclass(frozen=True, slots=True)
class Items:
    """The list at the right of `in`."""

    items: tuple[Literal, ...]
    at: int


Expression = Literal | Path | Call | Unary | Binary | Items


@dataclass(frozen=True, slots=True)
class Order:
    """One key of $orderby."""

    expression: Expression
    descending: bool


@dataclass(frozen=True, slots=True)
class Expand:
    """One navigation of $expand with its own options. `path` of several segments expands along the way."""

    path: tuple[str, ...]
    options: "Options"
    at: int


@dataclass(frozen=True, slots=True)
class Options:
    """The query options of one entity set. None: not given. `texts`: each as it was sent."""

    filter: Expression | None = None
    orderby: tuple[Order, ...] = ()
    select: tuple[Path, ...] = ()
    expand: tuple[Expand, ...] = ()
    top: int | None = None
    skip: int | None = None
    count: bool | None = None
    result_format: str | None = None
    skip_token: str | None = None
    texts: tuple[tuple[str, str], ...] = ()
