"""A dashboard's definition: its name, and panels on a grid of 12 columns.

The server knows where panels stand and how large a definition may be. What a panel's settings mean is known to the
panel alone (web/panels), but for two names, `streams` and `things`: they say which Things a dashboard shows.
"""

import re
from collections.abc import Iterator
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from tram.errors import PayloadError

COLUMNS = 12
MOST_BYTES = 64 * 1024
"""Of the whole definition as JSON: some hundred panels."""
MOST_PANELS = 100
DEEPEST = 6
"""Levels of lists and objects inside settings."""

Name = Annotated[str, Meta(max_length=120)]


class Labels(msgspec.Struct, forbid_unknown_fields=True):
    """What a dashboard is called. One language is enough."""

    vi: Name = ""
    en: Name = ""


class Item(msgspec.Struct, forbid_unknown_fields=True):
    """One panel and its place, in cells of the grid."""

    id: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
    panel: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
    x: Annotated[int, Meta(ge=0, lt=COLUMNS)]
    y: Annotated[int, Meta(ge=0, le=1000)]
    w: Annotated[int, Meta(ge=1, le=COLUMNS)]
    h: Annotated[int, Meta(ge=1, le=40)]
    title: Name = ""
    settings: dict[str, Any] = {}


class Definition(msgspec.Struct, forbid_unknown_fields=True):
    """All of it."""

    labels: Labels
    panels: Annotated[list[Item], Meta(max_length=MOST_PANELS)]


def read(document: object) -> Definition:
    """A definition from JSON that was parsed.

    Raises:
        PayloadError: it does not fit; the message names the place. Code `too-large`: it has more than MOST_BYTES.
    """
    try:
        found = msgspec.convert(document, Definition)
    except msgspec.ValidationError as error:
        raise PayloadError(str(error), code="invalid") from None
    if not (found.labels.vi.strip() or found.labels.en.strip()):
        raise PayloadError("a dashboard needs a name - at `$.labels`", code="invalid")
    seen: set[str] = set()
    for at, item in enumerate(found.panels):
        where = f"at `$.panels[{at}]`"
        if item.x + item.w > COLUMNS:
            raise PayloadError(f"a panel must end within {COLUMNS} columns - {where}", code="invalid")
        if item.id in seen:
            raise PayloadError(f"the id {item.id!r} is there twice - {where}", code="invalid")
        seen.add(item.id)
        if _depth(item.settings) > DEEPEST:
            raise PayloadError(f"settings are nested deeper than {DEEPEST} - {where}", code="invalid")
    size = len(text(found).encode())
    if size > MOST_BYTES:
        raise PayloadError(
            f"the dashboard has {size} bytes; at most {MOST_BYTES} fit: shorten texts, or make two of it",
            code="too-large",
        )
    return found


def text(definition: Definition) -> str:
    """As JSON for the store.

    Raises:
        PayloadError: it holds characters that cannot be stored.
    """
    try:
        found = msgspec.json.encode(definition).decode()
    except (UnicodeEncodeError, TypeError, ValueError) as error:
        raise PayloadError(f"this cannot be stored: {error}", code="invalid") from None
    if "\\u0000" in found:
        raise PayloadError("it must not contain a NUL character", code="invalid")
    return found


def things(definition: Definition) -> list[str]:
    """The Things that it names, by name: in settings called `things`, and in `streams` as `property@thing` or
    `property@thing#id` (web/panels/streams.ts), where a `#` may be the Thing's own: then both are named."""
    return sorted(set(_named(definition)))


def _named(definition: Definition) -> Iterator[str]:
    for item in definition.panels:
        yield from _texts(item.settings.get("things"))
        for stream in _texts(item.settings.get("streams")):
            _, _, thing = stream.partition("@")
            if thing:
                yield thing
                if re.search(r"#\d{1,10}$", thing):
                    yield thing.rpartition("#")[0]


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, list):
        yield from (one for one in value if isinstance(one, str))


def _depth(value: object) -> int:
    """Levels of lists and objects, up to one more than DEEPEST; without recursion, whatever was sent."""
    levels, level = 0, [value]
    while levels <= DEEPEST and (level := [one for one in level if isinstance(one, dict | list)]):
        levels += 1
        level = [inner for one in level for inner in (one.values() if isinstance(one, dict) else one)]
    return levels
