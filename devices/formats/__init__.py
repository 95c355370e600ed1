"""Payload conventions, one folder each, found by their name. See tram.readings for the contract, docs/formats.md."""

from collections.abc import Mapping, MutableMapping
from functools import cache
from importlib import import_module
from importlib.resources import files
from typing import Any

from tram.errors import PayloadError
from tram.readings import Decoded, Format, Message

Memories = Mapping[str, MutableMapping[str, Any]]
"""The memory of each format, by its name; the caller keeps it from message to message."""


@cache
def discover() -> dict[str, Format]:
    """Every format folder's FORMAT, by name, in the order of the names."""
    found: dict[str, Format] = {}
    for folder in sorted(files(__name__).iterdir(), key=lambda entry: entry.name):
        if folder.is_dir() and folder.joinpath("codec.py").is_file():
            codec = import_module(f"{__name__}.{folder.name}.codec")
            found[folder.name] = codec.FORMAT
    return found


def memories() -> dict[str, MutableMapping[str, Any]]:
    """An empty memory for every format."""
    return {name: {} for name in discover()}


def topic_filters() -> tuple[str, ...]:
    """All topic filters that the formats speak, each once."""
    return tuple(dict.fromkeys(topic for found in discover().values() for topic in found.topics))


def matches(topic_filter: str, topic: str) -> bool:
    """Whether a topic matches a filter (MQTT 3.1.1 section 4.7). Wildcards never match a leading `$` (4.7.2)."""
    if topic.startswith("$") and topic_filter[:1] in ("+", "#"):
        return False
    wanted, levels = topic_filter.split("/"), topic.split("/")
    for index, part in enumerate(wanted):
        if part == "#":
            return True
        if index >= len(levels) or part not in ("+", levels[index]):
            return False
    return len(wanted) == len(levels)


def speakers(topic: str) -> tuple[Format, ...]:
    """The formats that speak a topic, in the order in which they are asked. Not cached: topics are the sender's."""
    return tuple(found for found in discover().values() if any(matches(f, topic) for f in found.topics))


def decode(message: Message, memory: Memories, candidates: tuple[Format, ...] | None = None) -> tuple[str, Decoded]:
    """Asks each format that speaks the topic until one takes the message; returns its name and what it read.

    Args:
        message: as it was received.
        memory: see `memories`.
        candidates: `speakers(message.topic)`, where the caller has it already.

    Raises:
        PayloadError: the format that took it could read nothing, or (code "no-format") none took it.
    """
    for candidate in speakers(message.topic) if candidates is None else candidates:
        decoded = candidate.decode(message, memory[candidate.name])
        if decoded is not None:
            return candidate.name, decoded
    raise PayloadError(f"no format reads this payload on topic {message.topic!r}", code="no-format")
