"""The vitals data channel: what a station publishes and permitted viewers receive, and what is refused. Pure.

A frame is one JSON text on the channel `vitals` (unordered, no retransmission): the newest number matters, and a lost
piece of a waveform stays a gap. Times are the device's own, microseconds since 1970 UTC; units are UCUM.
"""

import math
from dataclasses import dataclass, field
from typing import Annotated

import msgspec

from telehealth.messages.common import Count, Message, Short

FRAME_BYTES = 4_096
"""Largest frame of this channel; longer ones are dropped and counted."""

WAVE_SAMPLES = 500

RANGES: dict[str, tuple[float, float, str]] = {
    "heart_rate": (0.0, 350.0, "/min"),
    "respiratory_rate": (0.0, 150.0, "/min"),
    "oxygen_saturation": (0.0, 100.0, "%"),
    "systolic": (0.0, 350.0, "mm[Hg]"),
    "diastolic": (0.0, 300.0, "mm[Hg]"),
    "temperature": (10.0, 47.0, "Cel"),
}
"""Each number's possible range (not its normal one) and unit. LOINC: 8867-4, 9279-1, 2708-6, 8480-6, 8462-4, 8310-5."""


class Numbers(Message, tag="numbers"):
    """Single values that were measured at `at`; a value that is not being measured is left out."""

    subject: Short
    """A pseudonym of whom the values are of. When it changes, a viewer blanks everything it shows."""
    device: Short
    n: Count
    """Grows with every frame of this device."""
    at: Count
    values: Annotated[dict[Short, float], msgspec.Meta(min_length=1, max_length=16)]


class Wave(Message, tag="wave"):
    """A piece of the ECG: samples in microvolts (UCUM uV) at `rate` a second, the first one at `at`."""

    subject: Short
    device: Short
    n: Count
    at: Count
    lead: Short
    rate: Annotated[int, msgspec.Meta(ge=50, le=1000)]
    samples: Annotated[
        list[Annotated[int, msgspec.Meta(ge=-100_000, le=100_000)]],
        msgspec.Meta(min_length=1, max_length=WAVE_SAMPLES),
    ]


VitalsFrame = Numbers | Wave


class VitalsOut(Message, tag="vitals"):
    """A frame as it reaches a viewer: from whose seat, when the server had it (Unix µs), and the frame itself."""

    seat: str
    received: int
    frame: Numbers | Wave
    skewed: bool = False
    """True when the device's clock differs from the server's by more than `SKEW` seconds."""


SKEW = 30.0
"""Seconds by which a device's clock may differ before its frames are marked."""

_decoder: msgspec.json.Decoder[VitalsFrame] = msgspec.json.Decoder(VitalsFrame)
_out_decoder: msgspec.json.Decoder[VitalsOut] = msgspec.json.Decoder(VitalsOut)


def decode_out(data: bytes | str) -> VitalsOut:
    """What a viewer receives.

    Raises:
        msgspec.DecodeError: not a frame of this channel.
    """
    return _out_decoder.decode(data)


@dataclass(slots=True)
class Gate:
    """One publisher's frames, checked: what passes is well-formed, in range, of one subject, new, and not too much.

    `dropped` counts the refused ones by reason.
    """

    rate: float = 40.0
    """Frames a second, sustained."""
    burst: float = 80.0
    dropped: dict[str, int] = field(default_factory=dict)
    _tokens: float = 80.0
    _filled: float | None = None
    _newest: dict[tuple[str, str], int] = field(default_factory=dict)

    def take(self, data: bytes | str, now: float, unix: float) -> VitalsOut | None:
        """The frame for the viewers (its `seat` still empty), or None when it is dropped.

        Args:
            now: seconds of a monotonic clock.
            unix: the server's time, Unix seconds.
        """
        if self._filled is not None:
            self._tokens = min(self.burst, self._tokens + (now - self._filled) * self.rate)
        self._filled = now
        if self._tokens < 1.0:
            return self._drop("rate")
        self._tokens -= 1.0
        if len(data) > FRAME_BYTES:
            return self._drop("too-large")
        try:
            frame = _decoder.decode(data)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return self._drop("malformed")
        if isinstance(frame, Numbers):
            for name, value in frame.values.items():
                if name not in RANGES or not math.isfinite(value):
                    return self._drop("unknown-value")
                low, high, _ = RANGES[name]
                if not low <= value <= high:
                    return self._drop("out-of-range")
        key = (frame.device, type(frame).__name__)
        if frame.n <= self._newest.get(key, -1):
            return self._drop("repeated")
        if key not in self._newest and len(self._newest) >= 16:
            return self._drop("devices")
        self._newest[key] = frame.n
        skewed = abs(frame.at / 1e6 - unix) > SKEW
        return VitalsOut(seat="", received=int(unix * 1e6), frame=frame, skewed=skewed)

    def _drop(self, reason: str) -> VitalsOut | None:
        self.dropped[reason] = self.dropped.get(reason, 0) + 1
        return None
