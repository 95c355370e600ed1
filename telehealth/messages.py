"""The messages of a consult's socket and data channels: tagged unions with bounded fields.

docs/consult-protocol.md explains each.

Times called `at`, `now`, `since` are Unix seconds; rates are kbit/s; shares are 0..1.
"""

from enum import StrEnum
from typing import Annotated, Any

import msgspec


class Role(StrEnum):
    """What a person is in ONE consult; comes from the token, never from the client."""

    STATION = "station"
    DOCTOR = "doctor"
    SPECIALIST = "specialist"
    INTERPRETER = "interpreter"
    OBSERVER = "observer"


class Use(StrEnum):
    """What a media line carries."""

    MICROPHONE = "microphone"
    CAMERA = "camera"
    SCREEN = "screen"
    SLOT_AUDIO = "slot-audio"
    SLOT_VIDEO = "slot-video"


class Presence(StrEnum):
    """Where a person of the consult is."""

    WAITING = "waiting"
    """In the waiting room: hears, sees and sends nothing."""
    PRESENT = "present"
    AWAY = "away"
    """Connection lost; the seat is kept until `away_until`."""


# Bounded text: msgspec refuses longer ones while decoding.
Short = Annotated[str, msgspec.Meta(max_length=64)]
Line = Annotated[str, msgspec.Meta(max_length=200)]
Mid = Annotated[str, msgspec.Meta(min_length=1, max_length=16, pattern=r"^[A-Za-z0-9_.-]+$")]
PcNumber = Annotated[int, msgspec.Meta(ge=1, le=2**53)]
SeatId = Annotated[str, msgspec.Meta(min_length=1, max_length=16, pattern=r"^[a-z0-9]+$")]
Fraction = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]


class Message(msgspec.Struct, tag_field="type", kw_only=True, omit_defaults=True):
    """A message; unknown fields are ignored, so that a newer client may say more."""


# --- from the client -------------------------------------------------------------------------------------------------


class Hello(Message, tag="hello"):
    """The first message: exactly one of `token` (a join token) and `resume` (from the last `welcome`)."""

    versions: Annotated[list[int], msgspec.Meta(min_length=1, max_length=16)]
    token: Annotated[str, msgspec.Meta(max_length=2048)] | None = None
    resume: Annotated[str, msgspec.Meta(max_length=2048)] | None = None
    client: Line = ""


class OfferLine(msgspec.Struct, frozen=True):
    """What the client means by one media line of its offer."""

    mid: Mid
    use: Use


class Offer(Message, tag="offer"):
    """A new peer connection. `pc` grows with each; the previous one lives until this one is connected."""

    pc: PcNumber
    sdp: str
    lines: Annotated[list[OfferLine], msgspec.Meta(max_length=32)]


class Candidate(Message, tag="candidate"):
    """A trickled ICE candidate of peer connection `pc`; an empty `candidate` is the end of them."""

    pc: PcNumber
    candidate: Annotated[str, msgspec.Meta(max_length=512)]
    mid: Mid | None = None


class ClosePc(Message, tag="close_pc"):
    """The client has closed peer connection `pc`."""

    pc: PcNumber


class Media(Message, tag="media"):
    """What I am sending now (a muted microphone still has its line)."""

    microphone: bool
    camera: bool
    screen: bool = False


class Receive(Message, tag="receive"):
    """What I want to receive: `video` false is the audio-only switch; `heights` says how tall each seat's picture is
    shown, in device pixels (0: not shown), by `seat` or `seat/screen`, so that a smaller layer can be chosen."""

    video: bool = True
    heights: Annotated[
        dict[Annotated[str, msgspec.Meta(max_length=32)], Annotated[int, msgspec.Meta(ge=0, le=8192)]],
        msgspec.Meta(max_length=16),
    ] = {}


class Chat(Message, tag="chat"):
    """A line of chat; `id` is the client's own, so that a repeated one is stored once."""

    id: Short
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=2_000)]


class Pointer(Message, tag="pointer"):
    """Where I point on the picture of `seat`: fractions of its width and height from its upper left corner."""

    seat: SeatId
    x: Fraction
    y: Fraction
    use: Use = Use.CAMERA
    down: bool = True


class Admit(Message, tag="admit"):
    """The lead lets `seat` in from the waiting room."""

    seat: SeatId


class Refuse(Message, tag="refuse"):
    """The lead sends `seat` away: from the waiting room, or out of the room."""

    seat: SeatId


class HandOver(Message, tag="hand_over"):
    """The lead makes `seat` (a doctor or specialist who is present) the lead."""

    seat: SeatId


class End(Message, tag="end"):
    """The lead ends the consult for all."""


class Leave(Message, tag="leave"):
    """I go, and keep no seat."""


class Stats(Message, tag="stats"):
    """What the client measured over the last seconds (getStats), for the call's quality record."""

    pc: PcNumber
    rtt_ms: Annotated[float, msgspec.Meta(ge=0, le=120_000)] | None = None
    loss_in: Fraction | None = None
    """Share of the packets towards me that were lost."""
    jitter_ms: Annotated[float, msgspec.Meta(ge=0, le=120_000)] | None = None
    kbps_in: Annotated[float, msgspec.Meta(ge=0, le=1_000_000)] | None = None
    kbps_out: Annotated[float, msgspec.Meta(ge=0, le=1_000_000)] | None = None
    freezes: Count = 0
    """Times the pictures I see froze in the period."""
    freeze_ms: Annotated[float, msgspec.Meta(ge=0, le=120_000)] = 0.0
    height_in: Annotated[int, msgspec.Meta(ge=0, le=8192)] | None = None
    fps_in: Annotated[float, msgspec.Meta(ge=0, le=240)] | None = None
    path: Annotated[str, msgspec.Meta(max_length=32)] = ""
    """The local candidate's type and protocol, as `host/udp` or `relay/tcp`."""


class Ping(Message, tag="ping"):
    """Answered at once; `at` comes back unread."""

    at: float


ClientMessage = (
    Hello | Offer | Candidate | ClosePc | Media | Receive | Chat | Pointer | Admit | Refuse | HandOver | End | Leave
    | Stats | Ping
)  # fmt: skip


# --- from the server -------------------------------------------------------------------------------------------------


class IceServer(msgspec.Struct, frozen=True, omit_defaults=True):
    """As RTCIceServer; the credential is this person's own and short-lived."""

    urls: list[str]
    username: str = ""
    credential: str = ""


class MediaState(msgspec.Struct, frozen=True):
    """What a person sends, by her own word."""

    microphone: bool = False
    camera: bool = False
    screen: bool = False


class Person(msgspec.Struct, frozen=True):
    """One seat of the consult. Name and facility come from the token."""

    seat: str
    role: Role
    name: str
    facility: str
    presence: Presence
    media: MediaState
    since: float
    """When the seat was first taken: Unix seconds."""
    away_since: float | None = None
    away_until: float | None = None
    """Until when an absent one's seat is kept: Unix seconds."""


class Room(Message, tag="room"):
    """The whole state of the consult, after every change. `rev` grows; an older one is thrown away."""

    consult: str
    rev: int
    lead: str | None
    people: list[Person]
    opened: float
    started: float | None = None
    """When two people were first in the room together: Unix seconds."""


class Welcome(Message, tag="welcome"):
    """The answer to `hello`: my seat, and the word with which to come back."""

    version: int
    seat: str
    role: Role
    resume: str
    resumed: bool
    """True when this seat was kept, with what had been said (`talk` follows)."""
    rights: list[str]
    """What I may do: names of client messages, and `send-audio`, `send-video`, `send-vitals`, `see-vitals`."""
    ice: list[IceServer]
    limits: dict[str, float]
    now: float
    """The server's clock: Unix seconds."""
    pc: int = 0
    """My peer connection that still stands at the server; 0: none, make a new one whatever yours seems to be."""
    away_seconds: float | None = None
    """How long I had been away."""
    life: int = 0
    """Which process life of the consult this is: another number than before says that its process was restarted."""


class Redirect(Message, tag="redirect"):
    """This consult lives at another process: open `url` with the same token. The token is not used up."""

    url: str


class Answer(Message, tag="answer"):
    """The server's SDP for offer `pc`, candidates included."""

    pc: int
    sdp: str


class PcState(Message, tag="pc"):
    """`connected`: the new peer connection carries the call, close the older ones. `failed`: make a new one."""

    pc: int
    state: str
    reason: str = ""


class Slot(msgspec.Struct, frozen=True):
    """Who is to be seen or heard on one of my slot lines; `seat` None: nobody."""

    mid: str
    seat: str | None
    use: Use | None


class Slots(Message, tag="slots"):
    """What every slot line of peer connection `pc` carries now. The line stays, what it carries changes."""

    pc: int
    slots: list[Slot]


class Flow(Message, tag="flow"):
    """Whether a seat's picture is being sent to me, and if not, why.

    `state`: `on` | `paused`. `reason`: `link` (my link cannot carry it; it comes back by itself), `asked` (I asked for
    audio only), `sender` (nothing comes from there), `slots` (my peer connection has too few slots).
    """

    seat: str
    use: Use
    state: str
    reason: str = ""
    layer: str = ""


class Speaking(Message, tag="speaking"):
    """Who speaks, loudest first (RFC 6464 levels over half a second)."""

    seats: list[str]


class Quality(Message, tag="quality"):
    """A seat's link, every five seconds. `level`: `good` | `fair` | `poor` | `lost`; `reason`: `loss` | `delay` |
    `jitter` | `rate` | `freezes` | `away` | ``. Rates in kbit/s, times in ms; None where not measured."""

    seat: str
    level: str
    reason: str = ""
    loss_up: float | None = None
    loss_down: float | None = None
    rtt_ms: float | None = None
    jitter_ms: float | None = None
    kbps_up: float | None = None
    kbps_down: float | None = None
    video_down: str = ""
    """`on`, `paused` or `` when no picture is due."""


class ChatLine(Message, tag="chat_line"):
    """A line of chat, in the order of `n`; those said before one came follow `welcome`."""

    n: int
    id: str
    seat: str
    name: str
    at: float
    text: str


class Pointed(Message, tag="pointed"):
    """Somebody points; forgotten by the client two seconds after the last."""

    by: str
    seat: str
    x: float
    y: float
    use: Use = Use.CAMERA
    down: bool = True


class Reconnect(Message, tag="reconnect"):
    """Please make a new peer connection now. `reason`: `draining` (this process stops; hello again), `slots` or
    `media`."""

    reason: str


class Pong(Message, tag="pong"):
    """The answer to `ping`."""

    at: float
    now: float


class Problem(Message, tag="problem"):
    """A message was refused; the call goes on. `about` is the type of the refused message where it could be read."""

    code: str
    message: str
    about: str = ""


class Bye(Message, tag="bye"):
    """The last message of a socket. `retry` true: come back with `resume` after `after` seconds."""

    code: str
    message: str
    retry: bool = False
    after: float = 0.0


ServerMessage = (
    Welcome | Redirect | Room | Answer | PcState | Slots | Flow | Speaking | Quality | ChatLine | Pointed | Reconnect
    | Pong | Problem | Bye
)  # fmt: skip

_decoder: msgspec.json.Decoder[ClientMessage] = msgspec.json.Decoder(ClientMessage)
_server_decoder: msgspec.json.Decoder[ServerMessage] = msgspec.json.Decoder(ServerMessage)
_encoder = msgspec.json.Encoder()


def encode(message: Any) -> bytes:
    """Any message of either side as one JSON text."""
    return _encoder.encode(message)


def decode_client(data: bytes | str) -> ClientMessage:
    """A client's frame.

    Raises:
        msgspec.DecodeError: not a message of this protocol.
    """
    return _decoder.decode(data)


def decode_server(data: bytes | str) -> ServerMessage:
    """For clients in Python.

    Raises:
        msgspec.DecodeError: not a message of this protocol.
    """
    return _server_decoder.decode(data)
