"""A place in the stream of one subscription: the `seq` of the protocol. Pure.

It is made of what every hub reads from the same database, and of nothing of the hub's own: any hub can go on from it.
"""

import re
from typing import NamedTuple

_FORM = re.compile(r"(\d{1,18})-(\d{1,18})-([0-9a-f]{8})")


class Position(NamedTuple):
    """How far a subscription was told.

    Attributes:
        values: seq of the committed stream.
        alarms: seq of the alarm changes.
        mark: of the Things that it shows (the exclusive or of a checksum of each): equal marks, equal Things.
    """

    values: int
    alarms: int
    mark: int

    def __str__(self) -> str:
        return f"{self.values}-{self.alarms}-{self.mark:08x}"


def parse(text: str) -> Position | None:
    """A `seq` as a client hands it back; None: it is none."""
    found = _FORM.fullmatch(text)
    return None if found is None else Position(int(found[1]), int(found[2]), int(found[3], 16))
