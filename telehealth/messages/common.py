"""What the messages of either side share: who people are, what lines carry, bounded fields."""

from enum import StrEnum
from typing import Annotated

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
