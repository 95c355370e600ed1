"""A view: one selection as several clients follow it, told in frames that are made once for all of them. Pure.

A client in a view is a Position, nothing more: what it lacks is what changed since, so one that was slow, one that
comes back and one that is in step are told by the same function.
"""

import zlib
from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.live.alarmlog import AlarmFilter, AlarmLog
from services.live.catalogue import Catalogue, Selection
from services.live.messages import Thing, encode
from services.live.position import Position
from services.live.values import Values

DELTAS = 64
"""Changes of the Things of a view that are remembered; who missed more gets a snapshot."""
MOST_CHANGES = 1_000
"""Alarm changes that a client may lack; one that lacks more is slow, and gets a snapshot."""


class TooManyError(Exception):
    """A selection fits more Datastreams than a subscription may have."""


class Told(NamedTuple):
    """What a client lacks.

    Attributes:
        body: the fields of an events message behind its id, up to the closing brace; b"": it lacks nothing; None: only
            a snapshot will do.
        to: where it is then.
        reason: why only a snapshot will do.
    """

    body: bytes | None
    to: Position
    reason: str


class World:
    """What a hub knows, and how far it has read."""

    def __init__(self) -> None:
        self.catalogue = Catalogue()
        self.values = Values()
        self.alarms = AlarmLog()
        self.position = 0
        self.from_position = 0
        """What changed is known from here on."""


class View:
    """A selection over a world."""

    def __init__(self, world: World, selection: Selection, *, values: bool, alarms: bool, most: int) -> None:
        """Raises TooManyError: it fits more than `most` Datastreams."""
        self._world, self.selection, self._most = world, selection, most
        self._with_values, self._with_alarms = values, alarms
        self._fits = AlarmFilter(selection, world.catalogue)
        self._shown: dict[int, tuple[int, tuple[int, ...]]] = {}
        self._deltas: deque[tuple[int, int, list[int], list[int]]] = deque(maxlen=DELTAS)
        self.mark = 0
        self.members: NDArray[np.int32] = np.zeros(0, np.int32)
        if values:
            count = 0
            for id in world.catalogue.fitting(selection.filter, selection.decision):
                count += self._show(id)
                if count > most:
                    raise TooManyError
            self._renumber()

    @property
    def position(self) -> Position:
        """Where a client is that has been told everything."""
        return Position(self._world.position, self._world.alarms.position, self.mark)

    def registry(self, ids: Iterable[int], *, alarmed: bool = False) -> None:
        """These Things have changed, come or gone. Raises TooManyError.

        `alarmed`: alarms are on them, and which of those fit may hang on what changed: nobody goes on from before.
        """
        if alarmed and self._with_alarms:
            self._deltas.clear()
        if not self._with_values:
            return
        before, put, gone = self.mark, list[int](), list[int]()
        for id in ids:
            old = self._shown.get(id)
            self._show(id)
            new = self._shown.get(id)
            if new is not None and new != old:
                put.append(id)
            elif new is None and old is not None:
                gone.append(id)
        if put or gone:
            if not (alarmed and self._with_alarms):
                self._deltas.append((before, self.mark, put, gone))
            self._renumber()
            if len(self.members) > self._most:
                raise TooManyError

    def _show(self, id: int) -> int:
        """Takes one Thing in or out; returns how many Datastreams of it are followed."""
        old = self._shown.pop(id, None)
        if old is not None:
            self.mark ^= old[0]
        thing = self._thing(id)
        if thing is None:
            return 0
        mark = zlib.crc32(encode(thing))
        self.mark ^= mark
        self._shown[id] = (mark, tuple(stream.id for stream in thing.streams))
        return len(thing.streams)

    def _thing(self, id: int) -> Thing | None:
        entry = self._world.catalogue.get(id)
        streams = self.selection.streams(entry) if entry is not None else []
        if entry is None or not streams:
            return None
        thing = entry.thing
        if streams is thing.streams:
            return thing
        return Thing(thing.id, thing.name, thing.label, thing.kind, thing.area, thing.location, streams)

    def _renumber(self) -> None:
        ids = [stream for _, streams in self._shown.values() for stream in streams]
        self.members = np.array(sorted(ids), np.int32)

    def stirred(self, after: int) -> bool:
        """Whether values have changed after a seq."""
        return bool(len(self._world.values.changed(self.members, after)))

    def snapshot(self) -> bytes:
        """The fields of a snapshot behind its id and reason, up to the closing brace."""
        things = [encode(thing) for id in sorted(self._shown) if (thing := self._thing(id)) is not None]
        values = self._world.values.encoded(self.members, empty=False)
        alarms = self._world.alarms.current(self._fits) if self._with_alarms else []
        return (
            b',"seq":"' + str(self.position).encode() + b'"' + _listed("things", things) + _listed("values", values)
            + _listed("alarms", alarms) + b"}"
        )  # fmt: skip

    def events(self, at: Position, after: str, *, only_alarms: bool = False) -> Told:
        """What a client lacks that was told all up to `at`, in frames up to `after`."""
        world, to = self._world, self.position
        parts: list[bytes] = []
        if only_alarms:
            to = to._replace(values=at.values, mark=at.mark)
        else:
            if at.values < world.from_position:
                return Told(None, at, "old")
            delta = self._delta(at.mark)
            if delta is None:
                return Told(None, at, "registry")
            parts += self._values(at.values, *delta)
        if self._with_alarms:
            if not world.alarms.reaches(at.alarms):
                return Told(None, at, "old")
            if world.alarms.position - at.alarms > MOST_CHANGES:
                return Told(None, at, "slow")
            told, left = world.alarms.events(at.alarms, self._fits)
            parts += [_listed("alarms", told), _listed("left", [b"%d" % id for id in left])]
        body = b"".join(parts)
        if not body and at.mark == to.mark:
            return Told(b"", to, "")
        return Told(b',"after":"%b","seq":"%b"%b}' % (after.encode(), str(to).encode(), body), to, "")

    def _values(self, after: int, put: list[int], gone: list[int]) -> list[bytes]:
        ids = self._world.values.changed(self.members, after)
        if put:
            # What is shown anew is told whole: the client may never have had its values.
            whole = [stream for id in put for stream in self._shown[id][1]]
            ids = np.union1d(ids, np.array(whole, np.int32)).astype(np.int32)
        things = [encode(thing) for id in put if (thing := self._thing(id)) is not None]
        return [
            _listed("gone", [b"%d" % id for id in gone]),
            _listed("things", things),
            _listed("values", self._world.values.encoded(ids, empty=True)),
        ]

    def _delta(self, mark: int) -> tuple[list[int], list[int]] | None:
        """(Things to put, Things that are gone) since the view had this mark; None: that is not known."""
        if mark == self.mark:
            return [], []
        at = next((n for n in range(len(self._deltas) - 1, -1, -1) if self._deltas[n][0] == mark), None)
        if at is None:
            return None
        touched = dict.fromkeys(id for _, _, put, gone in list(self._deltas)[at:] for id in (*put, *gone))
        put = [id for id in touched if id in self._shown]
        return put, [id for id in touched if id not in self._shown]


def _listed(name: str, items: list[bytes]) -> bytes:
    return b',"%b":[%b]' % (name.encode(), b",".join(items)) if items else b""
