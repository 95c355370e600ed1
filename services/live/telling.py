"""Telling subscriptions what they lack, and leaving alone whoever does not read.

What a socket has not taken yet is bounded: over HIGH bytes nothing more is written to it, and there is no queue behind:
a Position says what it lacks. When it has read again it is told just that, or, after SLOW seconds, a new snapshot.
"""

from collections.abc import Callable

from services.live import metrics
from services.live.followers import Channel, Client, Subscription, framed
from services.live.messages import encode
from services.live.position import Position

HIGH = 262_144
"""Bytes written to a socket and not taken by it, from which it is left alone."""
SLOW = 5.0
"""Seconds a socket may be left alone and still be told the difference."""
STUCK = 20.0
"""Seconds in which a socket that is behind must take something."""

Made = dict[tuple[Position, str], tuple[bytes, Position, dict[str, bytes]]]
"""What was made in one round, by where a subscription is: (what it lacks, where it is then, frames by its id)."""


class Teller:
    """Writes to sockets. `now`: seconds of a clock that never jumps."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self.behind: set[Client] = set()

    def tell(self, subscription: Subscription, made: Made, *, alarms: bool = False) -> bool:
        """Writes what a subscription lacks; False: nothing was written."""
        client, channel = subscription.client, subscription.channel
        assert channel is not None
        if subscription.ahead is not None or client.closed or client.behind is not None:
            return False  # one that is behind is looked at in its turn
        if client.wire.waiting() > HIGH:
            client.behind = client.moved = self._now()
            client.left = client.wire.waiting()
            self.behind.add(client)
            return False
        if subscription.at is None:
            return self._show(subscription)
        key = subscription.at, subscription.told
        found = made.get(key)
        if found is None:
            told = channel.view.events(subscription.at, subscription.told, only_alarms=alarms)
            if told.body is None:
                self.anew(subscription, told.reason)
                return self._show(subscription)
            found = made[key] = told.body, told.to, {}
        body, subscription.at, frames = found
        if not body:
            return False
        subscription.told, subscription.spoken = str(subscription.at), self._now()
        frame = frames.get(subscription.id)
        if frame is None:
            frame = frames[subscription.id] = framed(subscription.prefix + body)
        client.wire.write(frame)
        return True

    def _show(self, subscription: Subscription) -> bool:
        channel = subscription.channel
        assert channel is not None
        at = channel.view.position
        if channel.snapshot is None or channel.snapshot[0] != at:
            channel.snapshot = at, channel.view.snapshot()
        head = encode({"op": "snapshot", "id": subscription.id, "reason": subscription.reason})[:-1]
        subscription.at, subscription.told, subscription.spoken = at, str(at), self._now()
        metrics.SNAPSHOTS.labels(subscription.reason).inc()
        subscription.client.write(head + channel.snapshot[1])
        return True

    def anew(self, subscription: Subscription, reason: str) -> None:
        """It is told a snapshot the next time."""
        subscription.at, subscription.reason = None, reason

    def flush(self, channel: Channel, *, alarms: bool = False) -> None:
        """Tells all subscriptions of a channel; `alarms`: nothing but those."""
        made: Made = {}
        told = 0
        for subscription in list(channel.subscriptions):
            told += self.tell(subscription, made, alarms=alarms)
        metrics.FRAMES.inc(told)

    def look(self, client: Client) -> bool:
        """At a client that was left alone: what it lacks is told when it has read; False: it is stuck."""
        now, waiting = self._now(), client.wire.waiting()
        if waiting < client.left:
            client.moved = now
        client.left = waiting
        if waiting > HIGH // 4:
            return now - client.moved <= STUCK
        assert client.behind is not None
        late = now - client.behind > SLOW
        client.behind = None
        self.behind.discard(client)
        for subscription in list(client.subscriptions.values()):
            if late and subscription.at is not None:
                self.anew(subscription, "slow")
            self.tell(subscription, {})
        return True
