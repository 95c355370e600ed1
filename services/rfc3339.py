"""Times in requests: RFC 3339 section 5.6 with its offset, and nothing else that fromisoformat would take."""

import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

_FORM = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_FIRST, _LAST = 1900, 2200


def moment(text: object) -> datetime:
    """An aware UTC datetime.

    Raises:
        ValueError: says what is missing.
    """
    if not isinstance(text, str):
        raise ValueError("a time is a text")  # noqa: TRY004 - pydantic turns ValueErrors into answers
    if not _FORM.fullmatch(text):
        if re.fullmatch(r"[^Zz+]{19,} \d\d:\d\d", text):
            raise ValueError("the + of the offset became a space: write it as %2B in a URL")
        raise ValueError("not RFC 3339 with an offset, like 2026-10-08T14:32:00+07:00 or 2026-10-08T07:32:00Z")
    parsed = datetime.fromisoformat(_shorten(text.upper()))
    if not _FIRST <= parsed.year < _LAST:
        raise ValueError(f"the year must be from {_FIRST} to {_LAST - 1}")
    return parsed.astimezone(UTC)


def _shorten(text: str) -> str:
    """At most six digits of a second's fraction: what the store keeps, and what fromisoformat reads."""
    return re.sub(r"(\.\d{6})\d+", r"\1", text)


Moment = Annotated[
    datetime,
    BeforeValidator(moment),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-10-08T14:32:00+07:00"]}),
]
