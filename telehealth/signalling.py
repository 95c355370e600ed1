"""The consult's signalling protocol, sans-IO: bytes in, typed messages and refusals out.

docs/consult-protocol.md is its text, telehealth/messages.py has its messages.

    WebSocket text frame -> Session.receive() -> ClientMessage
    ServerMessage        -> encode()          -> WebSocket text frame

Nothing here reads a clock or a socket: `now` is seconds of a monotonic clock, handed in. Whoever owns the socket feeds
every frame to one `Session` a socket, and closes the socket when a `Refused` says `fatal`.
"""

from dataclasses import dataclass, field
from enum import StrEnum

import msgspec

from telehealth.messages import Bye, Candidate, ClientMessage, Hello, Offer, Problem, decode_client
from tram.errors import TramError

VERSIONS = (1,)
"""Protocol versions this server speaks, best first."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Every bound of the protocol; `welcome` tells the client those that concern it."""

    frame_bytes: int = 131_072
    """One WebSocket frame of the client."""
    sdp_bytes: int = 98_304
    """One offer's SDP (a browser's offer for six people is some 30 kB)."""
    sdp_lines: int = 32
    """Media lines (`m=`) of one offer."""
    candidates: int = 64
    """Trickled candidates of one peer connection."""
    offers: int = 12
    """Offers in `offers_window` seconds: a link that flaps every five seconds passes."""
    offers_window: float = 60.0
    messages: float = 30.0
    """Messages a second, sustained."""
    burst: int = 120
    """Messages at once, above the sustained rate."""
    hello_seconds: float = 5.0
    """From the open socket to `hello`."""
    idle_seconds: float = 8.0
    """Without any frame the client counts as gone; it pings every `ping_seconds`."""
    ping_seconds: float = 2.0
    chat_chars: int = 2_000
    strikes: int = 20
    """Messages refused on one socket before it is closed."""


class Refused(TramError):
    """A frame this session does not take. `fatal`: answer `bye` and close; otherwise answer `problem` and go on."""

    def __init__(self, code: str, message: str, *, fatal: bool = False, about: str = "") -> None:
        super().__init__(message, code=code)
        self.fatal = fatal
        self.about = about

    def answer(self) -> Problem | Bye:
        """What the client is told."""
        if self.fatal:
            return Bye(code=self.code, message=str(self))
        return Problem(code=self.code, message=str(self), about=self.about)


class Stage(StrEnum):
    """Where one socket is."""

    OPENED = "opened"
    HELLO = "hello"
    """`hello` was taken and is being judged."""
    JOINED = "joined"
    CLOSED = "closed"


@dataclass(slots=True)
class Session:
    """One socket's side of the protocol: what may come next, how much, how fast.

    Args:
        now: seconds of the caller's monotonic clock, here and in every call.
    """

    now: float
    limits: Limits = field(default_factory=Limits)
    stage: Stage = Stage.OPENED
    version: int = 0
    pc: int = 0
    """The newest peer connection's number."""
    _opened: float = field(init=False)
    _heard: float = field(init=False)
    _tokens: float = field(init=False)
    _filled: float = field(init=False)
    _offers: list[float] = field(default_factory=list)
    _candidates: int = 0
    _strikes: int = 0

    def __post_init__(self) -> None:
        self._opened = self._heard = self._filled = self.now
        self._tokens = float(self.limits.burst)

    @property
    def deadline(self) -> float:
        """When `overdue` may become true, so that the caller can sleep until then."""
        if self.stage in (Stage.OPENED, Stage.HELLO):
            return self._opened + self.limits.hello_seconds
        return self._heard + self.limits.idle_seconds

    def overdue(self, now: float) -> bool:
        """No `hello` in time, or nothing heard for too long: close the socket."""
        return self.stage is not Stage.HELLO and self.stage is not Stage.CLOSED and now >= self.deadline

    def joined(self) -> None:
        """The caller accepted the `hello`."""
        self.stage = Stage.JOINED

    def close(self) -> None:
        """Nothing more is taken."""
        self.stage = Stage.CLOSED

    def receive(self, data: bytes | str, now: float) -> ClientMessage:
        """One frame to one message.

        Raises:
            Refused: the frame was not taken; its `answer()` goes to the client, and the socket closes when `fatal`.
        """
        if self.stage is Stage.CLOSED:
            raise Refused("closed", "this socket is closed", fatal=True)
        self._heard = now
        size = len(data) if isinstance(data, bytes) else len(data.encode("utf-8", "surrogatepass"))
        if size > self.limits.frame_bytes:
            raise Refused("too-large", f"a frame may have {self.limits.frame_bytes} bytes", fatal=True)
        self._take_rate(now)
        try:
            message = decode_client(data)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            raise self._strike("malformed", f"not a message of this protocol: {error}") from None
        about = str(message.__struct_config__.tag)
        if self.stage is Stage.OPENED and not isinstance(message, Hello):
            raise Refused("order", "the first message must be hello", fatal=True, about=about)
        if self.stage is Stage.HELLO:
            raise Refused("order", "wait for welcome before the next message", fatal=True, about=about)
        if isinstance(message, Hello):
            return self._hello(message)
        if isinstance(message, Offer):
            self._offer(message, now)
        elif isinstance(message, Candidate):
            self._candidate(message)
        return message

    def _hello(self, message: Hello) -> Hello:
        if self.stage is not Stage.OPENED:
            raise self._strike("order", "hello was said already", about="hello")
        common = [v for v in VERSIONS if v in message.versions]
        if not common:
            spoken = ", ".join(str(v) for v in VERSIONS)
            raise Refused("version", f"this server speaks version {spoken}: reload the page", fatal=True, about="hello")
        if (message.token is None) == (message.resume is None):
            raise Refused("malformed", "hello carries either token or resume", fatal=True, about="hello")
        self.version = common[0]
        self.stage = Stage.HELLO
        return message

    def _offer(self, message: Offer, now: float) -> None:
        if len(message.sdp) > self.limits.sdp_bytes:
            raise self._strike("too-large", f"an offer may have {self.limits.sdp_bytes} bytes", about="offer")
        if message.sdp.count("\nm=") > self.limits.sdp_lines:
            raise self._strike("too-large", f"an offer may have {self.limits.sdp_lines} media lines", about="offer")
        if message.pc <= self.pc:
            raise self._strike("order", f"pc must grow: {message.pc} after {self.pc}", about="offer")
        if len({line.mid for line in message.lines}) != len(message.lines):
            raise self._strike("malformed", "a mid stands twice in lines", about="offer")
        self._offers = [t for t in self._offers if t > now - self.limits.offers_window]
        if len(self._offers) >= self.limits.offers:
            raise self._strike("rate", "too many offers: wait before the next", about="offer")
        self._offers.append(now)
        self._candidates = 0
        self.pc = message.pc

    def _candidate(self, message: Candidate) -> None:
        if message.pc > self.pc:
            raise self._strike("order", f"a candidate of pc {message.pc} before its offer", about="candidate")
        self._candidates += 1
        if self._candidates > self.limits.candidates:
            raise self._strike(
                "rate", f"a peer connection may have {self.limits.candidates} candidates", about="candidate"
            )

    def _take_rate(self, now: float) -> None:
        self._tokens = min(float(self.limits.burst), self._tokens + (now - self._filled) * self.limits.messages)
        self._filled = now
        if self._tokens < 1.0:
            raise Refused("rate", f"more than {self.limits.messages:g} messages a second", fatal=True)
        self._tokens -= 1.0

    def _strike(self, code: str, message: str, about: str = "") -> Refused:
        self._strikes += 1
        return Refused(code, message, fatal=self._strikes > self.limits.strikes, about=about)
