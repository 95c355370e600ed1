"""The sockets of `/live` under uvicorn: its own WebSocket protocol, which also takes frames that are ready.

ASGI makes a frame anew for each socket, in a task of each socket. A hub writes ONE frame to many sockets, and must know
how much of it each has taken: so the protocol hands itself to the application, as an extension of the scope. The
handshake, what comes in, pings and closing stay uvicorn's. Measured in docs/adr/0090.
"""

from typing import Any, cast

from starlette.websockets import WebSocket
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.protocol import OPEN

from services.live.messages import LARGEST

EXTENSION = "tram.frames"

PING = 10.0
"""Seconds between pings, and until a pong must have come: a peer that is gone is noticed."""


class FrameProtocol(WebSocketsSansIOProtocol):
    """A Wire (services.live.followers)."""

    async def run_asgi(self) -> None:
        """As uvicorn's, with the extension."""
        cast(dict[str, Any], self.scope["extensions"])[EXTENSION] = self
        await super().run_asgi()

    async def send(self, message: Any) -> None:
        """As uvicorn's, but a handshake that was answered with a status is over: it would log that as an error."""
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body", False):
            self.handshake_complete = True

    def write(self, frame: bytes) -> None:
        """A whole frame, as it goes onto the wire; nothing happens once the socket is closing."""
        if self.conn.state is OPEN and not self.close_sent and not self.transport.is_closing():
            self.transport.write(frame)

    def waiting(self) -> int:
        """Bytes that the operating system has not taken yet."""
        return 0 if self.disconnected else self.transport.get_write_buffer_size()

    def close(self, code: int, reason: str) -> None:
        """The closing handshake; its answer is waited for by uvicorn's timer."""
        if self.close_sent or self.disconnected or self.transport.is_closing() or self.conn.state is not OPEN:
            return
        self.conn.send_close(code, reason)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
        self.close_timer = self.loop.call_later(self.close_timeout, self.transport.close)

    def abort(self) -> None:
        """Ends it, and what waits to be taken is dropped."""
        self.transport.abort()


UVICORN: dict[str, Any] = {
    "ws": FrameProtocol,
    "ws_max_size": LARGEST,
    "ws_ping_interval": PING,
    "ws_ping_timeout": PING,
    "ws_per_message_deflate": False,
}
"""What a uvicorn.Config needs for `/live`."""


def wire_of(websocket: WebSocket) -> FrameProtocol:
    """The socket's protocol. Raises RuntimeError: the server is not set up with UVICORN."""
    found = websocket.scope.get("extensions", {}).get(EXTENSION)
    if not isinstance(found, FrameProtocol):
        raise RuntimeError("/live needs uvicorn with services.live.wire.UVICORN")  # noqa: TRY004 - no argument is wrong
    return found
