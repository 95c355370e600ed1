"""Many viewers of `/live` in one process, as cheap as they can be: sockets, frames and the values in them, no more.

    python -m bench.live_viewers   reads one JSON line {"ports", "cookie", "viewers": [[thing, …], …], "rate", "values"}

Prints {"open": n} when every viewer has its snapshot; then for each line on its standard input a report of what came
since the last: events, frames, bytes, its own CPU seconds, latencies (phenomenonTime to arrival, ms) at some quantiles
of values and of alarms that were raised, and how many were closed.
"""

import asyncio
import base64
import contextlib
import json
import os
import sys
import time
from datetime import datetime
from typing import Any

import msgspec
import numpy as np
import uvloop


class _Change(msgspec.Struct):
    kind: str
    time: datetime


class _Events(msgspec.Struct):
    op: str
    values: list[tuple[Any, ...]] = []
    alarms: list[_Change] = []


_decode = msgspec.json.Decoder(_Events).decode


class Count:
    """What came since the last report."""

    def __init__(self) -> None:
        self.ready = self.closed = 0
        self.clear()

    def clear(self) -> None:
        self.events = self.frames = self.bytes = 0
        self.late: list[float] = []
        self.alarms_late: list[float] = []
        self.cpu = time.process_time()

    def report(self) -> dict[str, Any]:
        quantiles = _quantiles("", self.late) | _quantiles("alarms_", self.alarms_late)
        made = {
            "events": self.events, "frames": self.frames, "bytes": self.bytes, "closed": self.closed,
            "raised": len(self.alarms_late), "cpu": time.process_time() - self.cpu, **quantiles,
        }  # fmt: skip
        self.clear()
        return made


def _quantiles(of: str, late: list[float]) -> dict[str, float]:
    """In milliseconds."""
    values = np.array(late or [0.0]) / 1000
    return {of + name: round(float(np.quantile(values, q)), 1) for name, q in (("p50", 0.5), ("p99", 0.99), ("max", 1))}


class Viewer(asyncio.Protocol):
    """One socket. Frames of a server are not masked: two or four or ten bytes of head."""

    def __init__(self, count: Count, port: int, cookie: str, message: bytes) -> None:
        self._count, self._port, self._cookie, self._message = count, port, cookie, message
        self._rest = b""
        self._open = False

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        key = base64.b64encode(os.urandom(16)).decode()
        transport.write(
            f"GET /live HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
            f"Cookie: tram_session={self._cookie}\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        data = self._rest + data
        if not self._open:
            head, found, data = data.partition(b"\r\n\r\n")
            if not found:
                self._rest = head
                return
            assert b" 101 " in head, head[:200]
            self._open = True
            self._transport.write(_masked(0x81, self._message))
        place, now = 0, time.time() * 1e6
        while len(data) - place >= 2:
            length, start = data[place + 1], place + 2
            if length == 126:
                length, start = int.from_bytes(data[place + 2 : place + 4]), place + 4
            elif length == 127:
                length, start = int.from_bytes(data[place + 2 : place + 10]), place + 10
            if len(data) < start + length or (start > place + 2 and len(data) < start):
                break
            self._frame(data[place] & 15, data[start : start + length], now)
            place = start + length
        self._rest = data[place:]

    def _frame(self, opcode: int, payload: bytes, now: float) -> None:
        count = self._count
        if opcode == 9:
            self._transport.write(_masked(0x8A, payload))
        elif opcode == 1:
            if payload.startswith(b'{"op":"snapshot"'):
                count.ready += 1
            elif payload.startswith(b'{"op":"events"'):
                events = _decode(payload)
                values = events.values
                count.frames += 1
                count.alarms_late += [now - c.time.timestamp() * 1e6 for c in events.alarms if c.kind == "raised"]
                count.events += len(values)
                count.bytes += len(payload)
                count.late += [now - value[1] for value in values]

    def connection_lost(self, error: Exception | None) -> None:
        self._count.closed += 1


def _masked(head: int, payload: bytes) -> bytes:
    """A client's frame under the mask 0, which is allowed to be drawn."""
    size = bytes([0x80 | len(payload)]) if len(payload) < 126 else b"\xfe" + len(payload).to_bytes(2)
    return bytes([head]) + size + b"\0\0\0\0" + payload


async def main() -> None:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=1 << 26)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    asked = json.loads(await reader.readline())
    count = Count()
    for n, things in enumerate(asked["viewers"]):
        port = asked["ports"][n % len(asked["ports"])]
        message = {
            "op": "subscribe", "id": "v", "filter": {"things": things} if things else {}, "rate": asked["rate"],
            "values": asked["values"],
        }  # fmt: skip
        viewer = Viewer(count, port, asked["cookie"], json.dumps(message).encode())
        await loop.create_connection(lambda viewer=viewer: viewer, "127.0.0.1", port)  # type: ignore[misc]
    async with asyncio.timeout(60):
        while count.ready < len(asked["viewers"]):
            await asyncio.sleep(0.02)
    print(json.dumps({"open": count.ready}), flush=True)
    count.clear()
    while await reader.readline():
        print(json.dumps(count.report()), flush=True)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        uvloop.run(main())
