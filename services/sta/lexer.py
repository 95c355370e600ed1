"""Text to tokens, for OData expressions. Every error says at which character, and what would have fitted."""

import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import NamedTuple

from services.sta.syntax import Interval, Value
from tram.errors import TramError

TEXT = 16_384
"""Most characters of one query option."""
DIGITS = 40
"""Most digits of a number literal: more says nothing a double could hold."""


class QueryError(TramError):
    """A query option that cannot be understood or costs too much. `at` is the character where it went wrong."""

    code = "query"

    def __init__(self, message: str, text: str, at: int) -> None:
        around = text[max(0, at - 20) : at + 20]
        super().__init__(f"{message} at character {at + 1}, near {around!r}")
        self.at = at


class Token(NamedTuple):
    """`kind` is literal, name, geo (a geography'…' literal, text its WKT), or the sign itself: ( ) , ; / = * :"""

    kind: str
    text: str
    at: int
    value: Value = None


_DURATION = r"-?P(?:\d+D)?(?:T(?:\d+H)?(?:\d+M)?(?:\d+(?:\.\d+)?S)?)?"
_DATETIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,12})?)?(?:Z|[+-]\d\d:\d\d)"
_PATTERN = re.compile(
    rf"""(?P<space>[ \t]+)
    |(?P<interval>{_DATETIME}/{_DATETIME})
    |(?P<datetime>{_DATETIME})
    |(?P<date>\d{{4}}-\d\d-\d\d(?![\dT]))
    |(?P<time>\d\d:\d\d(?::\d\d(?:\.\d{{1,12}})?)?)
    |(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
    |(?P<duration>duration'{_DURATION}')
    |(?P<geo>(?:geography|geometry)'(?:SRID=\d+;)?[^']*')
    |(?P<string>'(?:[^']|'')*')
    |(?P<name>[$@]?[^\W\d][\w.@-]*)
    |(?P<sign>[(),;/=*:-])""",
    re.VERBOSE,
)
_WORDS: dict[str, Value] = {"true": True, "false": False, "null": None}


def tokens(text: str) -> Iterator[Token]:
    """All tokens of `text`, blanks left out.

    Raises:
        QueryError: a character that begins nothing, a literal that is none (a 13th month), or a text that is too long.
    """
    if len(text) > TEXT:
        raise QueryError(f"a query option may have {TEXT} characters", text, TEXT)
    at = 0
    while at < len(text):
        match = _PATTERN.match(text, at)
        if match is None:
            what = "a string that is not closed" if text[at] == "'" else f"{text[at]!r} is not expected"
            raise QueryError(what, text, at)
        kind, found = match.lastgroup, match.group()
        if kind == "sign":
            yield Token(found, found, at)
        elif kind == "name":
            yield Token("literal", found, at, _WORDS[found]) if found in _WORDS else Token("name", found, at)
        elif kind == "geo":
            yield Token("geo", found[found.index("'") + 1 : -1], at)
        elif kind != "space":
            assert kind is not None
            yield Token("literal", found, at, _literal(kind, found, text, at))
        at = match.end()


def _literal(kind: str, found: str, text: str, at: int) -> Value:
    try:
        match kind:
            case "string":
                if "\0" in found:
                    raise ValueError("a zero character")
                return found[1:-1].replace("''", "'")
            case "number":
                return _number(found)
            case "datetime":
                return moment(found)
            case "interval":
                start, end = (moment(part) for part in found.split("/"))
                if end < start:
                    raise ValueError("it ends before it starts")
                return Interval(start, end)
            case "date":
                return date.fromisoformat(found)
            case "time":
                return time.fromisoformat(_six(found))
            case _:
                return _duration(found[len("duration'") : -1])
    except (ValueError, OverflowError) as error:
        raise QueryError(f"{found!r} is no {kind}: {error}", text, at) from None


def moment(text: str) -> datetime:
    """An RFC 3339 date-time with its offset; more than six digits of a second are cut off. Raises ValueError."""
    return datetime.fromisoformat(_six(text))


def _six(text: str) -> str:
    return re.sub(r"(\.\d{6})\d+", r"\1", re.sub(r"\.(\d{1,5})(?!\d)", lambda m: "." + m[1].ljust(6, "0"), text))


def _number(text: str) -> int | Decimal:
    if len(text) > DIGITS:
        raise ValueError(f"more than {DIGITS} characters")
    if text.lstrip("-").isdigit():
        return int(text)
    value = Decimal(text)
    if not -308 <= value.adjusted() <= 308:
        raise ValueError("outside what a double can hold")
    return value


def _duration(text: str) -> timedelta:
    parts = re.fullmatch(r"(-?)P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?)?", text)
    if parts is None or not any(parts.groups()[1:]):
        raise ValueError("it says nothing")
    sign, days, hours, minutes, seconds = parts.groups()
    span = timedelta(days=int(days or 0), hours=int(hours or 0), minutes=int(minutes or 0), seconds=float(seconds or 0))
    return -span if sign else span
