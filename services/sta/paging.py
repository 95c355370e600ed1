"""What one page holds and where the next begins; $expand in order; which options nobody knows the cost of. Pure."""

from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import quote

from services.sta import ends
from services.sta.lexer import QueryError
from services.sta.syntax import Expand, Options

PAGE = 100
"""Entities of a page, and of each expanded set, when $top says nothing."""
PAGE_MOST = {"Observation": 10_000}
MOST = 1_000
"""Largest $top that is followed at once; more comes by nextLink. Observations: PAGE_MOST."""
EXPANDS = 8
"""Most navigations within each other in $expand."""


def page_limit(entity: str, options: Options) -> int:
    """Rows of a page. A larger $top is no error: the rest comes by nextLink (OGC 18-088, 9.3.3.4)."""
    return min(PAGE if options.top is None else options.top, PAGE_MOST.get(entity, MOST))


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


def next_address(address: str, options: Options, token: str | None) -> str:
    """The address of the next page: the same options, and where it begins."""
    kept = [(name, text) for name, text in options.texts if name not in ("$skip", "$skiptoken")]
    if token is not None:
        kept.append(("$skiptoken", token))
    return address + "?" + "&".join(f"{name}={quote(text, safe='$(),/:;=@*')}" for name, text in kept)


def shape_of(address: str, options: Options) -> str:
    texts = dict(options.texts)
    path = address.split("/sta/v1.1", 1)[-1]
    return f"{path}|{texts.get('$filter', '')}|{texts.get('$orderby', '')}"


def costly(options: Options) -> bool:
    """Whether a filter or an order stands in it, at any depth."""
    if options.filter is not None or (options.orderby and ends.wanted(options) is None):
        return True
    return any(costly(expand.options) for expand in options.expand)
