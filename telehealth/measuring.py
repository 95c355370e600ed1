"""A seat's link, measured every five seconds from both ends: the server's counts and what the client told (`stats`)."""

import time

from telehealth.keeping import QualityRow
from telehealth.media.peer import Peer
from telehealth.media.router import Attendee
from telehealth.messages import Presence, Stats
from telehealth.quality import Measured, grade
from telehealth.rooms import Seat

SILENT = 3.0
"""Seconds without a packet after which a link counts as lost."""


class Measuring:
    """What is remembered between two records of each seat."""

    def __init__(self) -> None:
        self._stats: dict[str, Stats] = {}
        self._bytes: dict[str, tuple[int, int, float]] = {}

    def told(self, seat: str, stats: Stats) -> None:
        """The client's own measurements, for the next record."""
        self._stats[seat] = stats

    def forget(self, seat: str) -> None:
        """The seat is gone."""
        self._stats.pop(seat, None)
        self._bytes.pop(seat, None)

    def measure(self, consult: str, seat: Seat, peer: Peer | None, attendee: Attendee | None, now: float) -> QualityRow:
        """The record of the last five seconds; what the client measured goes before what the server infers."""
        own = self._stats.pop(seat.id, None)
        loss_up = jitter = rtt = up = down = None
        silent = peer is None or peer.wire is None or now - peer.last_packet > SILENT
        if seat.presence is Presence.AWAY:
            silent = True
        paused = attendee is not None and not attendee.link.video
        video = ""
        layer = ""
        if peer is not None and peer.wire is not None:
            before = self._bytes.get(seat.id)
            counts = (peer.wire.bytes_in, peer.wire.bytes_out, now)
            self._bytes[seat.id] = counts
            if before is not None and before[0] <= counts[0] and before[1] <= counts[1] and now > before[2]:
                up = (counts[0] - before[0]) * 8 / 1000 / (now - before[2])
                down = (counts[1] - before[1]) * 8 / 1000 / (now - before[2])
            loss_up, jitter = peer.loss_up()
            rtt = None if peer.round_trip is None else peer.round_trip * 1000
            flows = list(attendee.flows.values()) if attendee is not None else []
            video = "on" if any(f[0] == "on" for f in flows) else "paused" if paused else ""
            layer = next((f[2] for f in flows if f[0] == "on"), "")
        loss_down = attendee.loss if attendee is not None and peer is not None else None
        if own is not None:
            rtt = own.rtt_ms if own.rtt_ms is not None else rtt
            loss_down = own.loss_in if own.loss_in is not None else loss_down
            jitter = own.jitter_ms if own.jitter_ms is not None else jitter
        level, reason = grade(
            Measured(
                loss_up=loss_up,
                loss_down=loss_down,
                rtt_ms=rtt,
                jitter_ms=jitter,
                kbps_down=down,
                freeze_ms=own.freeze_ms if own is not None else None,
                paused_by_link=paused,
                silent=silent,
            )
        )
        return QualityRow(
            at=time.time(), consult=consult, seat=seat.id, role=seat.role.value, facility=seat.facility,
            level=level, reason=reason, loss_up=loss_up, loss_down=loss_down, jitter_ms=jitter, rtt_ms=rtt,
            kbps_up=up, kbps_down=down, freezes=own.freezes if own is not None else None,
            freeze_ms=own.freeze_ms if own is not None else None, height=own.height_in if own is not None else None,
            layer=layer, video=video, path=own.path if own is not None else "",
        )  # fmt: skip
