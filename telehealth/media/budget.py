"""What one viewer's link carries, and whether it carries video at all: audio first. Pure.

Inputs are the viewer's own estimate (REMB: delay-based, so random loss does not lower it), the loss it reports, and
what is being sent. A browser's estimate stays within 1.5 times of what it receives; so while nothing is wrong the
limit grows by itself, and the estimate is taken at its word only when a queue or losses show that the link is full.
"""

from dataclasses import dataclass

MOST = 4_000_000.0
PAUSE_BELOW = 60_000.0
"""bit/s left for video below which it is stopped: a picture at less is a series of freezes."""
PAUSE_LOSS = 0.30
MUCH_LOSS = 0.1
"""Up to here loss is the air's doing and is repaired; above, the link is too full (as browsers judge it)."""
QUEUE = 0.15
"""Seconds of round trip above the shortest one that show a queue."""
FULL_REMEMBERED = 30.0
"""Seconds for which it is remembered at what rate the link was full."""
PAUSE_AFTER = 3.0
"""Seconds a link must be that bad before video stops."""
LEAST = 50_000.0
"""bit/s below which no encoder makes a picture worth sending."""
RESUME_AT = 150_000.0
"""bit/s with which video comes back."""
HOLD = 8.0
HOLD_MOST = 60.0
"""Seconds before video is tried again; doubles with each try that failed."""
SETTLED = 20.0
"""Seconds of video after which a try counts as a success."""


@dataclass(slots=True)
class Link:
    """One viewer's link. Rates in bit/s, times in seconds of a monotonic clock."""

    video: bool = True
    limit: float = MOST
    """For all video towards this viewer together."""
    _bad_since: float | None = None
    _paused_at: float = 0.0
    _resumed_at: float = 0.0
    _hold: float = HOLD
    _shortest: float = 10.0
    _full: float = 0.0
    _full_at: float = -1e9
    _updated: float | None = None

    def update(
        self,
        now: float,
        estimate: float | None,
        loss: float,
        sent: float,
        audio: float,
        trip: float | None = None,
        latest: float | None = None,
    ) -> None:
        """Every quarter of a second or so.

        Args:
            estimate: the viewer's REMB, None before the first.
            loss: share of packets lost lately, sound included, averaged so that chance does not look like a full link.
            sent: what is being sent to it in all.
            audio: the part of that which is sound.
            trip: the round trip in seconds, by reception reports.
            latest: the share lost by the newest reports alone; None: as `loss`.
        """
        latest = loss if latest is None else latest
        step = 0.0 if self._updated is None else now - self._updated
        self._updated = now
        if not self.video:
            self._consider_resuming(now, latest)
            return
        if trip is not None:
            # The shortest is forgotten slowly: a path may change for the longer.
            self._shortest = min(trip, self._shortest + 0.01 * step)
        queued = trip is not None and trip - self._shortest > QUEUE
        room = MOST if estimate is None else max(0.0, estimate * 0.92 - audio)
        # A clean report ends it: of a stream that was made small it takes long until the average is small too.
        if not queued and min(loss, latest) < MUCH_LOSS:
            # An estimate alone may be the doing of a busy processor: without a queue or losses the limit grows, but
            # gently near where the link was full a little while ago.
            near = now - self._full_at < FULL_REMEMBERED and self.limit > 0.8 * self._full
            self.limit = min(MOST, max(0.0 if near else room, self.limit * (1.03 if near else 1.25) ** step))
        elif estimate is not None and estimate < 1.15 * sent:
            self.limit = room
            self._full, self._full_at = room, now
        elif latest > PAUSE_LOSS:
            self.limit = max(PAUSE_BELOW * 0.5, self.limit * 0.5**step)
        bad = self.limit < PAUSE_BELOW or latest > PAUSE_LOSS
        if not bad:
            self._bad_since = None
            if now - self._resumed_at > SETTLED:
                self._hold = HOLD
        elif self._bad_since is None:
            self._bad_since = now
        elif now - self._bad_since >= PAUSE_AFTER:
            self.video = False
            if self._resumed_at and now - self._resumed_at < SETTLED:
                self._hold = min(HOLD_MOST, self._hold * 2)
            self._paused_at = now
            self._bad_since = None

    def _consider_resuming(self, now: float, loss: float) -> None:
        if now - self._paused_at >= self._hold and loss < 0.1:
            self.video = True
            self.limit = RESUME_AT
            self._resumed_at = now


def cap(limits: list[tuple[float, int]], most: float, idle: float) -> float:
    """What a sender with one layer may send: what the weakest of its viewers can take.

    Args:
        limits: for each viewer that is being sent this picture, its limit and how many pictures share it.
        most: no more than this in any case.
        idle: when nobody is watching.
    """
    if not limits:
        return idle
    return max(LEAST, min(most, min(limit / max(1, pictures) for limit, pictures in limits)))


def choose_layer(rates: list[float], wanted: list[bool], limit: float) -> int | None:
    """The best layer that the link carries.

    Args:
        rates: bit/s of each layer, smallest picture first; 0 = nothing comes.
        wanted: whether each is not larger than what the viewer shows (the smallest always is).
        limit: for this picture.

    Returns:
        the index of a layer, or None when none sends.
    """
    best = None
    for index, rate in enumerate(rates):
        if rate <= 0:
            continue
        if best is None or (rate <= limit and wanted[index]):
            best = index
    return best
