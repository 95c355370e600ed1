"""Ids: whole numbers; an Observation's is `datastream.microseconds`, since that is what it is unique by (adr 0100)."""

import re
from datetime import datetime

from tram.clock import from_micros, to_micros

_OBSERVATION = re.compile(r"(\d{1,10})\.(-?\d{1,18})", re.ASCII)


def observation_id(datastream: int, at: datetime) -> str:
    """The id of an Observation."""
    return f"{datastream}.{to_micros(at)}"


def observation_key(id: str) -> tuple[int, datetime] | None:
    """(datastream, phenomenonTime) of an id; None when it cannot be one."""
    match = _OBSERVATION.fullmatch(id)
    if match is None or int(match[1]) >= 2**31:
        return None
    try:
        return int(match[1]), from_micros(int(match[2]))
    except OverflowError:
        return None


def number(id: str, bits: int = 31) -> int | None:
    """A whole id out of its text; None when no entity can have it."""
    if not re.fullmatch(r"\d{1,19}", id, re.ASCII):
        return None
    found = int(id)
    return found if found < 2**bits else None
