"""A SenML name is one text; a Reading has a Thing and a property. This is where it is cut."""

import re

UNIT_NAMES_PROPERTY = {"%RH": "humidity", "%EL": "battery", "lon": "longitude", "lat": "latitude"}
"""Units of RFC 8428 section 12.1 that say what is measured. They tell apart records that share one bare name."""
NAME_LIMIT = 200
"""Longest name in characters, base name included."""

_SEPARATORS = "/:._-;,"
# RFC 9039: urn:dev:<kind>:<identifier>, then a component of the device after a separator.
_DEVICE_URN = re.compile(r"(urn:dev:[^:]+:[^:_/]+)[:_/](.+)", re.DOTALL).fullmatch


def check(name: str) -> None:
    """Whether a full name may be stored. Raises ValueError with the reason.

    Section 4.5.1 allows letters, digits and `-:./_` only; any characters that can be shown are taken, since devices
    send them.
    """
    if not name:
        raise ValueError("name: a record without a name")
    if len(name) > NAME_LIMIT:
        raise ValueError(f"name: longer than {NAME_LIMIT} characters")
    if not name.isprintable():
        raise ValueError("name: has characters that cannot be shown")


def stands_alone(base: str, name: str) -> bool:
    """Whether a name has no property part of its own, so that its unit may say what is measured."""
    return split(base, name, "lon", "") != split(base, name, "lat", "")


def split(base: str, name: str, unit: str, fallback: str) -> tuple[str, str]:
    """(thing, property) of a record.

    Args:
        base: the base name in force, "" if none.
        name: the record's own name, "" if none.
        unit: the SenML unit as it was sent.
        fallback: the Thing that the topic names.
    """
    if base and name:
        return base.rstrip(_SEPARATORS) or fallback, name
    whole = base or name
    thing, _, last = whole.rpartition("/")
    if thing and last:
        return thing, last
    urn = _DEVICE_URN(whole)
    if urn:
        return urn[1], urn[2]
    whole = whole.rstrip(_SEPARATORS)
    prop = UNIT_NAMES_PROPERTY.get(unit)
    if ":" in whole:  # a URN, an IPv6 or a MAC address: a name for the whole world, and all there is
        return whole, prop or whole
    return fallback, whole or prop or ""


def thing_of_topic(topic: str) -> str:
    """The Thing of a native topic (`tram/v1/{thing}/…`); any other topic is itself the name."""
    if not topic.startswith("tram/v1/"):
        return topic
    end = topic.find("/", 8)
    return topic[8:end] if end > 8 else topic[8:]


def printable(name: str) -> str:
    """A name that may be logged and stored, whatever it holds."""
    return "".join(c if c.isprintable() else "�" for c in name[:200])
