"""One signalling socket as the conductor sees it: a bounded outbox and a way to end it."""

import asyncio
from collections import deque
from typing import Protocol

from telehealth.messages import Bye, Message, Quality, Redirect, Room, Speaking, Welcome, encode
from telehealth.signalling import Session

MOST_WAITING = 256
"""Messages that may wait for a client that does not read; then it is sent away (`slow`), and comes back fresh."""
CONFLATE_ABOVE = 32
"""From that many waiting ones on, quality and speaking are left out: the next ones say it again."""


class Socket(Protocol):
    """A WebSocket, of any server."""

    async def receive(self) -> str | bytes | None:
        """The next frame; None when the other side is gone."""
        ...

    async def send(self, text: str) -> None:
        """One text frame; ConnectionError when the other side is gone."""
        ...

    async def close(self, code: int, reason: str) -> None:
        """Closes; safe when closed."""
        ...


class Client:
    """A socket's sending half; `reached` is the address that it came to, of this server or of a proxy."""

    def __init__(self, socket: Socket, session: Session, reached: str = "") -> None:
        self.socket = socket
        self.reached = reached
        self.session = session
        self.seat = ""
        self.dropped = 0
        self._welcomed = False
        self._out: deque[Message] = deque()
        self._ready = asyncio.Event()
        self._bye: Bye | None = None
        self._writer = asyncio.create_task(self._write(), name="signalling writer")

    def tell(self, message: Message) -> None:
        """Queues a message. An older `room` that still waits is replaced: it is the whole state."""
        if self._bye is not None:
            return
        if isinstance(message, (Welcome, Redirect)):
            self._welcomed = True
        elif not self._welcomed:
            return  # `welcome` comes first, and the whole state after it
        if isinstance(message, (Quality, Speaking)) and len(self._out) > CONFLATE_ABOVE:
            self.dropped += 1
            return
        if isinstance(message, Room):
            for waiting in self._out:
                if isinstance(waiting, Room):
                    self._out.remove(waiting)
                    break
        if len(self._out) >= MOST_WAITING:
            self.end(Bye(code="slow", message="messages wait unread: come back", retry=True))
            return
        self._out.append(message)
        self._ready.set()

    def end(self, bye: Bye) -> None:
        """Says `bye` after what is queued, and closes."""
        if self._bye is None:
            self._bye = bye
            self.session.close()
            if bye.code == "slow":
                self._out.clear()
            self._ready.set()

    @property
    def ending(self) -> bool:
        """Whether `bye` was said."""
        return self._bye is not None

    async def finish(self, seconds: float = 2.0) -> None:
        """Waits until what is queued was sent, at most `seconds`, and ends the writer."""
        if self._bye is not None:
            await asyncio.wait([self._writer], timeout=seconds)
        self._writer.cancel()

    async def _write(self) -> None:
        try:
            while True:
                await self._ready.wait()
                while self._out:
                    await self.socket.send(encode(self._out.popleft()).decode())
                if self._bye is not None:
                    await self.socket.send(encode(self._bye).decode())
                    await self.socket.close(4000 if self._bye.retry else 4001, self._bye.code)
                    return
                self._ready.clear()
        except (ConnectionError, RuntimeError):
            return  # the reader sees the end of the socket too
