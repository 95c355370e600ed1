"""A cheap MQTT 3.1.1 publisher for loads: packets made beforehand, one send for hundreds, every PUBACK counted."""

import socket
import time
from collections.abc import Iterable, Sequence

CONNECT_TIMEOUT = 10.0
WINDOW = 20_000  # messages sent and not yet acknowledged, at most; identifiers have 16 bits


def remaining_length(n: int) -> bytes:
    """MQTT 3.1.1 section 2.2.3."""
    out = bytearray()
    while True:
        n, low = n >> 7, n & 127
        out.append(low | 128 if n else low)
        if not n:
            return bytes(out)


def packet(topic: bytes, payload: bytes, mid: int, qos: int = 1) -> bytes:
    """A PUBLISH packet."""
    identifier = mid.to_bytes(2) if qos else b""
    body = len(topic).to_bytes(2) + topic + identifier + payload
    return bytes([0x30 | qos << 1]) + remaining_length(len(body)) + body


class Publisher:
    """One connection that publishes at QoS 1.

    Attributes:
        sent, acknowledged: messages, ever.
    """

    def __init__(self, port: int, client_id: str = "load") -> None:
        self.sent = self.acknowledged = 0
        self._socket = socket.create_connection(("127.0.0.1", port), CONNECT_TIMEOUT)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        name = client_id.encode()
        body = b"\x00\x04MQTT\x04\x02\x00\x00" + len(name).to_bytes(2) + name
        self._socket.sendall(b"\x10" + remaining_length(len(body)) + body)
        answer = self._socket.recv(4)
        if answer != b"\x20\x02\x00\x00":
            raise ConnectionError(f"the broker answers {answer!r}")
        self._rest = b""

    def send(self, messages: Sequence[tuple[bytes, bytes]]) -> None:
        """Publishes (topic, payload) pairs; waits for PUBACKs while WINDOW are out."""
        packets = [packet(t, p, (self.sent + i) % 65_535 + 1) for i, (t, p) in enumerate(messages)]
        self._socket.sendall(b"".join(packets))
        self.sent += len(packets)
        self._acknowledgements(0.0)
        while self.sent - self.acknowledged > WINDOW:
            self._acknowledgements(CONNECT_TIMEOUT)

    def settle(self, timeout: float = 60.0) -> None:
        """Waits until all that was sent is acknowledged."""
        deadline = time.monotonic() + timeout
        while self.acknowledged < self.sent:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"{self.sent - self.acknowledged} messages were not acknowledged")
            self._acknowledgements(left)

    def stream(self, messages: Iterable[tuple[bytes, bytes]], rate: float, step: float = 0.01) -> None:
        """Publishes at `rate` messages a second, `step` seconds' worth at a time."""
        start, due, batch = time.perf_counter(), 0, list[tuple[bytes, bytes]]()
        per = max(1, round(rate * step))
        for message in messages:
            batch.append(message)
            if len(batch) == per:
                due += per
                self.send(batch)
                batch = []
                ahead = start + due / rate - time.perf_counter()
                if ahead > 0:
                    time.sleep(ahead)
        if batch:
            self.send(batch)

    def close(self) -> None:
        """Disconnects."""
        self._socket.sendall(b"\xe0\x00")
        self._socket.close()

    def _acknowledgements(self, timeout: float) -> None:
        self._socket.settimeout(timeout)
        try:
            data = self._socket.recv(1 << 16)
        except (BlockingIOError, TimeoutError):
            return
        finally:
            self._socket.settimeout(CONNECT_TIMEOUT)
        if not data:
            raise ConnectionError("the broker closed the connection")
        self._rest += data
        whole = len(self._rest) // 4
        for i in range(0, 4 * whole, 4):
            if self._rest[i] != 0x40:
                raise ConnectionError(f"not a PUBACK: {self._rest[i : i + 4]!r}")
        self._rest = self._rest[4 * whole :]
        self.acknowledged += whole
