"""One client's side of the conversation, sans I/O: what came in, judged. Pure.

text or bytes -> Session.receive -> a message | Refused (the rest goes on) | Ended (close the socket)
"""

from dataclasses import dataclass

import msgspec

from services.live.messages import LARGEST, ClientMessage, Close, Subscribe, decode_client

SUBSCRIPTIONS = 16
BURST = 40.0
"""Messages that may come at once."""
PER_SECOND = 5.0
"""And how many a second in the long run."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The socket is closed, and why."""

    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class Refused:
    """A message is answered with an error."""

    code: str
    message: str
    id: str


class Session:
    """Judges the messages of one socket.

    Args:
        now: seconds of a clock that never jumps, as for `receive`.
    """

    def __init__(self, now: float) -> None:
        self.subscriptions: set[str] = set()
        self._left, self._at = BURST, now

    def receive(self, data: str | bytes, now: float) -> ClientMessage | Refused | Ended:
        """One message of the client; `subscriptions` is kept by the caller."""
        self._left = min(BURST, self._left + (now - self._at) * PER_SECOND)
        self._at = now
        if self._left < 1.0:
            return Ended(Close.FLOODING, f"more than {PER_SECOND:g} messages a second")
        self._left -= 1.0
        if isinstance(data, bytes):
            return Ended(Close.MALFORMED, "messages are text frames of JSON")
        if len(data) > LARGEST:
            return Ended(1009, f"a message has at most {LARGEST} bytes")
        try:
            message = decode_client(data)
        except (msgspec.MsgspecError, RecursionError, UnicodeEncodeError) as error:
            # RFC 6455 section 5.5: a close reason has at most 123 bytes.
            return Ended(Close.MALFORMED, f"{error}".encode()[:120].decode(errors="ignore"))
        if (
            isinstance(message, Subscribe)
            and message.id not in self.subscriptions
            and len(self.subscriptions) >= SUBSCRIPTIONS
        ):
            return Refused("subscriptions", f"a socket has at most {SUBSCRIPTIONS} subscriptions", message.id)
        return message
