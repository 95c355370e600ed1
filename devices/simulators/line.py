"""One connection to the broker that comes back by itself: a bounded queue, QoS 1, resent until acknowledged.

put -> queue (bounded; the oldest go, counted) -> in flight (WINDOW) -> PUBACK: forgotten
                  ^------------- connection lost: back to the front -----'
"""

import asyncio
import contextlib
import logging
import random
import ssl
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable

from devices.simulators import wire

log = logging.getLogger(__name__)

QUEUE_LIMIT = 50_000
"""Most messages that wait; then the oldest go, and are counted in `dropped`."""
WINDOW = 4_000
"""Most messages in flight; brokers queue more, but memory is bounded here."""
CONNECT_TIMEOUT, SILENCE_LIMIT, KEEPALIVE = 5.0, 45.0, 30
"""Seconds: to connect; without a packet from the broker until the line is held to be dead; MQTT's keep-alive."""
BACKOFF = 0.2, 15.0
"""Seconds: the first and the longest wait before connecting again, with jitter."""

Item = tuple[str, bytes, bool]
"""(topic, payload, retain)."""


class Line:
    """See the module.

    Args:
        url: of the broker.
        client_id: unique at the broker.
        subscription: a topic filter to listen to, or "".
        heard: called with (topic, payload) of what is heard.
        quiet: losing the broker is not worth a line of the log.
    """

    def __init__(
        self, url: str, client_id: str, *, subscription: str = "",
        heard: Callable[[str, bytes], Awaitable[None]] | None = None, quiet: bool = False,
    ) -> None:  # fmt: skip
        self._address = wire.address_of(url)
        self._client_id = client_id
        self._level = logging.DEBUG if quiet else logging.INFO
        self._subscription, self._heard = subscription, heard
        self._queue: deque[Item] = deque()
        self._flying: OrderedDict[int, Item] = OrderedDict()
        self._id = 0
        self._wake = asyncio.Event()
        self._transport: asyncio.WriteTransport | None = None
        self.connected = asyncio.Event()
        self.acknowledged = self.dropped = self.connections = 0

    @property
    def waiting(self) -> int:
        """Messages not acknowledged yet, queued or in flight."""
        return len(self._queue) + len(self._flying)

    def put(self, topic: str, payload: bytes, retain: bool = False) -> None:
        """Queues a message; the oldest goes when there are QUEUE_LIMIT."""
        if len(self._queue) >= QUEUE_LIMIT:
            self._queue.popleft()
            self.dropped += 1
        self._queue.append((topic, payload, retain))
        self._wake.set()

    def drop(self) -> None:
        """Cuts the connection without a word, as a lost radio link does; the line comes back by itself."""
        if self._transport is not None:
            self._transport.abort()

    async def drained(self, patience: float) -> bool:
        """Waits until all is acknowledged; False if that takes longer."""
        deadline = asyncio.get_running_loop().time() + patience
        while self.waiting:
            if asyncio.get_running_loop().time() > deadline:
                return False
            await asyncio.sleep(0.02)
        return True

    async def run(self) -> None:
        """Keeps the line up until cancelled."""
        wait = BACKOFF[0]
        while True:
            try:
                await self._session()
            except (OSError, ValueError, asyncio.IncompleteReadError, TimeoutError) as error:
                reason = str(error) or type(error).__name__
            else:
                reason = "closed by the broker"
            if self.connected.is_set():
                wait = BACKOFF[0]
            self.connected.clear()
            self._queue.extendleft(reversed(self._flying.values()))
            self._flying.clear()
            log.log(self._level, "broker away, trying again", extra={"line": self._client_id, "reason": reason})
            await asyncio.sleep(wait * random.uniform(0.5, 1.5))  # noqa: S311 - jitter, no secret
            wait = min(wait * 2, BACKOFF[1])

    async def _session(self) -> None:
        context = ssl.create_default_context() if self._address.tls else None
        opening = asyncio.open_connection(self._address.host, self._address.port, ssl=context)
        reader, writer = await asyncio.wait_for(opening, CONNECT_TIMEOUT)
        self._transport = writer.transport
        try:
            writer.write(wire.connect(self._client_id, self._address, KEEPALIVE))
            buffer = bytearray()
            async with asyncio.timeout(CONNECT_TIMEOUT):
                await self._until_connack(reader, buffer)
            if self._subscription:
                writer.write(wire.subscribe(self._subscription, 65_535))
            self.connections += 1
            self.connected.set()
            tasks = [asyncio.create_task(part) for part in (self._read(reader, buffer), self._write(writer))]
            try:
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
            except asyncio.CancelledError:
                writer.write(wire.DISCONNECT)
                raise
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            self._transport = None
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    @staticmethod
    async def _until_connack(reader: asyncio.StreamReader, buffer: bytearray) -> None:
        while True:
            data = await reader.read(4096)
            if not data:
                raise ConnectionError("closed before it answered")
            buffer += data
            for kind, _, body in wire.packets(buffer):
                if kind != wire.CONNACK or len(body) < 2:
                    raise ConnectionError("no MQTT broker")
                if body[1]:
                    raise ConnectionError(f"refused with code {body[1]}")
                return

    async def _read(self, reader: asyncio.StreamReader, buffer: bytearray) -> None:
        while True:
            for kind, flags, body in wire.packets(buffer):
                if kind == wire.PUBACK:
                    if self._flying.pop(int.from_bytes(body[:2], "big"), None) is not None:
                        self.acknowledged += 1
                    self._wake.set()
                elif kind == wire.PUBLISH and self._heard is not None:
                    await self._heard(*wire.message(flags, body))
            data = await asyncio.wait_for(reader.read(65_536), SILENCE_LIMIT)
            if not data:
                return
            buffer += data

    async def _write(self, writer: asyncio.StreamWriter) -> None:
        while True:
            out: list[bytes] = []
            while self._queue and len(self._flying) < WINDOW and len(out) < 500:
                item = self._queue.popleft()
                self._id = self._id % 65_000 + 1
                self._flying[self._id] = item
                out.append(wire.publish(item[0], item[1], self._id, item[2]))
            if out:
                writer.write(b"".join(out))
                await writer.drain()
                continue
            self._wake.clear()
            if self._queue and len(self._flying) < WINDOW:
                continue
            try:
                async with asyncio.timeout(KEEPALIVE / 2):
                    await self._wake.wait()
            except TimeoutError:
                writer.write(wire.PINGREQ)
