"""A link's grade: good, fair, poor, lost, and the one reason that weighs most. Pure.

Bounds: sound survives 20 % loss with in-band FEC and bursts of retransmission, but pictures freeze from 5 %; people
begin to talk over each other at 300 ms of round trip (ITU-T G.114: 150 ms one way).
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Five seconds of one seat's link; None = not measured. Shares, ms, kbit/s."""

    loss_up: float | None = None
    loss_down: float | None = None
    rtt_ms: float | None = None
    jitter_ms: float | None = None
    kbps_down: float | None = None
    freeze_ms: float | None = None
    paused_by_link: bool = False
    silent: bool = False
    """No packet came at all."""


# (reason, value of fair, value of poor)
_LOSS = (0.03, 0.10)
_DELAY = (250.0, 500.0)
_JITTER = (40.0, 100.0)
_FREEZE = (300.0, 1500.0)


def grade(m: Measured) -> tuple[str, str]:
    """(level, reason)."""
    if m.silent:
        return "lost", "away"
    worst = (0, "")
    loss = max((x for x in (m.loss_up, m.loss_down) if x is not None), default=None)
    for value, (fair, poor), reason in (
        (loss, _LOSS, "loss"),
        (m.rtt_ms, _DELAY, "delay"),
        (m.jitter_ms, _JITTER, "jitter"),
        (m.freeze_ms, _FREEZE, "freezes"),
    ):
        level = 0 if value is None or value < fair else 1 if value < poor else 2
        if level > worst[0]:
            worst = (level, reason)
    if m.paused_by_link:
        return "poor", "rate"
    return ("good", "fair", "poor")[worst[0]], worst[1]
