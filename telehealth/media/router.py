"""One consult's media: who is shown to whom, on which slot, in which layer, and what each link carries.

attend/withdraw, use (a peer connected), receive (what a viewer wants)  ->  assign: slots and layers
every quarter second: links (audio first), layers, senders' caps, flows, who speaks
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from telehealth.media.budget import Link, cap, choose_layer
from telehealth.media.inbound import SILENT, Layer, Uplink
from telehealth.media.outbound import Downlink
from telehealth.media.peer import Peer
from telehealth.messages import Flow, Message, Receive, Slot, Slots, Speaking, Use

MOST_CAMERA = 2_500_000.0
MOST_SCREEN = 2_500_000.0
UNWATCHED = 100_000.0
"""bit/s a picture may have that nobody is shown: a weak uplink has better use for it. Not while its sender is alone:
whoever comes first shall not find the estimate of the path at the bottom, from where it takes half a minute up."""
LOUD = 45.0
"""-dBov: louder is speech."""
SPEECH_HOLD = 0.6
LEAD = 12.0
"""dB by which another must be louder to become the first of those who speak."""
LAYER_HEIGHTS = {2: (360, 720), 3: (180, 360, 720)}
"""Heights of the layers the page asks its browser for, smallest first: a viewer who shows less gets less."""
RID_ORDER = {"l": 0, "q": 0, "m": 1, "h": 2, "f": 2}


@dataclass(slots=True)
class Attendee:
    """One seat's media."""

    seat: str
    peer: Peer | None = None
    wants: Receive = field(default_factory=Receive)
    link: Link = field(default_factory=Link)
    sent: int = 0
    """Bytes of all slots at the last tick, and of the sound among them."""
    sent_audio: int = 0
    sent_bps: float = 0.0
    audio_bps: float = 0.0
    slots: list[Slot] = field(default_factory=list)
    flows: dict[tuple[str, Use], tuple[str, str, str]] = field(default_factory=dict)
    loud_at: float = -1e9
    loss: float = 0.0


class MediaRoom:
    """One consult's forwarding. `tell` hands a message to a seat's socket."""

    def __init__(self, tell: Callable[[str, Message], None]) -> None:
        self._tell = tell
        self.attendees: dict[str, Attendee] = {}
        self._speaking: list[str] = []
        self._ticked = time.monotonic()
        self._ticks = 0

    # --- coming and going ---

    def use(self, seat: str, peer: Peer) -> Peer | None:
        """From now on this peer carries the seat's media; returns the one it replaces."""
        attendee = self.attendees.setdefault(seat, Attendee(seat))
        previous = attendee.peer
        if previous is not None:
            for downlink in previous.downlinks:
                downlink.close()  # one picture is enough for a link that is just changing
        attendee.peer = peer
        attendee.slots = []
        attendee.flows.clear()
        attendee.link = Link()
        attendee.sent = attendee.sent_audio = 0
        loop = asyncio.get_running_loop()
        for uplink in peer.uplinks.values():
            # Its viewers are told at once, not at the next look: they show nothing until then.
            uplink.came = lambda: loop.call_soon(self.assign)
        self.assign()
        return previous

    def withdraw(self, seat: str) -> Peer | None:
        """The seat is gone from the media; returns its peer, for closing."""
        attendee = self.attendees.pop(seat, None)
        if attendee is None:
            return None
        self.assign()
        return attendee.peer

    def lost(self, seat: str, peer: Peer) -> None:
        """A seat's peer failed."""
        attendee = self.attendees.get(seat)
        if attendee is not None and attendee.peer is peer:
            attendee.peer = None
            self.assign()

    def receive(self, seat: str, wants: Receive) -> None:
        """What a viewer wants to be sent."""
        attendee = self.attendees.setdefault(seat, Attendee(seat))
        attendee.wants = wants
        self.assign()

    def uplink(self, seat: str, use: Use) -> Uplink | None:
        """What a seat sends on one line now."""
        attendee = self.attendees.get(seat)
        return None if attendee is None or attendee.peer is None else attendee.peer.uplinks.get(use)

    # --- who is shown to whom ---

    def assign(self) -> None:
        """Gives every viewer's slots their sources; says what changed."""
        now = time.monotonic()
        for viewer in list(self.attendees.values()):
            if viewer.peer is not None:
                self._assign(viewer, viewer.peer, now)

    def _assign(self, viewer: Attendee, peer: Peer, now: float) -> None:
        others = [a for a in self.attendees.values() if a is not viewer and a.peer is not None]
        audio = [d for d in peer.downlinks if d.kind == "audio"]
        video = [d for d in peer.downlinks if d.kind == "video"]
        before = {slot.mid: (slot.seat, slot.use) for slot in viewer.slots}
        heard = _place(audio, [(a.seat, Use.MICROPHONE) for a in others if Use.MICROPHONE in _up(a)], before)
        # A person keeps one index for sound and picture: the browser plays the two lines of a pair in step.
        index = {source[0]: d.index for d, source in heard.items() if source is not None}
        cameras = [(a.seat, Use.CAMERA) for a in others if Use.CAMERA in _up(a)]
        screens = [(a.seat, Use.SCREEN) for a in others if self._live(a, Use.SCREEN, now)]
        seen = _place(video, screens + cameras, before, index)
        slots = []
        for downlink in peer.downlinks:
            source = (heard if downlink.kind == "audio" else seen).get(downlink)
            slots.append(Slot(mid=downlink.mid, seat=source[0] if source else None, use=source[1] if source else None))
            layer, flow = self._choose(viewer, downlink, source, len([s for s in seen.values() if s]), now)
            downlink.show(layer, now, self._burst(viewer))
            if source is not None and downlink.kind == "video":
                self._flow(viewer, source, flow)
        for source in set(screens + cameras) - {s for s in seen.values() if s}:
            self._flow(viewer, source, ("paused", "slots", ""))
        for source in set(viewer.flows) - set(screens + cameras):
            del viewer.flows[source]
        if slots != viewer.slots:
            viewer.slots = slots
            self._tell(viewer.seat, Slots(pc=peer.number, slots=slots))

    def _choose(
        self, viewer: Attendee, downlink: Downlink, source: tuple[str, Use] | None, pictures: int, now: float
    ) -> tuple[Layer | None, tuple[str, str, str]]:
        """The layer a slot shows (None: nothing), and what the viewer is told of it."""
        uplink = self.uplink(*source) if source is not None else None
        if source is None or uplink is None:
            return None, ("paused", "sender", "")
        layers = _ordered(uplink)
        if downlink.kind == "audio":
            return layers[0], ("on", "", "")
        if not downlink.can_show(layers[0]):
            return None, ("paused", "codec", "")
        height = viewer.wants.heights.get(source[0] if source[1] is Use.CAMERA else f"{source[0]}/screen")
        if not viewer.wants.video or height == 0:
            return None, ("paused", "asked", "")
        if not viewer.link.video:
            return None, ("paused", "link", "")
        if not self._live(self.attendees[source[0]], source[1], now):
            # Stays connected to its source, so that the first packet is shown at once.
            return layers[0] if downlink.source is None else downlink.source, ("paused", "sender", "")
        if len(layers) == 1:
            return layers[0], ("on", "", "")
        rates = [layer.rate for layer in layers]
        fits = [n == 0 or height is None or LAYER_HEIGHTS[len(layers)][n - 1] < height for n in range(len(layers))]
        chosen = choose_layer(rates, fits, viewer.link.limit / max(1, pictures))
        layer = layers[chosen or 0]
        return layer, ("on", "", layer.rid)

    def _live(self, attendee: Attendee, use: Use, now: float) -> bool:
        uplink = attendee.peer.uplinks.get(use) if attendee.peer is not None else None
        return uplink is not None and any(now - layer.last_packet < SILENT for layer in uplink.layers.values())

    def _burst(self, viewer: Attendee) -> int:
        """A group of pictures may be played at once when the link carries it in about a second."""
        estimate = viewer.peer.estimate if viewer.peer is not None else None
        return 150_000 if estimate is None else int(min(400_000, estimate / 8))

    def _flow(self, viewer: Attendee, source: tuple[str, Use], flow: tuple[str, str, str]) -> None:
        if viewer.flows.get(source) != flow:
            viewer.flows[source] = flow
            self._tell(viewer.seat, Flow(seat=source[0], use=source[1], state=flow[0], reason=flow[1], layer=flow[2]))

    # --- four times a second ---

    def tick(self) -> None:
        """Looks at every link and every sender."""
        now = time.monotonic()
        step, self._ticked = max(0.05, now - self._ticked), now
        for attendee in self.attendees.values():
            if attendee.peer is not None:
                self._measure(attendee, attendee.peer, now, step)
        self._ticks += 1
        if self._ticks % 2 == 0:
            self.assign()
        for attendee in self.attendees.values():
            if attendee.peer is not None:
                self._cap(attendee, attendee.peer)
        self._who_speaks(now)

    def _measure(self, attendee: Attendee, peer: Peer, now: float, step: float) -> None:
        for uplink in peer.uplinks.values():
            for layer in uplink.layers.values():
                layer.measure(step)
        total = sum(d.bytes + 40 * d.packets for d in peer.downlinks)
        audio = sum(d.bytes + 40 * d.packets for d in peer.downlinks if d.kind == "audio")
        share = min(1.0, step / 0.5)
        attendee.sent_bps += ((total - attendee.sent) * 8 / step - attendee.sent_bps) * share
        attendee.audio_bps += ((audio - attendee.sent_audio) * 8 / step - attendee.audio_bps) * share
        attendee.sent, attendee.sent_audio = total, audio
        shown = [(d.losses, 1 if d.kind == "audio" else 3) for d in peer.downlinks if d.layer is not None]
        weight = sum(n for _, n in shown) or 1
        attendee.loss = sum(of.average * n for of, n in shown) / weight
        latest = sum(of.latest * n for of, n in shown) / weight
        attendee.link.update(
            now, peer.estimate, attendee.loss, attendee.sent_bps, attendee.audio_bps, peer.round_trip, latest
        )

    def _cap(self, sender: Attendee, peer: Peer) -> None:
        total = 0.0
        alone = all(a.peer is None for a in self.attendees.values() if a is not sender)
        for use, most in ((Use.CAMERA, MOST_CAMERA), (Use.SCREEN, MOST_SCREEN)):
            uplink = peer.uplinks.get(use)
            if uplink is None:
                continue
            if len(uplink.layers) > 1:
                total += most  # each viewer is given the layer that fits; the sender's own link is its only bound
                continue
            layer = next(iter(uplink.layers.values()))
            viewers = []
            for viewer in self.attendees.values():
                if viewer.peer is None:
                    continue
                shown = [d for d in viewer.peer.downlinks if d.kind == "video" and d.source is not None]
                if any(d.source is layer for d in shown):
                    viewers.append((viewer.link.limit, len(shown)))
            if use is Use.CAMERA or layer.rate > 0:
                total += cap(viewers, most, most if alone else UNWATCHED)
        peer.cap = total + 64_000 if total else 0.0  # and the sound, which the browser counts in

    def _who_speaks(self, now: float) -> None:
        loud = []
        for attendee in self.attendees.values():
            uplink = self.uplink(attendee.seat, Use.MICROPHONE)
            if uplink is None:
                continue
            layer = next(iter(uplink.layers.values()))
            if uplink.level < LOUD and now - layer.last_packet < 0.5:
                attendee.loud_at = now
            if now - attendee.loud_at < SPEECH_HOLD:
                loud.append((uplink.level, attendee.seat))
        # Who led goes on leading while nobody is clearly louder: the pictures shall not jump at every syllable.
        leader = self._speaking[0] if self._speaking else ""
        speaking = [seat for _, seat in sorted((level - (LEAD if seat == leader else 0), seat) for level, seat in loud)]
        if set(speaking) == set(self._speaking) and speaking[:1] == self._speaking[:1]:
            return
        if speaking != self._speaking:
            self._speaking = speaking
            for seat in self.attendees:
                self._tell(seat, Speaking(seats=speaking))


def _up(attendee: Attendee) -> dict[Use, Uplink]:
    return attendee.peer.uplinks if attendee.peer is not None else {}


def _ordered(uplink: Uplink) -> list[Layer]:
    """Layers, the smallest picture first."""
    return sorted(uplink.layers.values(), key=lambda layer: RID_ORDER.get(layer.rid, 0))


def _place(
    slots: list[Downlink],
    sources: list[tuple[str, Use]],
    before: dict[str, tuple[str | None, Use | None]],
    index: dict[str, int] | None = None,
) -> dict[Downlink, tuple[str, Use] | None]:
    """Sources to slots: each stays where it was, new ones take the slot of their index, else the first free one."""
    placed: dict[Downlink, tuple[str, Use] | None] = dict.fromkeys(slots)
    left = list(sources)
    for slot in slots:
        was = before.get(slot.mid)
        source = next((s for s in left if s == was), None)
        if source is not None:
            placed[slot] = source
            left.remove(source)
    for source in list(left):
        if index is not None and source[1] is Use.CAMERA and source[0] in index:
            slot_at = next((s for s in slots if s.index == index[source[0]]), None)
            if slot_at is not None and placed[slot_at] is None:
                placed[slot_at] = source
                left.remove(source)
    for slot in slots:
        if placed[slot] is None and left:
            placed[slot] = left.pop(0)
    return placed
