"""The peer connections of a consult's seats: the one that carries a seat's media, and those that come or go.

offer -> a new Peer beside the old one -> connected: it carries the seat -> the old one ends a little later
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from telehealth.media.peer import Peer, PeerEvents
from telehealth.media.router import MediaRoom
from telehealth.messages import Answer, Message, Offer, PcState, Use
from telehealth.rooms import RoomError

OLD_PEER = 3.0
"""Seconds the former peer connection lives on after a new one took over."""
MOST_PEERS = 3
"""Peer connections of one seat at a time; the oldest goes."""


class Carrying:
    """See the module.

    Args:
        spawn: runs something that ends with the consult.
        talked, vitals: what comes on a seat's channels.
    """

    def __init__(
        self, media: MediaRoom, tell: Callable[[str, Message], None],
        spawn: Callable[[Coroutine[Any, Any, None]], None], *,
        talked: Callable[[str, str], None], vitals: Callable[[str, bytes], None],
    ) -> None:  # fmt: skip
        self.of: dict[str, list[Peer]] = {}
        """By seat."""
        self._media = media
        self._tell = tell
        self._spawn = spawn
        self._talked = talked
        self._vitals = vitals
        self._closed = False

    async def offer(
        self, seat: str, offer: Offer, allowed: set[Use], still: Callable[[], bool], reached: str = ""
    ) -> None:
        """Answers an offer; the former peer connection goes on until this one stands.

        Args:
            still: whether the seat is still taken when the answer is there.
            reached: see Peer.answer.

        Raises:
            RoomError: with code `sdp` when it cannot be answered.
        """
        events = PeerEvents(
            state=lambda peer, state: self._state(seat, peer, state),
            talk=lambda peer, text: self._talked(seat, text),
            vitals=lambda peer, data: self._vitals(seat, data),
        )
        peer = Peer(offer.pc, events)
        try:
            answer = await peer.answer(offer, allowed, f"{seat}-{offer.pc}", reached)
        except ValueError as error:
            await peer.close()
            raise RoomError("sdp", str(error)) from None
        if self._closed or not still():
            await peer.close()
            raise RoomError("not-found", "the seat is gone")
        peers = self.of.setdefault(seat, [])
        peers.append(peer)
        while len(peers) > MOST_PEERS:
            oldest = next(p for p in peers if p is not self.active(seat))
            peers.remove(oldest)
            self._spawn(oldest.close())
        self._tell(seat, Answer(pc=offer.pc, sdp=answer))

    def active(self, seat: str) -> Peer | None:
        """The one that carries the seat's media."""
        attendee = self._media.attendees.get(seat)
        return None if attendee is None else attendee.peer

    def newest_first(self, seat: str) -> list[Peer]:
        """While one takes over from another, the channels of the older are still open."""
        return sorted(self.of.get(seat, []), key=lambda peer: -peer.number)

    async def candidate(self, seat: str, number: int, text: str) -> None:
        """A trickled candidate.

        Raises:
            RoomError: it is none.
        """
        for peer in self.of.get(seat, []):
            if peer.number == number:
                try:
                    await peer.candidate(text)
                except ValueError as error:
                    raise RoomError("malformed", str(error)) from None

    async def close_pc(self, seat: str, number: int) -> None:
        """The client closed one of its peer connections."""
        for peer in list(self.of.get(seat, [])):
            if peer.number == number:
                self.of[seat].remove(peer)
                self._media.lost(seat, peer)
                await peer.close()

    async def withdraw(self, seat: str) -> None:
        """The seat is gone."""
        self._media.withdraw(seat)
        for peer in self.of.pop(seat, []):
            await peer.close()

    async def close(self) -> None:
        """All end."""
        self._closed = True
        for peers in list(self.of.values()):
            for peer in peers:
                await peer.close()
        self.of.clear()

    def _state(self, seat: str, peer: Peer, state: str) -> None:
        if self._closed or peer not in self.of.get(seat, []):
            return
        if state == "connected":
            active = self.active(seat)
            if active is not None and active.number > peer.number:
                return
            previous = self._media.use(seat, peer)
            self._tell(seat, PcState(pc=peer.number, state="connected"))
            for old in [p for p in self.of[seat] if p.number < peer.number]:
                self._spawn(self._retire(seat, old, OLD_PEER if old is previous else 0.0))
        else:
            self.of[seat].remove(peer)
            self._media.lost(seat, peer)
            self._spawn(peer.close())
            self._tell(seat, PcState(pc=peer.number, state="failed", reason="the connection was lost"))

    async def _retire(self, seat: str, peer: Peer, after: float) -> None:
        await asyncio.sleep(after)
        if peer in self.of.get(seat, []):
            self.of[seat].remove(peer)
        await peer.close()
