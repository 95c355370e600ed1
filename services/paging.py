"""Paging by cursor: the key of the last row of a page, opaque to the client, so a walk has no gaps or duplicates."""

import base64
import binascii
from collections.abc import Sequence
from typing import Annotated, Generic, TypeVar

import msgspec
from fastapi import Query
from pydantic import BaseModel, Field

from services.errors import Problem

T = TypeVar("T")
K = TypeVar("K")

LIMIT = 100
LIMIT_MOST = 1000


class Page(BaseModel, Generic[T]):
    """A page of a list."""

    items: list[T]
    next: str | None = Field(default=None, description="pass it as `cursor` for the next page; null on the last")


Limit = Annotated[int, Query(ge=1, le=LIMIT_MOST, description="most items of the page")]
Cursor = Annotated[
    str | None, Query(max_length=2048, description="`next` of the page before; leave it out for the first")
]


def encode(key: Sequence[object]) -> str:
    """A cursor that stands for a row's key."""
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).rstrip(b"=").decode("ascii")


def decode(cursor: str | None, shape: type[K]) -> K | None:
    """The key a cursor stands for, of the type `shape` (a tuple type), or None for none.

    Raises:
        Problem: `cursor`, when it was not made by `encode` for such a key.
    """
    if cursor is None:
        return None
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        key = msgspec.json.decode(raw, type=shape)
    except (binascii.Error, msgspec.DecodeError, ValueError):
        raise Problem("cursor", "start again without a cursor") from None
    if b"\\u0000" in raw or any(isinstance(part, str) and "\0" in part for part in key):  # type: ignore[attr-defined]
        raise Problem("cursor", "start again without a cursor")
    return key


def page(rows: Sequence[T], limit: int, key: Sequence[object] | None) -> Page[T]:
    """A page of at most `limit` of `rows`; `key` is that of its last row, None when there is no further row."""
    return Page(items=list(rows[:limit]), next=None if key is None else encode(key))
