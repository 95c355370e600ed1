"""What was received and is not acknowledged yet: bounded by messages and by bytes; a batch is drawn by rows and by age.

When it is full the connection is not read any more: TCP and the broker's in-flight window hold the rest, nothing is
dropped. A message counts as held until its batch is committed, so the limits bound all that a stopped database can
pile up here. Messages wait in the form they arrived in, bytes: nothing is smaller, and nothing is decoded twice.
"""

import threading
from collections import deque
from time import monotonic

from gateway.framing import Chunk


class Buffer:
    """Between the connection's thread, which puts, and the pipeline's, which takes and releases.

    Args:
        messages: most messages held; a chunk that is read while there is room may go over it.
        size: most bytes held, in the same way.
    """

    def __init__(self, messages: int, size: int) -> None:
        self.limit_messages = messages
        self.limit_bytes = size
        self.messages = 0
        self.bytes = 0
        self.waiting = 0  # messages put and not taken yet
        self.put_messages = self.put_bytes = 0  # ever
        self.rows_a_message = 1.0  # of late, so that a batch of packs closes as early as one of single values
        self._chunks: deque[tuple[float, Chunk]] = deque()
        self._change = threading.Condition()
        self._wanted = 1  # waiting messages at which the taker wants to be woken

    def put(self, chunk: Chunk) -> None:
        """Takes a chunk in. Never blocks: whoever reads asks `wait_for_room` first."""
        with self._change:
            self._chunks.append((monotonic(), chunk))
            self.messages += len(chunk)
            self.bytes += chunk.size
            self.waiting += len(chunk)
            self.put_messages += len(chunk)
            self.put_bytes += chunk.size
            if self.waiting >= self._wanted or not self._has_room():
                self._change.notify_all()

    def wait_for_room(self, timeout: float) -> bool:
        """Whether another chunk may be read, waiting up to `timeout` seconds for it."""
        if self._has_room():
            return True
        with self._change:
            return self._change.wait_for(self._has_room, timeout)

    def wait_for_batch(self, rows: int, wait: float, timeout: float) -> bool:
        """Waits until a batch is due: about `rows` rows, or something `wait` seconds old, or the buffer full.

        Returns False when nothing at all came within `timeout` seconds.
        """
        with self._change:
            self._wanted = 1
            if not self._change.wait_for(lambda: self._chunks, timeout):
                return False
            due = self._chunks[0][0] + wait
            self._wanted = max(1, int(rows / max(self.rows_a_message, 1e-3)))
            self._change.wait_for(
                lambda: self.waiting >= self._wanted or not self._has_room(), max(0.0, due - monotonic())
            )
            return True

    def take(self) -> Chunk | None:
        """The oldest waiting chunk, or None. It is still held until `release`."""
        with self._change:
            if not self._chunks:
                return None
            chunk = self._chunks.popleft()[1]
            self.waiting -= len(chunk)
            return chunk

    def release(self, chunks: list[Chunk]) -> None:
        """Forgets chunks that are settled: committed, or given up because the process ends."""
        with self._change:
            for chunk in chunks:
                self.messages -= len(chunk)
                self.bytes -= chunk.size
            self._change.notify_all()

    def wake(self) -> None:
        """Ends nobody's wait by itself, but lets waiters look again (at the end of the process)."""
        with self._change:
            self._change.notify_all()

    def _has_room(self) -> bool:
        return self.messages < self.limit_messages and self.bytes < self.limit_bytes
