"""A piece of SQL with the parameters that belong to it, so that no value ever becomes text of a query."""

from collections.abc import Iterable
from typing import Any, NamedTuple


class Sql(NamedTuple):
    """`text` has %s where a parameter stands (and %% for a percent sign); `params` are those, in order."""

    text: str
    params: tuple[Any, ...] = ()

    @property
    def query(self) -> bytes:
        """For psycopg. All of `text` comes from this package's own tables."""
        return self.text.encode()


def make(template: str, *parts: "Sql") -> Sql:
    """`template` with `{}` where each part goes."""
    return Sql(template.format(*(part.text for part in parts)), tuple(p for part in parts for p in part.params))


def join(separator: str, parts: Iterable[Sql]) -> Sql:
    """All parts with the separator between them."""
    found = list(parts)
    return Sql(separator.join(p.text for p in found), tuple(x for p in found for x in p.params))


def value(param: Any, kind: str) -> Sql:
    """A parameter of a PostgreSQL type."""
    return Sql(f"%s::{kind}", (param,))


TRUE = Sql("true")
FALSE = Sql("false")
NULL = Sql("NULL")
