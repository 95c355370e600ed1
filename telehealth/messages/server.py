"""What the server says."""

import msgspec

from telehealth.messages.common import Message, Presence, Role, Use


class IceServer(msgspec.Struct, frozen=True, omit_defaults=True):
    """As RTCIceServer; the credential is this person's own and short-lived."""

    urls: list[str]
    username: str = ""
    credential: str = ""


class Beacon(msgspec.Struct, frozen=True):
    """Where connectivity checks are answered and nothing else, by ICE's user name fragment and password: a page whose
    link is away learns from it that the link is back."""

    fragment: str
    password: str
    candidates: list[str]


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
    beacon: Beacon | None = None
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
