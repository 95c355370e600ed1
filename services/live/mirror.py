"""What a client holds of one subscription: snapshot + events, folded. Pure; for clients in Python, and for proof."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from services.live.messages import Events, Resumed, Snapshot, Thing
from tram.alarms.model import Alarm, State


@dataclass(slots=True)
class Mirror:
    """One subscription as the hub sees it.

    Attributes:
        seq: where it is; None: nothing has come yet.
        things: by id.
        values: Datastream -> (time in µs, result, quality).
        alarms: current ones by id.
        reason: of the last snapshot.
    """

    seq: str | None = None
    things: dict[int, Thing] = field(default_factory=dict)
    values: dict[int, tuple[int, Any, int]] = field(default_factory=dict)
    alarms: dict[int, Alarm] = field(default_factory=dict)
    reason: str = ""

    def apply(self, message: Snapshot | Events | Resumed) -> bool:
        """Takes a message in; False: something between is missing, so ask for a resync (nothing was taken)."""
        if isinstance(message, Snapshot):
            self.things = {thing.id: thing for thing in message.things}
            self.values = {row[0]: _value(row) for row in message.values}
            self.alarms = {alarm.id: alarm for alarm in message.alarms}
            self.reason = message.reason
        elif isinstance(message, Resumed):
            return message.seq == self.seq
        else:
            if message.after != self.seq:
                return False
            self._events(message)
        self.seq = message.seq
        return True

    def _events(self, message: Events) -> None:
        for id in message.gone:
            self._drop(id)
        for thing in message.things:
            kept = {stream.id for stream in thing.streams}
            self._drop(thing.id, lambda stream, kept=kept: stream not in kept)  # type: ignore[misc]
            self.things[thing.id] = thing
        for row in message.values:
            if len(row) == 1:
                self.values.pop(row[0], None)
            else:
                self.values[row[0]] = _value(row)
        for change in message.alarms:
            if change.alarm.state is State.NORMAL:
                self.alarms.pop(change.alarm.id, None)
            else:
                self.alarms[change.alarm.id] = change.alarm
        for id in message.left:
            self.alarms.pop(id, None)

    def _drop(self, id: int, which: Callable[[int], bool] = lambda stream: True) -> None:
        old = self.things.pop(id, None)
        for stream in old.streams if old else ():
            if which(stream.id):
                self.values.pop(stream.id, None)


def _value(row: list[Any]) -> tuple[int, Any, int]:
    return row[1], row[2], row[3] if len(row) > 3 else 0
