"""The room: a machine of random comings and goings must keep its promises, and the ways back must open once."""

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from telehealth.messages import MediaState, Presence, Role
from telehealth.rooms import LEADERS, MOST_PEOPLE, MOST_WAITING, SEAT_SECONDS, ConsultRoom, RoomError
from telehealth.tokens import Grant

PEOPLE = [(f"p{n}", role) for n, role in enumerate([Role.DOCTOR] * 4 + [Role.STATION] * 3 + [
    Role.SPECIALIST, Role.SPECIALIST, Role.INTERPRETER, Role.OBSERVER, Role.OBSERVER])]  # fmt: skip


def join(person: str, role: Role) -> Grant:
    return Grant(
        kind="join", consult="c", role=role, person=person, name=person.upper(), issued=0, expires=1, jti="12345678"
    )


def back(seat: str, person: str, role: Role, generation: int) -> Grant:
    return Grant(
        kind="resume", consult="c", role=role, person=person, name="", issued=0, expires=1, jti="12345678",
        seat=seat, generation=generation,
    )  # fmt: skip


class Comings(RuleBasedStateMachine):
    """Everybody does anything at any time."""

    @initialize()
    def open(self) -> None:
        self.now = 1000.0
        self.room = ConsultRoom.open("c", self.now)
        self.rev = 0

    def seats(self) -> list[str]:
        return list(self.room.state.seats)

    def attempt(self, action: str, *arguments: object) -> None:
        before = self.room.snapshot()
        try:
            getattr(self.room, action)(*arguments)
        except RoomError:
            assert self.room.snapshot() == before, f"{action} refused and yet changed something"

    @rule(who=st.sampled_from(PEOPLE))
    def enters(self, who: tuple[str, Role]) -> None:
        self.attempt("enter", join(*who), self.now)

    @rule(seconds=st.floats(0.1, 100))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        self.room.expire(self.now)

    @precondition(lambda self: self.room.state.seats)
    @rule(data=st.data())
    def is_lost(self, data: st.DataObject) -> None:
        self.room.lost(data.draw(st.sampled_from(self.seats())), self.now)

    @precondition(lambda self: self.room.state.seats)
    @rule(data=st.data())
    def comes_back(self, data: st.DataObject) -> None:
        seat = self.room.state.seats[data.draw(st.sampled_from(self.seats()))]
        grant = back(seat.id, seat.person, seat.role, seat.generation)
        entered = self.room.resume(grant, self.now)
        assert entered.resumed
        assert entered.seat is seat

    @precondition(lambda self: len(self.room.state.seats) > 1)
    @rule(data=st.data(), action=st.sampled_from(["admit", "refuse", "hand_over"]))
    def someone_directs(self, data: st.DataObject, action: str) -> None:
        one, other = data.draw(st.sampled_from(self.seats())), data.draw(st.sampled_from(self.seats()))
        self.attempt(action, one, other, self.now)

    @precondition(lambda self: self.room.state.seats)
    @rule(data=st.data(), text=st.text(min_size=1, max_size=5))
    def says(self, data: st.DataObject, text: str) -> None:
        self.attempt("say", data.draw(st.sampled_from(self.seats())), text, text, self.now)

    @precondition(lambda self: self.room.state.seats)
    @rule(data=st.data())
    def leaves(self, data: st.DataObject) -> None:
        self.attempt("leave", data.draw(st.sampled_from(self.seats())), self.now)

    @precondition(lambda self: self.room.state.seats)
    @rule(data=st.data())
    def loses_the_right(self, data: st.DataObject) -> None:
        self.attempt("evict", data.draw(st.sampled_from(self.seats())), self.now)

    @rule()
    def its_process_dies(self) -> None:
        before = {s.id: (s.person, s.admitted, s.generation) for s in self.room.state.seats.values()}
        self.room = ConsultRoom.restore(self.room.snapshot(), self.now)
        assert {s.id: (s.person, s.admitted, s.generation) for s in self.room.state.seats.values()} == before
        assert all(s.presence is Presence.AWAY for s in self.room.state.seats.values())

    @invariant()
    def promises(self) -> None:
        state = self.room.state
        seats = state.seats
        assert sum(s.admitted for s in seats.values()) <= MOST_PEOPLE
        assert sum(not s.admitted for s in seats.values()) <= MOST_WAITING
        assert len({(s.person, s.role) for s in seats.values()}) == len(seats)
        if state.lead is not None:
            assert seats[state.lead].admitted
            assert seats[state.lead].role in LEADERS
        elif any(s.role is Role.DOCTOR and s.presence is Presence.PRESENT for s in seats.values()):
            raise AssertionError("a doctor is here and nobody leads")
        for seat in seats.values():
            assert (seat.presence is Presence.AWAY) == (seat.away_until is not None)
            assert seat.away_until is None or seat.away_until > self.now
            assert (seat.presence is not Presence.PRESENT) or seat.admitted
            view = self.room.view(seat.id)
            if not seat.admitted:
                assert {p.seat for p in view.people} <= {seat.id, state.lead}
        assert state.rev >= self.rev
        self.rev = state.rev
        assert [line.n for line in state.chat] == sorted({line.n for line in state.chat})


Comings.TestCase.settings = hypothesis_settings(max_examples=40, stateful_step_count=40, deadline=None)
TestComings = Comings.TestCase


def opened() -> tuple[ConsultRoom, str, str]:
    room = ConsultRoom.open("c", 0.0)
    doctor = room.enter(join("d", Role.DOCTOR), 0.0).seat.id
    station = room.enter(join("s", Role.STATION), 1.0).seat.id
    room.admit(doctor, station, 2.0)
    return room, doctor, station


def test_a_way_back_opens_until_the_next_is_known_to_have_arrived() -> None:
    room, _, station = opened()
    room.confirm(station)
    room.lost(station, 3.0)
    first = room.resume(back(station, "s", Role.STATION, 1), 10.0)
    assert first.away == 7.0
    # The answer was lost on the way: the same word opens again…
    room.resume(back(station, "s", Role.STATION, 1), 11.0)
    # …until the client has shown that it has the new one.
    room.confirm(station)
    with pytest.raises(RoomError, match="used before"):
        room.resume(back(station, "s", Role.STATION, 1), 12.0)
    with pytest.raises(RoomError):
        room.resume(back(station, "d", Role.STATION, 3), 12.0)


def test_a_seat_is_kept_two_minutes() -> None:
    room, doctor, station = opened()
    room.lost(station, 10.0)
    assert room.expire(10.0 + SEAT_SECONDS - 0.1) == []
    assert room.expire(10.0 + SEAT_SECONDS) == [station]
    with pytest.raises(RoomError) as error:
        room.resume(back(station, "s", Role.STATION, 1), 200.0)
    assert (error.value.code, error.value.final) == ("seat-lost", True)
    room.lost(doctor, 300.0)
    assert room.state.lead == doctor  # kept with the seat
    room.expire(300.0 + SEAT_SECONDS)
    assert room.state.lead is None


def test_only_the_lead_leads() -> None:
    room, doctor, station = opened()
    for action in ("admit", "refuse", "hand_over"):
        with pytest.raises(RoomError) as error:
            getattr(room, action)(station, doctor, 5.0)
        assert error.value.code == "forbidden"
    with pytest.raises(RoomError):
        room.end(station, 5.0)
    with pytest.raises(RoomError):
        room.hand_over(doctor, station, 5.0)  # a station cannot lead
    second = room.enter(join("d2", Role.DOCTOR), 5.0).seat.id
    room.hand_over(doctor, second, 6.0)
    with pytest.raises(RoomError):
        room.end(doctor, 7.0)
    room.end(second, 8.0)
    with pytest.raises(RoomError) as error:
        room.enter(join("x", Role.DOCTOR), 9.0)
    assert (error.value.code, error.value.final) == ("ended", True)


def test_a_repeated_line_is_said_once() -> None:
    room, _, station = opened()
    line, new = room.say(station, "1", "xin chào", 3.0)
    assert new
    assert room.say(station, "1", "xin chào", 4.0) == (line, False)
    assert len(room.state.chat) == 1


def test_the_waiting_room_cannot_talk_or_send() -> None:
    room = ConsultRoom.open("c", 0.0)
    room.enter(join("d", Role.DOCTOR), 0.0)
    waiting = room.enter(join("s", Role.STATION), 0.0).seat.id
    with pytest.raises(RoomError):
        room.say(waiting, "1", "x", 0.0)
    with pytest.raises(RoomError):
        room.media(waiting, MediaState(camera=True), 0.0)
