"""One consult while it is live in this process: its room, its sockets, its peers, and the writing of its state.

socket message / channel frame / timer -> LiveConsult -> room changes -> saved -> everybody is told
                                                      -> MediaRoom
"""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

import msgspec

from telehealth.carrying import Carrying
from telehealth.client import Client
from telehealth.keeping import Keeper, QualityRow
from telehealth.measuring import Measuring
from telehealth.media.router import MediaRoom
from telehealth.messages import (
    Bye,
    Chat,
    ChatLine,
    Message,
    Offer,
    Pointed,
    Pointer,
    Problem,
    Quality,
    Use,
    decode_client,
    encode,
)
from telehealth.rights import Action, Rights, Who
from telehealth.rooms import ConsultRoom, RoomError, Seat
from telehealth.saving import Saver
from telehealth.vitals import Gate
from tram.errors import UnavailableError

log = logging.getLogger(__name__)

SAVE_WAIT = 1.0
"""Seconds a chat line waits to be stored before it is passed on all the same."""
EMPTY_SECONDS = 900.0
"""A room in which nobody has a seat for so long is put away (its state stays in the database)."""
TALK_RATE = 30.0


class LiveConsult:
    """See the module. `now` is Unix time where it concerns the room, monotonic where it concerns media."""

    def __init__(
        self, room: ConsultRoom, epoch: int, keeper: Keeper, rights: Rights, moved: Callable[["LiveConsult"], None]
    ) -> None:
        self.room = room
        self.clients: dict[str, Client] = {}
        self.media = MediaRoom(self.tell)
        self.carrying = Carrying(self.media, self.tell, self.spawn, talked=self._talked, vitals=self._vitals)
        self.empty_since: float | None = time.monotonic()
        self.measuring = Measuring()
        self._keeper = keeper
        self._rights = rights
        self.saver = Saver(room, epoch, keeper, lambda: moved(self))
        self.gates: dict[str, Gate] = {}
        self._talk: dict[str, list[float]] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._closed = False
        self.spawn(self.saver.run())
        self.spawn(self._tick_loop())

    @property
    def name(self) -> str:
        """The consult's id."""
        return self.room.state.consult

    def who(self, seat: Seat) -> Who:
        """The person of a seat."""
        return Who(self.name, seat.person, seat.role)

    def may(self, seat_id: str, action: Action) -> bool:
        """Whether the seat's person may do that now."""
        seat = self.room.state.seats.get(seat_id)
        return seat is not None and self._rights.may(self.who(seat), action)

    def tell(self, seat: str, message: Message) -> None:
        """A message to one seat's socket, if there is one."""
        client = self.clients.get(seat)
        if client is not None:
            client.tell(message)

    # --- state ---

    def changed(self) -> None:
        """The room changed: it is written, and everybody is told."""
        self.saver.changed()
        if self.room.state.ended is not None:
            return
        for seat_id in list(self.clients):
            if seat_id in self.room.state.seats:
                self.tell(seat_id, self.room.view(seat_id))
        self.empty_since = None if self.room.state.seats else (self.empty_since or time.monotonic())

    # --- seats ---

    def attach(self, seat: str, client: Client) -> Client | None:
        """The socket of a seat; returns the one it replaces."""
        previous = self.clients.get(seat)
        self.clients[seat] = client
        client.seat = seat
        return previous

    def detach(self, seat: str, client: Client, now: float) -> None:
        """The socket is gone; the seat stays, and so does its media while packets come."""
        if self.clients.get(seat) is not client:
            return
        del self.clients[seat]
        if seat in self.room.state.seats:
            self.room.lost(seat, now)
            self.changed()

    async def vacate(self, seat: str, bye: Bye) -> None:
        """The seat is gone for good: its media ends, its socket is told why."""
        client = self.clients.pop(seat, None)
        if client is not None:
            client.end(bye)
        self.gates.pop(seat, None)
        self.measuring.forget(seat)
        await self.carrying.withdraw(seat)
        self.changed()

    async def end(self, now: float, why: str) -> None:
        """The consult is over for all."""
        self.room.close(now, why)
        self.changed()
        for seat in set(self.clients) | set(self.carrying.of):
            await self.vacate(seat, Bye(code="ended", message="the consult has ended"))

    # --- media ---

    async def offer(self, seat: str, offer: Offer) -> None:
        """Answers an offer; the former peer connection goes on until this one stands.

        Raises:
            RoomError: with code `sdp` when it cannot be answered, `forbidden` from the waiting room.
        """
        taken = self.room.state.seats.get(seat)
        if taken is None or not taken.admitted or not self.may(seat, Action.RECEIVE):
            raise RoomError("forbidden", "wait until the doctor lets you in")
        allowed = {Use.SLOT_AUDIO, Use.SLOT_VIDEO}
        if self.may(seat, Action.SEND_AUDIO):
            allowed.add(Use.MICROPHONE)
        if self.may(seat, Action.SEND_VIDEO):
            allowed |= {Use.CAMERA, Use.SCREEN}
        client = self.clients.get(seat)
        reached = "" if client is None else client.reached
        await self.carrying.offer(seat, offer, allowed, lambda: seat in self.room.state.seats, reached)

    def standing(self, seat: str) -> int:
        """The number of the peer connection that carries the seat's media; 0: none."""
        peer = self.carrying.active(seat)
        return 0 if peer is None else peer.number

    # --- data ---

    def _talked(self, seat: str, text: str) -> None:
        """A frame of the reliable channel: the same rules as on the socket."""
        now = time.monotonic()
        recent = [t for t in self._talk.get(seat, []) if t > now - 1.0]
        self._talk[seat] = [*recent, now]
        if len(recent) >= TALK_RATE or len(text) > 16_384:
            return
        try:
            message = decode_client(text)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            self.tell(seat, Problem(code="malformed", message="not a message of the channel talk"))
            return
        try:
            if isinstance(message, Chat):
                self.spawn(self.chat(seat, message))
            elif isinstance(message, Pointer):
                self.pointer(seat, message)
        except RoomError as error:
            self.tell(seat, Problem(code=error.code, message=str(error), about="talk"))

    async def chat(self, seat: str, message: Chat) -> None:
        """A line of chat: stored, then told to everybody in the room."""
        try:
            if not self.may(seat, Action.CHAT):
                raise RoomError("forbidden", "you may not write here")
            line, new = self.room.say(seat, message.id, message.text, time.time())
        except RoomError as error:
            self.tell(seat, Problem(code=error.code, message=str(error), about="chat"))
            return
        await self.saver.stored(SAVE_WAIT)
        for other in self.room.inside():
            if new or other.id == seat:
                self.talk_to(other.id, line)

    def pointer(self, seat: str, message: Pointer) -> None:
        """Somebody points: told to the others at once."""
        mine = self.room.state.seats.get(seat)
        if mine is None or not mine.admitted or not self.may(seat, Action.POINTER):
            raise RoomError("forbidden", "you may not point here")
        pointed = Pointed(by=seat, seat=message.seat, x=message.x, y=message.y, use=message.use, down=message.down)
        for other in self.room.inside():
            if other.id != seat:
                self.talk_to(other.id, pointed)

    def talk_to(self, seat: str, message: ChatLine | Pointed) -> None:
        """On the reliable channel when it is open, else on the socket."""
        text = encode(message).decode()
        if not any(peer.channels.send_talk(text) for peer in self.carrying.newest_first(seat)):
            self.tell(seat, message)

    def _vitals(self, seat: str, data: bytes) -> None:
        mine = self.room.state.seats.get(seat)
        if mine is None or not mine.admitted or not self.may(seat, Action.SEND_VITALS):
            return
        gate = self.gates.setdefault(seat, Gate())
        frame = gate.take(data, time.monotonic(), time.time())
        if frame is None:
            return
        text = encode(msgspec.structs.replace(frame, seat=seat)).decode()
        for other in self.room.state.seats.values():
            if other.id != seat and other.admitted and self.may(other.id, Action.SEE_VITALS):
                any(peer.channels.send_vitals(text) for peer in self.carrying.newest_first(other.id))

    # --- time ---

    async def _tick_loop(self) -> None:
        next_quality = time.monotonic() + 5.0
        while not self._closed:
            await asyncio.sleep(0.25)
            try:
                self.media.tick()
                await self._rights_of_the_moment()
                for seat in self.room.expire(time.time()):
                    await self.vacate(seat, Bye(code="seat-lost", message="the seat was kept for two minutes"))
                now = time.monotonic()
                if now >= next_quality:
                    next_quality = now + 5.0
                    await self._quality(now)
            except Exception:
                log.exception("the consult's timer met an error")

    async def _rights_of_the_moment(self) -> None:
        for seat in list(self.room.state.seats.values()):
            if not self._rights.may(self.who(seat), Action.JOIN):
                self.room.evict(seat.id, time.time())
                await self.vacate(seat.id, Bye(code="forbidden", message="you are no longer part of this consult"))
                continue
            audio, video = self.may(seat.id, Action.SEND_AUDIO), self.may(seat.id, Action.SEND_VIDEO)
            for peer in self.carrying.of.get(seat.id, []):
                for use, uplink in peer.uplinks.items():
                    uplink.enabled = audio if use is Use.MICROPHONE else video

    async def _quality(self, now: float) -> None:
        rows = []
        for seat in self.room.state.seats.values():
            if not seat.admitted:
                continue
            row = self.measuring.measure(
                self.name, seat, self.carrying.active(seat.id), self.media.attendees.get(seat.id), now
            )
            rows.append(row)
            told = Quality(
                seat=seat.id, level=row.level, reason=row.reason, loss_up=row.loss_up, loss_down=row.loss_down,
                rtt_ms=row.rtt_ms, jitter_ms=row.jitter_ms, kbps_up=row.kbps_up, kbps_down=row.kbps_down,
                video_down=row.video,
            )  # fmt: skip
            for other in self.room.inside():
                self.tell(other.id, told)
        if rows:
            self.spawn(self._record(rows))

    async def _record(self, rows: list[QualityRow]) -> None:
        try:
            await self._keeper.record(rows)
        except UnavailableError as error:
            # Quality is worth less than the call: dropped, and the log says so.
            log.warning("call quality was not stored", extra={"rows": len(rows), "reason": str(error)})

    # --- the end ---

    def spawn(self, coroutine: Any) -> None:
        """A task that ends with the consult."""
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self, bye: Bye | None) -> None:
        """Puts the consult away: writes it, closes its peers, sends its sockets off with `bye`."""
        if self._closed:
            return
        if bye is not None:
            for client in self.clients.values():
                client.end(bye)
        await self.saver.stored(2.0)
        self._closed = True
        await self.carrying.close()
        for task in list(self._tasks):
            task.cancel()
