"""A consult's room: who has which seat, who leads, what was said. Pure: `now` is handed in, in Unix seconds.

State lives here, not in a connection: a lost participant keeps the seat for SEAT_SECONDS and comes back into it, and
the whole room goes to the database and back as bytes. Every method either changes the room (and raises `rev`) or raises
RoomError and changes nothing.
"""

from dataclasses import dataclass

import msgspec

from telehealth.messages import ChatLine, MediaState, Person, Presence, Role, Room
from telehealth.tokens import Grant
from tram.errors import TramError

SEAT_SECONDS = 120.0
"""How long the seat of a lost participant is kept."""
MOST_PEOPLE = 6
MOST_WAITING = 12
MOST_LINES = 500
"""Chat lines kept in the room; then the oldest go (they are the clinical record's to keep)."""
LEADERS = (Role.DOCTOR, Role.SPECIALIST)


class RoomError(TramError):
    """The room does not take this; `code` is the protocol's. `final`: the connection ends with it."""

    def __init__(self, code: str, message: str, *, final: bool = False) -> None:
        super().__init__(message, code=code)
        self.final = final


class Seat(msgspec.Struct, kw_only=True):
    """One participant's place."""

    id: str
    role: Role
    person: str
    name: str
    facility: str
    presence: Presence
    media: MediaState
    since: float
    away_since: float | None = None
    away_until: float | None = None
    admitted: bool = False
    generation: int = 0
    """The newest resume word handed out."""
    confirmed: int = 0
    """The newest one the client is known to have: older ones are refused."""
    lines: dict[str, int] = {}
    """The client's id of its last chat lines -> their number, so that a repeated one is stored once."""


class State(msgspec.Struct, kw_only=True):
    """All that is kept of a room."""

    consult: str
    opened: float
    rev: int = 0
    started: float | None = None
    ended: float | None = None
    ended_why: str = ""
    lead: str | None = None
    seats: dict[str, Seat] = {}
    seat_number: int = 0
    chat: list[ChatLine] = []
    line_number: int = 0
    gone: dict[str, str] = {}
    """Seats that ended -> why (`left`, `refused`, `seat-lost`), so that an old word gets a true answer."""


_decoder = msgspec.json.Decoder(State)
_encoder = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class Entered:
    """A seat was taken."""

    seat: Seat
    resumed: bool
    away: float | None = None
    """Seconds the seat had been empty."""


class ConsultRoom:
    """One room. See the module."""

    def __init__(self, state: State) -> None:
        self.state = state

    @classmethod
    def open(cls, consult: str, now: float) -> "ConsultRoom":
        """A new, empty room."""
        return cls(State(consult=consult, opened=now))

    @classmethod
    def restore(cls, data: bytes, now: float) -> "ConsultRoom":
        """A room from `snapshot`, after the death of its process: everyone in it is away from now on.

        Raises:
            msgspec.DecodeError: not a snapshot.
        """
        room = cls(_decoder.decode(data))
        for seat in room.state.seats.values():
            if seat.away_since is None:
                room._away(seat, now)
        room.state.rev += 1
        return room

    def snapshot(self) -> bytes:
        """The whole state as bytes."""
        return _encoder.encode(self.state)

    # --- coming and going ---

    def enter(self, grant: Grant, now: float) -> Entered:
        """Takes a seat by a join token. The same person in the same role gets the seat she has."""
        self._open()
        for seat in self.state.seats.values():
            if seat.person == grant.person and seat.role is grant.role:
                return self._back(seat, now)
        waiting = sum(not s.admitted for s in self.state.seats.values())
        admitted = grant.role is Role.DOCTOR
        if (admitted and len(self._admitted()) >= MOST_PEOPLE) or (not admitted and waiting >= MOST_WAITING):
            raise RoomError("full", "the room is full", final=True)
        self.state.seat_number += 1
        seat = Seat(
            id=f"s{self.state.seat_number}",
            role=grant.role,
            person=grant.person,
            name=grant.name,
            facility=grant.facility,
            presence=Presence.PRESENT if admitted else Presence.WAITING,
            media=MediaState(),
            since=now,
            admitted=admitted,
        )
        self.state.seats[seat.id] = seat
        seat.generation = 1
        self._changed(now)
        return Entered(seat, resumed=False)

    def unheard(self, grant: Grant) -> bool:
        """Whether the token's seat is taken and nothing was heard from it since: its `welcome` may have been lost."""
        seats = self.state.seats.values()
        mine = next((s for s in seats if s.person == grant.person and s.role is grant.role), None)
        return mine is not None and mine.confirmed < mine.generation

    def resume(self, grant: Grant, now: float) -> Entered:
        """Takes the kept seat again by a resume token."""
        self._open()
        self.expire(now)
        seat = self.state.seats.get(grant.seat)
        if seat is None:
            why = self.state.gone.get(grant.seat, "seat-lost")
            raise RoomError(why, "this seat is no longer kept: a new join token is needed", final=True)
        if seat.person != grant.person or not seat.confirmed <= grant.generation <= seat.generation:
            raise RoomError("seat-lost", "this way back was used before: a new join token is needed", final=True)
        seat.confirmed = max(seat.confirmed, grant.generation)
        return self._back(seat, now)

    def confirm(self, seat_id: str) -> bool:
        """The client has its newest resume word (it has spoken since). True when that is news."""
        seat = self.state.seats[seat_id]
        news = seat.confirmed != seat.generation
        seat.confirmed = seat.generation
        return news

    def lost(self, seat_id: str, now: float) -> None:
        """The connection of a seat is gone; the seat is kept for a while."""
        seat = self.state.seats.get(seat_id)
        if seat is not None and seat.away_since is None and self.state.ended is None:
            self._away(seat, now)
            self._changed(now)

    def expire(self, now: float) -> list[str]:
        """Gives up the seats whose time is over, and returns them."""
        over = [s.id for s in self.state.seats.values() if s.away_until is not None and now >= s.away_until]
        for seat_id in over:
            self._remove(seat_id, "seat-lost")
        if over:
            self._changed(now)
        return over

    def leave(self, seat_id: str, now: float) -> None:
        """A participant goes for good."""
        self._seat(seat_id)
        self._remove(seat_id, "left")
        self._changed(now)

    def evict(self, seat_id: str, now: float) -> None:
        """A participant's right to be here was taken away."""
        self._seat(seat_id)
        self._remove(seat_id, "refused")
        self._changed(now)

    # --- what the lead does ---

    def admit(self, by: str, seat_id: str, now: float) -> None:
        """Lets one in from the waiting room."""
        self._lead(by)
        seat = self._seat(seat_id)
        if seat.admitted:
            return
        if len(self._admitted()) >= MOST_PEOPLE:
            raise RoomError("full", f"the room has {MOST_PEOPLE} people: one must go first")
        seat.admitted = True
        if seat.away_since is None:
            seat.presence = Presence.PRESENT
        self._changed(now)

    def refuse(self, by: str, seat_id: str, now: float) -> None:
        """Sends one away."""
        self._lead(by)
        self._seat(seat_id)
        if by == seat_id:
            raise RoomError("forbidden", "the lead leaves by leave, or hands over first")
        self._remove(seat_id, "refused")
        self._changed(now)

    def hand_over(self, by: str, seat_id: str, now: float) -> None:
        """Makes another the lead."""
        self._lead(by)
        seat = self._seat(seat_id)
        if seat.role not in LEADERS or seat.presence is not Presence.PRESENT:
            raise RoomError("forbidden", "only a doctor or specialist who is present can lead")
        self.state.lead = seat_id
        self._changed(now)

    def end(self, by: str, now: float) -> None:
        """Ends the consult for all."""
        self._lead(by)
        self.close(now, "ended")

    def close(self, now: float, why: str) -> None:
        """Ends the consult: by its lead, or because nobody came back."""
        if self.state.ended is None:
            self.state.ended = now
            self.state.ended_why = why
            self.state.seats.clear()
            self.state.lead = None
            self.state.rev += 1

    # --- what anybody does ---

    def media(self, seat_id: str, media: MediaState, now: float) -> None:
        """What a participant sends now, by her own word."""
        seat = self._inside(seat_id)
        if seat.media != media:
            seat.media = media
            self._changed(now)

    def say(self, seat_id: str, line_id: str, text: str, now: float) -> tuple[ChatLine, bool]:
        """A line of chat and whether it is new (False: it was said before, by the same id)."""
        seat = self._inside(seat_id)
        number = seat.lines.get(line_id)
        if number is not None:
            known = next((line for line in self.state.chat if line.n == number), None)
            if known is not None:
                return known, False
        self.state.line_number += 1
        line = ChatLine(n=self.state.line_number, id=line_id, seat=seat_id, name=seat.name, at=now, text=text)
        self.state.chat.append(line)
        del self.state.chat[:-MOST_LINES]
        seat.lines[line_id] = line.n
        if len(seat.lines) > MOST_LINES:
            del seat.lines[next(iter(seat.lines))]
        return line, True

    # --- what is seen ---

    def view(self, seat_id: str) -> Room:
        """The room as this seat may see it: from the waiting room only oneself and the lead."""
        me = self._seat(seat_id)
        seats = [s for s in self.state.seats.values() if me.admitted or s.id in (seat_id, self.state.lead)]
        people = [
            Person(
                seat=s.id, role=s.role, name=s.name, facility=s.facility, presence=s.presence, media=s.media,
                since=s.since, away_since=s.away_since, away_until=s.away_until,
            )
            for s in seats
        ]  # fmt: skip
        return Room(
            consult=self.state.consult,
            rev=self.state.rev,
            lead=self.state.lead,
            people=people,
            opened=self.state.opened,
            started=self.state.started,
        )

    def inside(self) -> list[Seat]:
        """Those who are in the room and connected."""
        return [s for s in self.state.seats.values() if s.presence is Presence.PRESENT]

    @property
    def next_expiry(self) -> float | None:
        """When the next kept seat is given up: Unix seconds."""
        return min((s.away_until for s in self.state.seats.values() if s.away_until is not None), default=None)

    # --- inner ---

    def _open(self) -> None:
        if self.state.ended is not None:
            raise RoomError("ended", "this consult has ended", final=True)

    def _seat(self, seat_id: str) -> Seat:
        self._open()
        seat = self.state.seats.get(seat_id)
        if seat is None:
            raise RoomError("not-found", "there is no such seat")
        return seat

    def _inside(self, seat_id: str) -> Seat:
        seat = self._seat(seat_id)
        if not seat.admitted:
            raise RoomError("forbidden", "wait until the doctor lets you in")
        return seat

    def _lead(self, seat_id: str) -> None:
        self._open()
        if self.state.lead != seat_id:
            raise RoomError("forbidden", "only the one who leads the consult may do that")

    def _admitted(self) -> list[Seat]:
        return [s for s in self.state.seats.values() if s.admitted]

    def _away(self, seat: Seat, now: float) -> None:
        seat.presence = Presence.AWAY
        seat.away_since = now
        seat.away_until = now + SEAT_SECONDS
        seat.media = MediaState()

    def _back(self, seat: Seat, now: float) -> Entered:
        away = None if seat.away_since is None else max(0.0, now - seat.away_since)
        seat.away_since = seat.away_until = None
        seat.presence = Presence.PRESENT if seat.admitted else Presence.WAITING
        seat.generation += 1
        self._changed(now)
        return Entered(seat, resumed=True, away=away)

    def _remove(self, seat_id: str, why: str) -> None:
        del self.state.seats[seat_id]
        self.state.gone[seat_id] = why
        if self.state.lead == seat_id:
            self.state.lead = None

    def _changed(self, now: float) -> None:
        if self.state.lead is None:
            # An absent doctor's lead is kept with the seat; only when the seat is gone does another take over.
            doctors = [s for s in self.inside() if s.role is Role.DOCTOR]
            self.state.lead = min(doctors, key=lambda s: s.since).id if doctors else None
        if self.state.started is None and len(self.inside()) >= 2:
            self.state.started = now
        self.state.rev += 1
