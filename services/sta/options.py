"""The query string of a request to one `Options`: every option once, none unknown, all of them bounded."""

import re
from collections.abc import Iterable

from services.sta.lexer import QueryError
from services.sta.parser import parse_expand, parse_filter, parse_orderby, parse_select
from services.sta.syntax import Options

FORMATS = ("dataArray", "GeoJSON", "CSV")
"""What $resultFormat may be; matched without regard to case."""


def parse(pairs: Iterable[tuple[str, str]]) -> Options:
    """`pairs` are the decoded names and values of the query string. Names without a $ are not ours: they are refused.

    Raises:
        QueryError: an option that is unknown, stands twice, or cannot be read.
    """
    found: dict[str, object] = {}
    texts = []
    for name, text in pairs:
        text = _OFFSET.sub(r"\1+\2", text)
        field = _FIELDS.get(name)
        if field is None:
            raise QueryError(f"there is no query option {name!r}; these are: {', '.join(_FIELDS)};", name, 0)
        if field in found:
            raise QueryError(f"{name} stands there twice,", name, 0)
        found[field] = _read(name, text)
        texts.append((name, text))
    return Options(**found, texts=tuple(texts))  # type: ignore[arg-type]


# A + that was not escaped in the URL has become a space; such a space can mean nothing else.
_OFFSET = re.compile(r"(\d[Tt]\d\d:\d\d(?::\d\d(?:\.\d+)?)?) (\d\d:\d\d)(?!\d)")


_FIELDS = {
    "$filter": "filter",
    "$orderby": "orderby",
    "$select": "select",
    "$expand": "expand",
    "$top": "top",
    "$skip": "skip",
    "$count": "count",
    "$resultFormat": "result_format",
    "$skiptoken": "skip_token",
}


def _read(name: str, text: str) -> object:
    match name:
        case "$filter":
            return parse_filter(text)
        case "$orderby":
            return parse_orderby(text)
        case "$select":
            return parse_select(text)
        case "$expand":
            return parse_expand(text)
        case "$top" | "$skip":
            if not (text.isascii() and text.isdigit() and len(text) < 10):
                raise QueryError(f"{name} is a whole number from 0 to 999999999, not {text[:40]!r},", text, 0)
            return int(text)
        case "$count":
            if text not in ("true", "false"):
                raise QueryError(f"$count is true or false, not {text[:40]!r},", text, 0)
            return text == "true"
        case "$resultFormat":
            for known in FORMATS:
                if text.lower() == known.lower():
                    return known
            raise QueryError(f"$resultFormat is one of {', '.join(FORMATS)}, not {text[:40]!r},", text, 0)
        case _:
            return text
