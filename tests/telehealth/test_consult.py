"""A consult between real participants through a real process: media, vitals, chat, the waiting room, the ways back."""

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from devices.agents.station import open_vitals, publish_vitals
from tests.servers.consult import ConsultServer
from tests.telehealth.people import Person, RawSocket, people
from tests.waiting import until

Join = Callable[..., Person]


@pytest.fixture
def joins() -> Iterator[Join]:
    with people() as make:
        yield make


def colour_of(person: Person, seat: str) -> tuple[float, float]:
    """How blue and how red the brightest square of a seat's picture is: who is shown, by pixels."""
    slot = next(
        s for m in reversed(person.of("slots")) for s in m["slots"] if s["seat"] == seat and s["use"] == "camera"
    )
    picture = person.pictures[f"video {slot['mid']}"].to_ndarray(format="yuv420p")
    height = picture.shape[0] * 2 // 3
    quarter = height // 4
    u, v = picture[height : height + quarter], picture[height + quarter : height + 2 * quarter]
    return float(abs(u.astype(int) - 128).max()) * (1 if u.max() > 190 else -1), float(v.max())


def test_two_people_see_hear_and_measure(consults: ConsultServer, joins: Join) -> None:
    tokens = consults.tokens()
    doctor = joins(consults.ws, tokens["doctor"])
    station = joins(consults.ws, tokens["station"])
    doctor.sees()
    station.sees()
    # Vitals: the doctor gets the device's own frames, the pieces of the ECG at their places in time.
    source = open_vitals("simulated:sepsis")
    assert source is not None

    async def publish() -> None:
        await publish_vitals(station.participant, source)

    publishing = asyncio.run_coroutine_threadsafe(publish(), station.loop.loop)
    until(lambda: sum(v["frame"]["type"] == "wave" for v in doctor.vitals) > 8, "pieces of the ECG")
    until(lambda: any(v["frame"]["type"] == "numbers" for v in doctor.vitals), "numbers")
    publishing.cancel()
    waves = {v["frame"]["n"]: v["frame"]["at"] for v in doctor.vitals if v["frame"]["type"] == "wave"}
    for n, at in waves.items():
        if n + 1 in waves:
            assert waves[n + 1] - at == pytest.approx(200_000, abs=2)
    assert not station.vitals, "nobody is shown her own"
    # Chat on the data channel, confirmed to its sender, said once though repeated.
    station.talk(type="chat", id="1", text="xin chào <b>")
    station.talk(type="chat", id="1", text="xin chào <b>")
    assert doctor.waits_for("chat_line")["text"] == "xin chào <b>"
    station.waits_for("chat_line", id="1")
    assert len({m["n"] for m in doctor.of("chat_line")}) == 1
    until(lambda: doctor.of("speaking"), "somebody is heard to speak")
    quality = doctor.waits_for("quality", seat=station.participant.seat)
    assert quality["level"] in ("good", "fair", "poor")


def test_a_third_joins_late_and_everybody_sees_everybody(consults: ConsultServer, joins: Join) -> None:
    tokens = consults.tokens()
    doctor = joins(consults.ws, tokens["doctor"], colour=(200, 220, 128))
    station = joins(consults.ws, tokens["station"], colour=(200, 30, 128))
    doctor.sees()
    began = time.monotonic()
    late = joins(consults.ws, tokens["specialist"])
    until(lambda: len([k for k, n in late.frames.items() if k.startswith("video") and n > 3]) == 2, "two pictures")
    print("late viewer", time.monotonic() - began)
    until(lambda: len([k for k, n in doctor.frames.items() if k.startswith("video") and n > 3]) == 2, "two pictures")
    late.sees(more=30)
    blue, _ = colour_of(late, doctor.participant.seat)
    assert blue > 0, "the doctor's square is blue"
    not_blue, _ = colour_of(late, station.participant.seat)
    assert not_blue < 0, "the station's is not"


def test_the_waiting_room_sees_nothing_until_the_doctor_opens(consults: ConsultServer, joins: Join) -> None:
    tokens = consults.tokens()
    doctor = joins(consults.ws, tokens["doctor"], admit=False)
    doctor.waits_for("room")
    waiting = RawSocket(consults.ws)
    assert waiting.hello(token=tokens["station"])["type"] == "welcome"
    room = waiting.hears("room")
    mine = next(p for p in room["people"] if p["presence"] == "waiting")
    for message in (
        {"type": "offer", "pc": 1, "sdp": "v=0\r\n", "lines": []},
        {"type": "chat", "id": "1", "text": "x"},
        {"type": "media", "microphone": True, "camera": True},
        {"type": "admit", "seat": mine["seat"]},
        {"type": "pointer", "seat": "s1", "x": 0.5, "y": 0.5},
    ):
        waiting.say(message)
        answer = waiting.hears("problem")
        assert (answer["code"], answer["about"]) == ("forbidden", message["type"])
    doctor.send(type="admit", seat=mine["seat"])
    until(
        lambda: [p["presence"] for p in waiting.hears("room")["people"] if p["seat"] == mine["seat"]] == ["present"],
        "in",
    )
    doctor.send(type="refuse", seat=mine["seat"])
    assert waiting.hears("bye")["code"] == "refused"


def test_a_lost_socket_comes_back_into_its_seat_while_media_flows(consults: ConsultServer, joins: Join) -> None:
    tokens = consults.tokens()
    doctor, station = joins(consults.ws, tokens["doctor"]), joins(consults.ws, tokens["station"])
    doctor.sees()
    seat, number = station.participant.seat, station.participant._number
    station.cut()
    until(lambda: station.participant.resumes == 1, "the socket comes back")
    assert station.participant.seat == seat
    station.sees()
    assert station.participant._number == number, "the peer connection was kept"
    welcome = station.of("welcome")[-1]
    assert welcome["resumed"]
    assert welcome["away_seconds"] < 5


def test_a_new_peer_connection_takes_over_before_the_old_one_ends(consults: ConsultServer, joins: Join) -> None:
    tokens = consults.tokens()
    doctor, station = joins(consults.ws, tokens["doctor"]), joins(consults.ws, tokens["station"])
    doctor.sees()
    before = station.participant._number
    station.loop.call(station.participant._offer())
    station.waits_for("pc", pc=station.participant._number, state="connected")
    assert station.participant._number > before
    doctor.sees(more=30)
    station.sees(more=30)
    peers = [v for k, v in consults.metrics().items() if k.startswith("tram_consult_peers")]
    assert peers


def test_the_lead_is_handed_over_and_the_end_is_for_all(consults: ConsultServer, joins: Join) -> None:
    tokens = consults.tokens()
    doctor, other = joins(consults.ws, tokens["doctor"]), joins(consults.ws, tokens["specialist"])
    until(lambda: other.participant.room.get("lead") == doctor.participant.seat, "the doctor leads")
    until(lambda: len(doctor.participant.room["people"]) == 2, "two are there")
    until(lambda: all(p["presence"] == "present" for p in doctor.participant.room["people"]), "both inside")
    doctor.send(type="hand_over", seat=other.participant.seat)
    until(lambda: doctor.participant.room["lead"] == other.participant.seat, "the specialist leads")
    doctor.send(type="end")
    doctor.waits_for("problem", code="forbidden", about="end")
    other.send(type="end")
    until(lambda: doctor.ended and other.ended, "both are out")
    assert doctor.of("bye")[-1]["code"] == "ended"
    again = RawSocket(consults.ws)
    assert again.hello(token=consults.tokens(tokens["consult"])["doctor"])["code"] == "ended"


def test_audio_only_by_hand(consults: ConsultServer, joins: Join) -> None:
    tokens = consults.tokens()
    doctor, station = joins(consults.ws, tokens["doctor"]), joins(consults.ws, tokens["station"])
    station.sees()
    station.send(type="receive", video=False)
    station.waits_for("flow", state="paused", reason="asked")
    quiet = station.count("video")
    audio = station.count("audio")
    until(lambda: station.count("audio") > audio + 50, "sound goes on")
    assert station.count("video") <= quiet + 10
    station.send(type="receive", video=True)
    station.sees()
    assert doctor.count("video")


def waves(person: Person) -> list[dict[str, Any]]:
    """Pieces of the ECG that arrived, in the order of the device."""
    frames = [m["frame"] for m in list(person.vitals) if m["frame"]["type"] == "wave"]
    return sorted(frames, key=lambda frame: int(frame["n"]))


def test_a_change_of_connection_loses_no_sample_and_an_outage_is_a_gap_of_its_length(
    consults: ConsultServer, joins: Join
) -> None:
    tokens = consults.tokens()
    doctor, kit = joins(consults.ws, tokens["doctor"]), joins(consults.ws, tokens["station"])
    source = open_vitals("simulated:stable")
    assert source is not None
    publishing = asyncio.run_coroutine_threadsafe(publish_vitals(kit.participant, source), kit.loop.loop)
    until(lambda: len(waves(doctor)) > 10, "the ECG")
    first = waves(doctor)[0]["n"]
    # Make before break, at either end: every piece arrives.
    for person in (kit, doctor, kit):
        person.loop.call(person.participant._offer())
        person.waits_for("pc", pc=person.participant._number, state="connected")
        seen = len(waves(doctor))
        until(lambda: len(waves(doctor)) > seen + 10, "the ECG goes on")  # noqa: B023
    numbers = [frame["n"] for frame in waves(doctor)]
    assert numbers == list(range(first, first + len(numbers)))
    # Nothing can be sent for a while: that is not made up for, and what follows stands at its own time.
    broken = time.time()
    channels, kit.participant._channels = kit.participant._channels, []
    until(lambda: time.time() - waves(doctor)[-1]["at"] / 1e6 > 2, "two seconds without a piece")
    last = waves(doctor)[-1]["n"]
    kit.participant._channels = channels
    until(lambda: waves(doctor)[-1]["n"] > last + 10, "the ECG is back")
    publishing.cancel()
    frames = waves(doctor)
    after = next(frame for frame in frames if frame["n"] > last)
    assert after["n"] - last > 5
    assert after["at"] / 1e6 > broken
    assert {frame["at"] - frames[0]["at"] - (frame["n"] - first) * 200_000 for frame in frames} <= {-1, 0, 1}, (
        "each piece is where the device measured it"
    )
