"""What a request comes to, whoever asked: HTTP, a part of a batch."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Request:
    """One operation. `query` is the decoded query string; `prefer` the words of the Prefer header."""

    method: str
    path: str
    query: list[tuple[str, str]]
    body: bytes = b""
    content_type: str = JSON


@dataclass(frozen=True, slots=True)
class Answer:
    """`stream` instead of `body` where it may be long."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = JSON
    stream: Iterator[bytes] | None = None


def of(value: Any, status: int = 200) -> Answer:
    """JSON."""
    return Answer(status, msgspec.json.encode(value))


def text(json: str) -> Answer:
    """JSON that is text already."""
    return Answer(200, json.encode())
