"""What a client says."""

from typing import Annotated

import msgspec

from telehealth.messages.common import Count, Fraction, Line, Message, Mid, PcNumber, SeatId, Short, Use


class Hello(Message, tag="hello"):
    """The first message: exactly one of `token` (a join token) and `resume` (from the last `welcome`)."""

    versions: Annotated[list[int], msgspec.Meta(min_length=1, max_length=16)]
    token: Annotated[str, msgspec.Meta(max_length=2048)] | None = None
    resume: Annotated[str, msgspec.Meta(max_length=2048)] | None = None
    nonce: Annotated[str, msgspec.Meta(min_length=16, max_length=64)] | None = None
    """A word of the client's own, by chance: with the same one it may say the same `token` again within half a minute,
    when its `welcome` did not come."""
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
    ] = msgspec.field(default_factory=dict)


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
