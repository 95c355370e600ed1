"""Every key that readings call themselves by, as a dense slot, and what the registry says of each, by column.

The hot path only ever looks a slot up; units, limits and Datastreams of a whole batch are then one indexing of these
columns. What the registry has said stays true until it notifies otherwise (tram.store.registry.CHANNEL).
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tram.errors import UnitError
from tram.properties import known
from tram.quality import Quality
from tram.store import registry
from tram.store.database import Connection
from tram.store.registry import Held, Key, Refused, Resolution, Resolved
from tram.units import linear, ucum

UNKNOWN, ACTIVE, HELD, REFUSED = range(4)
"""What the registry says of a slot; UNKNOWN: not asked yet, or not since something changed."""


class Directory:
    """Slots of keys. One thread owns it.

    Attributes:
        slots: key (thing, property, unit) -> slot; `slot` fills it.
        keys: the inverse.
        state, datastream, thing, scale, offset, low, high, stuck, flags, measured: columns by slot, valid up to
            len(keys). A stored value is `sent * scale + offset`; `flags` holds UNIT where the unit is not what it
            should be; `measured` says that the property is catalogued, so that its values are numbers.
        heard: column by slot: when the last stored reading was received (microseconds), 0: not since `take_heard`.
        answers: what the registry said, by slot, of the held and the refused.

    Args:
        policy, pending_things: settings.provisioning, settings.pending_things.
        most: keys remembered; beyond it all are forgotten, which costs only asking again.
    """

    def __init__(self, policy: str, pending_things: int, most: int = 500_000) -> None:
        self.policy, self.pending_things, self.most = policy, pending_things, most
        self.slots: dict[tuple[str, str, str], int] = {}
        self.keys: list[Key] = []
        self.answers: dict[int, Held | Refused] = {}
        self._of_thing: dict[str, list[int]] = {}
        self._unknown: set[int] = set()
        self._size = 0
        self._grow(1024)

    def start_over(self) -> None:
        """Forgets every key: slots handed out before are void. Between two batches only."""
        for remembered in (self.slots, self.keys, self.answers, self._of_thing, self._unknown):
            remembered.clear()
        self.heard[:] = 0

    def _grow(self, size: int) -> None:
        def column(name: str, kind: Any, fill: float) -> Any:
            new = np.full(size, fill, kind)
            if self._size:
                new[: self._size] = getattr(self, name)
            return new

        self.state: NDArray[np.int8] = column("state", np.int8, UNKNOWN)
        self.datastream: NDArray[np.int32] = column("datastream", np.int32, 0)
        self.thing: NDArray[np.int64] = column("thing", np.int64, 0)
        self.scale: NDArray[np.float64] = column("scale", np.float64, 1.0)
        self.offset: NDArray[np.float64] = column("offset", np.float64, 0.0)
        self.low: NDArray[np.float64] = column("low", np.float64, np.nan)
        self.high: NDArray[np.float64] = column("high", np.float64, np.nan)
        self.stuck: NDArray[np.int32] = column("stuck", np.int32, 0)
        self.flags: NDArray[np.int16] = column("flags", np.int16, 0)
        self.measured: NDArray[np.bool_] = column("measured", np.bool_, False)
        self.heard: NDArray[np.int64] = column("heard", np.int64, 0)
        self._size = size

    def slot(self, thing: str, property: str, unit: str) -> int:
        """The slot of a key, a new one if it was never met."""
        found = self.slots.get((thing, property, unit))
        if found is None:
            found = self.slots[thing, property, unit] = len(self.keys)
            if found >= self._size:
                self._grow(self._size * 2)
            self.keys.append(Key(thing, property, unit))
            self._of_thing.setdefault(thing, []).append(found)
            self._unknown.add(found)
        return found

    @property
    def asks(self) -> int:
        """How many keys the registry has to be asked about."""
        return len(self._unknown)

    @property
    def unknown(self) -> list[int]:
        """Their slots."""
        return sorted(self._unknown)

    def slots_of(self, thing: str) -> list[int]:
        """The slots of a Thing's keys."""
        return self._of_thing.get(thing, [])

    def resolve(self, conn: Connection, slots: Iterable[int] | None = None) -> None:
        """Asks the registry about these unknown keys, or all. The caller commits; if it cannot, it calls `forget`."""
        asked = {self.keys[slot]: slot for slot in (self._unknown if slots is None else slots)}
        answers = registry.resolve(conn, asked.keys(), self.policy, self.pending_things)
        for key, slot in asked.items():
            self._learn(slot, key, answers[key])
        self._unknown.difference_update(asked.values())

    def refuse(self, slot: int, reason: str, detail: str) -> None:
        """Holds a key for refused, whatever the registry may say."""
        self.state[slot], self.answers[slot] = REFUSED, Refused(reason, detail)
        self._unknown.discard(slot)

    def take_heard(self) -> dict[int, int]:
        """thing id -> when it was last heard of (microseconds), of those heard since the last call."""
        slots = np.flatnonzero(self.heard[: len(self.keys)])
        slots = slots[np.argsort(self.heard[slots])]
        heard = dict(zip(self.thing[slots].tolist(), self.heard[slots].tolist(), strict=True))
        self.heard[slots] = 0
        return heard

    def _learn(self, slot: int, key: Key, answer: Resolution) -> None:
        if not isinstance(answer, Resolved):
            self.state[slot] = HELD if isinstance(answer, Held) else REFUSED
            self.answers[slot] = answer
            return
        self.state[slot] = ACTIVE
        self.answers.pop(slot, None)
        self.datastream[slot], self.thing[slot] = answer.datastream_id, answer.thing_id
        self.low[slot], self.high[slot], self.stuck[slot] = answer.low, answer.high, answer.stuck_after
        self.scale[slot], self.offset[slot], self.flags[slot] = conversion(key, answer)
        self.measured[slot] = known(answer.property) is not None

    def forget(self, things: Iterable[str] | None = None) -> None:
        """Asks the registry again about the keys of these Things (by name), or of all: something has changed."""
        slots = range(len(self.keys)) if things is None else [s for t in things for s in self._of_thing.get(t, ())]
        self._unknown.update(slots)

    def forget_unstored(self) -> None:
        """Asks again about what is held or refused: room may have been made, a Thing accepted."""
        self._unknown.update(self.answers)

    @property
    def full(self) -> bool:
        """Whether more keys are remembered than should be; then the owner starts over between two batches."""
        return len(self.keys) > self.most


def conversion(key: Key, answer: Resolved) -> tuple[float, float, int]:
    """(scale, offset, flags) that bring a key's values into its Datastream's unit.

    No unit stated means the Datastream's. A unit that cannot be converted (unknown, or of something else than the
    property) leaves the value as sent, and flags it.
    """
    if not key.unit:
        return 1.0, 0.0, 0
    if key.unit == answer.unit:
        return 1.0, 0.0, 0
    try:
        scale, offset = linear(ucum(key.unit) or key.unit, answer.unit)
    except UnitError:
        return 1.0, 0.0, int(Quality.UNIT)
    return scale, offset, 0
