"""The Thing that a native topic names."""

_ESCAPES = (("%2F", "/"), ("%2f", "/"), ("%2B", "+"), ("%2b", "+"), ("%23", "#"), ("%25", "%"))


def thing_of(topic: str) -> str:
    """`tram/v1/{thing}/…` to the Thing's name; a topic of another shape is itself the name.

    A topic level cannot hold `/`, `+` or `#`: such a name is published with `%2F`, `%2B`, `%23`, and `%25` for a
    percent sign before one of those. No other escape is read, so a name with a lone `%` stays as it is.
    """
    if not topic.startswith("tram/v1/"):
        return topic
    end = topic.find("/", 8)
    thing = topic[8:end] if end > 8 else topic[8:]
    if "%" in thing:
        for escape, character in _ESCAPES:
            thing = thing.replace(escape, character)
    return thing


def level_of(thing: str) -> str:
    """The topic level that names a Thing: the inverse of `thing_of`."""
    for character, escape in (("%", "%25"), ("/", "%2F"), ("+", "%2B"), ("#", "%23")):
        thing = thing.replace(character, escape)
    return thing
