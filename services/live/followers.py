"""Who follows: sockets, their subscriptions, and the channels in which equal subscriptions are told together."""

import asyncio
from collections.abc import Hashable
from typing import Protocol

from websockets.frames import Frame, Opcode

from services.live.messages import Subscribe, encode
from services.live.position import Position
from services.live.session import Session
from services.live.view import View
from tram.identity.decide import Decision


def framed(data: bytes) -> bytes:
    """A text frame of a server, ready for any socket (RFC 6455 section 5.2: not masked, not compressed)."""
    return Frame(Opcode.TEXT, data).serialize(mask=False)


class Wire(Protocol):
    """A WebSocket that takes ready frames. No method blocks or raises."""

    def write(self, frame: bytes) -> None: ...

    def waiting(self) -> int:
        """Bytes that were written and not taken yet."""
        ...

    def close(self, code: int, reason: str) -> None: ...

    def abort(self) -> None:
        """Ends it without a word."""
        ...


class Client:
    """One socket."""

    def __init__(self, wire: Wire, decision: Decision, now: float) -> None:
        self.wire, self.decision = wire, decision
        self.session = Session(now)
        self.subscriptions: dict[str, Subscription] = {}
        self.behind: float | None = None
        self.moved, self.left = now, 0
        self.closed = False

    def write(self, data: bytes) -> None:
        """One text frame."""
        if not self.closed:
            self.wire.write(framed(data))


class Subscription:
    """One subscription of one client. `at`: told all up to there; None: it needs a snapshot. `told`: its `seq`."""

    __slots__ = ("ahead", "at", "channel", "client", "id", "message", "prefix", "reason", "spoken", "told")

    def __init__(self, client: Client, message: Subscribe) -> None:
        self.client, self.message, self.id = client, message, message.id
        self.prefix = encode({"op": "events", "id": message.id})[:-1]
        self.channel: Channel | None = None
        self.at: Position | None = None
        self.told, self.reason, self.spoken = "", "subscribed", 0.0
        self.ahead: tuple[Position, float] | None = None


class Channel:
    """All subscriptions of one view at one rate."""

    def __init__(self, key: Hashable, view: View, message: Subscribe) -> None:
        self.key, self.view, self.message = key, view, message
        self.subscriptions: set[Subscription] = set()
        self.gap = 1.0 / message.rate
        self.due = 0.0
        self.checked = 0
        self.stirred = False
        self.timer: asyncio.TimerHandle | None = None
        self.snapshot: tuple[Position, bytes] | None = None
