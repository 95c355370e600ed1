"""The messages of a consult's socket and data channels: tagged unions with bounded fields.

docs/consult-protocol.md explains each.

Times called `at`, `now`, `since` are Unix seconds; rates are kbit/s; shares are 0..1.
"""

from typing import Any

import msgspec

from telehealth.messages.client import (
    Admit,
    Candidate,
    Chat,
    ClientMessage,
    ClosePc,
    End,
    HandOver,
    Hello,
    Leave,
    Media,
    Offer,
    OfferLine,
    Ping,
    Pointer,
    Receive,
    Refuse,
    Stats,
)
from telehealth.messages.common import (
    Message,
    Presence,
    Role,
    Use,
)
from telehealth.messages.server import (
    Answer,
    Beacon,
    Bye,
    ChatLine,
    Flow,
    IceServer,
    MediaState,
    PcState,
    Person,
    Pointed,
    Pong,
    Problem,
    Quality,
    Reconnect,
    Redirect,
    Room,
    ServerMessage,
    Slot,
    Slots,
    Speaking,
    Welcome,
)

__all__ = [
    "Admit",
    "Answer",
    "Beacon",
    "Bye",
    "Candidate",
    "Chat",
    "ChatLine",
    "ClientMessage",
    "ClosePc",
    "End",
    "Flow",
    "HandOver",
    "Hello",
    "IceServer",
    "Leave",
    "Media",
    "MediaState",
    "Message",
    "Offer",
    "OfferLine",
    "PcState",
    "Person",
    "Ping",
    "Pointed",
    "Pointer",
    "Pong",
    "Presence",
    "Problem",
    "Quality",
    "Receive",
    "Reconnect",
    "Redirect",
    "Refuse",
    "Role",
    "Room",
    "ServerMessage",
    "Slot",
    "Slots",
    "Speaking",
    "Stats",
    "Use",
    "Welcome",
    "decode_client",
    "decode_server",
    "encode",
]

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
