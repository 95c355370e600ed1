"""The hub on its event loop: who follows what, told in time. Sockets are Wires, data comes by `take`: no I/O here.

feed ──take──▶ world ──▶ Channel (one view, one rate) ──frame, made once──▶ the Wire of each of its subscriptions
"""

import asyncio
import logging
import time
from collections.abc import Callable, Hashable
from contextlib import suppress

from services.live import metrics
from services.live.catalogue import Selection
from services.live.followers import Channel, Client, Subscription, Wire, framed
from services.live.messages import (
    VERSION,
    Beat,
    ClientMessage,
    Close,
    Hello,
    Ping,
    Pong,
    Problem,
    Resumed,
    Resync,
    Subscribe,
    Unsubscribe,
    encode,
)  # fmt: skip
from services.live.position import parse
from services.live.session import SUBSCRIPTIONS, Ended, Refused
from services.live.telling import HIGH, Teller
from services.live.update import Update
from services.live.view import TooManyError, View, World
from tram.identity.decide import Decision

log = logging.getLogger(__name__)

AHEAD = 3.0
"""Seconds to catch up with a client that comes from a hub that has read further."""
BEAT = 2.0
SWEEP = 0.25
QUIET = 20.0
"""Seconds after which a subscription without events is told its new place, so that it can go on from there."""


class Hub:
    """Follows the world for its clients. All methods are for the loop's thread, and none waits.

    Args:
        name: says which hub it is, to clients.
        viewers: most sockets. streams: most Datastreams of a subscription.
    """

    def __init__(self, name: str, *, viewers: int, streams: int) -> None:
        self.name, self._viewers, self._streams = name, viewers, streams
        self._loop = asyncio.get_running_loop()
        self._now: Callable[[], float] = self._loop.time  # never jumps
        self._world: World | None = None
        self._ready = asyncio.Event()
        self._clients: set[Client] = set()
        self._channels: dict[Hashable, Channel] = {}
        self._teller = Teller(self._now)
        self._ahead: set[Subscription] = set()
        self._source, self._since = "away", time.time_ns() // 1000
        self._tasks = [self._loop.create_task(self._beat()), self._loop.create_task(self._sweep())]

    def stop(self) -> None:
        """Ends its own work; the server closes the sockets."""
        for task in self._tasks:
            task.cancel()
        for channel in self._channels.values():
            if channel.timer is not None:
                channel.timer.cancel()

    async def ready(self, seconds: float) -> None:
        """Waits until there is something to tell, or that many seconds."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._ready.wait(), seconds)

    @property
    def refusal(self) -> str | None:
        """Why no socket is taken now; None: it is."""
        if self._world is None:
            return "the values are not read yet"
        return f"there are {self._viewers} viewers, no more fit" if len(self._clients) >= self._viewers else None

    @property
    def clients(self) -> frozenset[Client]:
        """The sockets."""
        return frozenset(self._clients)

    def detail(self) -> dict[str, object]:
        """For the heartbeat: how many sockets, how many distinct views they follow, how many do not keep up."""
        return {"viewers": len(self._clients), "views": len(self._channels), "behind": len(self._teller.behind)}

    # Clients

    def attach(self, wire: Wire, decision: Decision) -> Client:
        """A socket of somebody who may follow what the decision covers."""
        client = Client(wire, decision, self._now())
        self._clients.add(client)
        metrics.VIEWERS.set(len(self._clients))
        limits = {"subscriptions": float(SUBSCRIPTIONS), "streams": float(self._streams)}
        client.write(encode(Hello(version=VERSION, hub=self.name, beat=BEAT, limits=limits)))
        client.write(encode(self._pulse()))
        return client

    def detach(self, client: Client) -> None:
        """The socket is gone."""
        client.closed = True
        for subscription in list(client.subscriptions.values()):
            self._forget(subscription)
        self._clients.discard(client)
        self._teller.behind.discard(client)
        metrics.VIEWERS.set(len(self._clients))

    def close(self, client: Client, code: int, reason: str) -> None:
        """Closes a socket."""
        if not client.closed:
            metrics.CLOSED.labels(str(int(code))).inc()
            self.detach(client)
            client.wire.close(int(code), reason)

    def permit(self, client: Client, decision: Decision) -> None:
        """The client's rights are these now: what it follows is chosen anew if they are others than before."""
        if decision.clauses != client.decision.clauses or decision.principal.limits != client.decision.principal.limits:
            client.decision = decision
            for subscription in list(client.subscriptions.values()):
                self._subscribe(client, subscription.message, "rights")

    def receive(self, client: Client, data: str | bytes) -> None:
        """A message of a client."""
        if client.closed:
            return
        judged = client.session.receive(data, self._now())
        if isinstance(judged, Ended):
            self.close(client, judged.code, judged.reason)
        elif isinstance(judged, Refused):
            client.write(encode(Problem(code=judged.code, message=judged.message, id=judged.id)))
        else:
            self._do(client, judged)

    def _do(self, client: Client, message: ClientMessage) -> None:
        if isinstance(message, Ping):
            # A client that asks much and reads nothing: the answers must not pile up.
            if client.wire.waiting() <= HIGH:
                client.write(encode(Pong(at=message.at, now=time.time_ns() // 1000)))
        elif isinstance(message, Subscribe):
            self._subscribe(client, message, "subscribed")
        elif message.id not in client.subscriptions:
            if isinstance(message, Resync):
                client.write(encode(Problem(code="unknown", message="there is no such subscription", id=message.id)))
        elif isinstance(message, Unsubscribe):
            self._forget(client.subscriptions[message.id])
        else:
            subscription = client.subscriptions[message.id]
            self._teller.anew(subscription, "asked")
            self._teller.tell(subscription, {})

    # Subscriptions

    def _subscribe(self, client: Client, message: Subscribe, reason: str) -> None:
        old = client.subscriptions.get(message.id)
        if old is not None:
            self._forget(old)
        channel = self._channel(client, message)
        if channel is None:
            return
        subscription = Subscription(client, message)
        subscription.reason = reason
        client.subscriptions[message.id] = subscription
        client.session.subscriptions.add(message.id)
        subscription.channel = channel
        channel.subscriptions.add(subscription)
        at = parse(message.after) if message.after is not None and reason == "subscribed" else None
        if message.after is not None and reason == "subscribed":
            subscription.reason = "old"
        if at is not None:
            subscription.ahead = at, self._now() + AHEAD
            self._ahead.add(subscription)
        self._go_on(subscription)

    def _channel(self, client: Client, message: Subscribe) -> "Channel | None":
        asked = message.filter
        lists = (asked.things, asked.areas, asked.properties, asked.domains)
        names = tuple(None if names is None else frozenset(names) for names in lists)
        rights = (client.decision.clauses, client.decision.principal.limits)
        key = (names, asked.severity, message.rate, message.values, message.alarms, rights)
        channel = self._channels.get(key)
        if channel is None:
            view = self._view(message, client.decision)
            if view is None:
                client.write(encode(self._too_many(message.id)))
                return None
            channel = self._channels[key] = Channel(key, view, message)
            metrics.CHANNELS.set(len(self._channels))
        return channel

    def _view(self, message: Subscribe, decision: Decision) -> View | None:
        assert self._world is not None
        selection = Selection(message.filter, decision, self._world.catalogue)
        try:
            return View(self._world, selection, values=message.values, alarms=message.alarms, most=self._streams)
        except TooManyError:
            return None

    def _too_many(self, id: str) -> Problem:
        what = f"the filter fits more than {self._streams} Datastreams: name Things, areas, properties or domains"
        return Problem(code="too-many", message=what, id=id)

    def _forget(self, subscription: Subscription) -> None:
        channel, client = subscription.channel, subscription.client
        if client.subscriptions.get(subscription.id) is subscription:
            del client.subscriptions[subscription.id]
            client.session.subscriptions.discard(subscription.id)
        self._ahead.discard(subscription)
        if channel is not None:
            channel.subscriptions.discard(subscription)
            if not channel.subscriptions and self._channels.pop(channel.key, None) is not None:
                if channel.timer is not None:
                    channel.timer.cancel()
                metrics.CHANNELS.set(len(self._channels))

    def _go_on(self, subscription: Subscription) -> None:
        """Resumes where that is possible now; waits while the client is ahead of this hub; else a snapshot."""
        world, channel = self._world, subscription.channel
        assert world is not None
        assert channel is not None
        if subscription.ahead is not None:
            at, deadline = subscription.ahead
            if world.position < at.values or world.alarms.position < at.alarms:
                if self._now() < deadline:
                    return
            elif channel.view.events(at, "").body is not None:
                subscription.at, subscription.told = at, str(at)
                subscription.client.write(encode(Resumed(id=subscription.id, seq=subscription.told)))
            subscription.ahead = None
            self._ahead.discard(subscription)
        self._teller.tell(subscription, {})

    def _wake(self, channel: Channel) -> None:
        """Flushes now, or when the rate allows."""
        if channel.timer is not None:
            return
        if self._now() >= channel.due:
            self._fire(channel)
        else:
            channel.timer = self._loop.call_at(channel.due, self._fire, channel)

    def _fire(self, channel: Channel) -> None:
        channel.timer = None
        assert self._world is not None
        if channel.stirred or channel.view.stirred(channel.checked):
            channel.due = self._now() + channel.gap
            self._teller.flush(channel)
        channel.stirred, channel.checked = False, self._world.position

    # Data

    def take(self, update: Update) -> None:
        """What the feed has read."""
        if update.world is not None:
            self._rebuild(update.world)
        world = self._world
        if world is None:
            return
        if update.registry is not None:
            self._registry(update)
        for seq, batch, renewed in update.batches:
            if renewed is None:
                world.values.insert(seq, batch)
            else:
                world.values.renew(seq, set(batch.datastream_id.tolist()), renewed)
            world.position = seq
        if update.alarms:
            world.alarms.apply(update.alarms)
            for channel in list(self._channels.values()):
                if channel.message.alarms:
                    self._teller.flush(channel, alarms=True)
        if update.batches or update.registry is not None:
            for channel in list(self._channels.values()):
                self._wake(channel)
        for subscription in list(self._ahead):
            self._go_on(subscription)

    def source(self, state: str) -> None:
        """`ok` or `away`: whether the database answers."""
        if state != self._source:
            self._source, self._since = state, time.time_ns() // 1000
            self._all(self._pulse())

    def _rebuild(self, world: World) -> None:
        self._world = world
        self._ready.set()
        for channel in list(self._channels.values()):
            decision = next(iter(channel.subscriptions)).client.decision
            view = self._view(channel.message, decision)
            if view is None:
                self._overflow(channel)
                continue
            channel.view, channel.snapshot, channel.stirred = view, None, True
            for subscription in channel.subscriptions:
                self._teller.anew(subscription, "rebuilt")
            self._wake(channel)

    def _registry(self, update: Update) -> None:
        world, registry = self._world, update.registry
        assert world is not None
        assert registry is not None
        catalogue = world.catalogue
        touched = catalogue.all_named(registry.names) | {entry.thing.id for entry in registry.entries}
        before = {id: catalogue.get(id) for id in touched}
        for id in touched:
            catalogue.remove(id)
        for entry in registry.entries:
            catalogue.put(entry)
        world.values.renew(world.position, registry.renewed, registry.rows)
        moved = catalogue.tree != registry.tree
        catalogue.tree = registry.tree
        different = {id for id in touched if before[id] != catalogue.get(id)}
        if moved:
            different = set(catalogue.entries) | different
        if not different:
            return
        # Which alarms fit may hang on what has changed: then only a snapshot is sure to be right.
        known = [entry for id in different for entry in (before.get(id), catalogue.get(id)) if entry is not None]
        alarmed = moved or world.alarms.on(entry.thing.name for entry in known)
        for channel in list(self._channels.values()):
            channel.stirred, channel.snapshot = True, None
            channel.view.selection.refresh()
            try:
                channel.view.registry(different, alarmed=alarmed)
            except TooManyError:
                self._overflow(channel)
                continue
            if alarmed and channel.message.alarms:
                for subscription in channel.subscriptions:
                    self._teller.anew(subscription, "registry")

    def _overflow(self, channel: Channel) -> None:
        """The view has grown too large: its subscriptions end, and are told."""
        for subscription in list(channel.subscriptions):
            self._forget(subscription)
            subscription.client.write(encode(self._too_many(subscription.id)))

    # Time

    def _pulse(self) -> Beat:
        return Beat(
            now=time.time_ns() // 1000, source=self._source, since=self._since if self._source != "ok" else None
        )

    def _all(self, message: Beat) -> None:
        frame = framed(encode(message))
        for client in self._clients:
            if client.wire.waiting() <= HIGH:
                client.wire.write(frame)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT)
            self._all(self._pulse())
            for channel in list(self._channels.values()):
                for subscription in list(channel.subscriptions):
                    if self._now() - subscription.spoken > QUIET:
                        self._advance(subscription)

    def _advance(self, subscription: Subscription) -> None:
        """A quiet subscription is told its place, so that it can go on from there after a restart of the hub."""
        if self._teller.tell(subscription, {}) or subscription.at is None or subscription.client.wire.waiting() > HIGH:
            return
        subscription.spoken = self._now()
        if str(subscription.at) != subscription.told:
            place = b',"after":"%b","seq":"%b"}' % (subscription.told.encode(), str(subscription.at).encode())
            subscription.told = str(subscription.at)
            subscription.client.write(subscription.prefix + place)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP)
            for subscription in list(self._ahead):
                self._go_on(subscription)
            for client in list(self._teller.behind):
                if not self._teller.look(client):
                    self.close(client, Close.NOT_READING, "what was sent was not read")
                    client.wire.abort()
