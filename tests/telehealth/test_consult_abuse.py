"""The abuse a consult must withstand: families 1 (tokens), 5 (waiting room, names, roles) and 9 (floods, Origin)."""

import base64
import contextlib
import json
import resource
import secrets
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from telehealth.messages import Role
from telehealth.signalling import Limits
from telehealth.tokens import Grant, Key, Keyring
from tests.servers.consult import ConsultServer, consult_server
from tests.telehealth.people import Person, RawSocket, people
from tests.waiting import until

SECRET = b"abuse-key-abuse-key-abuse-key-32"
RING = Keyring((Key("t", SECRET),))
Join = Callable[..., Person]
SOCKETS = 150


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConsultServer]:
    keys = "t:" + base64.b64encode(SECRET).decode()
    environment = {
        "TRAM_TELEHEALTH_KEYS": keys,
        "TRAM_TELEHEALTH_ORIGINS": "https://tram.example",
        "TRAM_TELEHEALTH_SOCKETS": str(SOCKETS),
    }
    with consult_server(tmp_path_factory.mktemp("abuse"), environment) as running:
        yield running


@pytest.fixture
def joins() -> Iterator[Join]:
    with people() as make:
        yield make


def token(consult: str, role: Role = Role.STATION, ring: Keyring = RING, **changes: Any) -> str:
    now = time.time()
    fields: dict[str, Any] = {
        "kind": "join", "consult": consult, "role": role, "person": f"p-{role}", "name": f"Người {role}",
        "issued": now, "expires": now + 60, "jti": secrets.token_hex(8),
    }  # fmt: skip
    return ring.sign(Grant(**{**fields, **changes}))


def refused(target: ConsultServer, **words: Any) -> str:
    raw = RawSocket(target.ws)
    answer = raw.hello(**words)
    raw.close()
    assert answer["type"] == "bye"
    assert not answer.get("retry")
    return str(answer["code"])


# --- 1: another's token, replayed, expired, after the end, of another consult or role ---


def test_tokens_that_open_nothing(target: ConsultServer) -> None:
    now = time.time()
    good = token("a1")
    body = json.loads(base64.urlsafe_b64decode(good.split(".")[2] + "=="))
    doctor = base64.urlsafe_b64encode(json.dumps({**body, "role": "doctor"}).encode()).decode().rstrip("=")
    other = base64.urlsafe_b64encode(json.dumps({**body, "consult": "b1"}).encode()).decode().rstrip("=")
    parts = good.split(".")
    for forged in (
        token("a1", issued=now - 400, expires=now - 1),
        token("a1", ring=Keyring((Key("t", b"x" * 32),))),
        ".".join([*parts[:2], doctor, parts[3]]),
        ".".join([*parts[:2], other, parts[3]]),
        token("a1", kind="resume", seat="s1", generation=1),
        "", "v1.t..", "a" * 2000,
    ):  # fmt: skip
        assert refused(target, token=forged) == "token"
    assert refused(target, resume=good) == "token", "a join token is no way back"


def test_a_token_opens_once(target: ConsultServer) -> None:
    word = token("a2", Role.DOCTOR)
    first = RawSocket(target.ws)
    assert first.hello(token=word)["type"] == "welcome"
    assert refused(target, token=word) == "token-used"
    first.say({"type": "leave"})
    assert first.hears("bye")["code"] == "left"
    assert refused(target, token=word) == "token-used"


def test_a_lost_welcome_loses_no_seat_and_opens_none_to_another(target: ConsultServer) -> None:
    """The same client says the same again and has its seat; a thief of the token has not her word, and afterwards not
    even that helps."""
    word, mine = token("a3", Role.DOCTOR), "w" * 22
    first = RawSocket(target.ws)
    welcome = first.hello(token=word, nonce=mine)
    assert welcome["type"] == "welcome"
    first.close()  # she never reads it
    for stolen in ({}, {"nonce": "x" * 22}, {"nonce": ""}, {"nonce": None}):
        assert refused(target, token=word, **stolen) in ("token-used", "malformed")
    again = RawSocket(target.ws)
    answer = again.hello(token=word, nonce=mine)
    assert (answer["type"], answer["seat"], answer["resumed"]) == ("welcome", welcome["seat"], False)
    assert len(again.hears("room")["people"]) == 1
    again.say({"type": "ping", "at": 1})  # now the server knows that she has it
    assert again.hears("pong")
    assert refused(target, token=word, nonce=mine) == "token-used"
    again.say({"type": "leave"})
    assert again.hears("bye")["code"] == "left"
    assert refused(target, token=word, nonce=mine) == "token-used"


def test_a_way_back_is_its_owners_and_ends_with_the_seat_and_the_consult(target: ConsultServer) -> None:
    doctor, station = RawSocket(target.ws), RawSocket(target.ws)
    lead = doctor.hello(token=token("a3", Role.DOCTOR))
    word = station.hello(token=token("a3"))["resume"]
    assert refused(target, resume=token("a3", kind="resume", person="somebody", seat="s2", generation=1)) == "seat-lost"
    assert (
        refused(target, resume=token("a3", kind="resume", person="p-station", seat="s9", generation=1)) == "seat-lost"
    )
    # Taken over: the older socket is told, and the former word is dead once the new one is in use.
    thief = RawSocket(target.ws)
    assert thief.hello(resume=word)["resumed"]
    assert station.hears("bye")["code"] == "replaced"
    thief.say({"type": "ping", "at": 1})
    thief.hears("pong")
    assert refused(target, resume=word) == "seat-lost"
    doctor.say({"type": "end"})
    assert thief.hears("bye")["code"] == "ended"
    assert refused(target, resume=lead["resume"]) == "ended"
    assert refused(target, token=token("a3", Role.DOCTOR, person="late")) == "ended"


# --- 5: past the waiting room; a name or a role of the client's choosing ---


def test_nobody_passes_the_waiting_room_or_names_herself(target: ConsultServer, joins: Join) -> None:
    doctor = joins(target.ws, token("w1", Role.DOCTOR), admit=False)
    doctor.waits_for("pc", state="connected")
    for role in (Role.STATION, Role.SPECIALIST, Role.INTERPRETER, Role.OBSERVER):
        raw = RawSocket(target.ws)
        welcome = raw.hello(token=token("w1", role), name="BS. Giả", role="doctor", seat="s1", rights=["admit"])
        assert welcome["role"] == role
        room = raw.hears("room")
        mine = next(p for p in room["people"] if p["seat"] == welcome["seat"])
        assert (mine["presence"], mine["name"]) == ("waiting", f"Người {role}")
        assert {p["seat"] for p in room["people"]} == {"s1", welcome["seat"]}, "others who wait are not shown"
        for message in (
            {"type": "offer", "pc": 1, "sdp": "v=0\r\n", "lines": []},
            {"type": "admit", "seat": mine["seat"]},
            {"type": "chat", "id": "1", "text": "a", "name": "BS. Giả"},
            {"type": "end"},
        ):
            raw.say(message)
            assert raw.hears("problem")["code"] == "forbidden"
        raw.close()
    assert not doctor.of("chat_line")


def test_rights_are_those_of_the_role(target: ConsultServer, joins: Join) -> None:
    doctor = joins(target.ws, token("w2", Role.DOCTOR))
    observer = joins(target.ws, token("w2", Role.OBSERVER))
    station = joins(target.ws, token("w2", Role.STATION))
    until(lambda: observer.participant.connected and station.participant.connected, "all are in")
    doctor.sees()
    # The observer offers a microphone and a camera all the same: those lines are answered inactive, nobody hears.
    observer.participant.rights += ["send-audio", "send-video"]
    observer.loop.call(observer.participant._offer())
    observer.waits_for("pc", pc=observer.participant._number, state="connected")
    answer = observer.of("answer")[-1]["sdp"]
    assert answer.count("a=inactive") == 2
    observer.sees()
    seat = observer.participant.seat
    assert not any(s["seat"] == seat for m in doctor.of("slots") for s in m["slots"])
    observer.send(type="chat", id="1", text="x")
    observer.waits_for("problem", code="forbidden")
    # An interpreter's or observer's vitals go nowhere; an interpreter is shown none.
    frame = {"type": "numbers", "subject": "x", "device": "d", "n": 1, "at": 1, "values": {"heart_rate": 1}}
    interpreter = joins(target.ws, token("w2", Role.INTERPRETER))
    until(lambda: interpreter.participant.connected, "the interpreter is in")

    async def publish(person: Person, n: int) -> bool:
        return person.participant.send_vitals({**frame, "n": n})

    until(lambda: observer.loop.call(publish(observer, 1)), "sent")
    until(lambda: station.loop.call(publish(station, 1)), "sent")
    until(lambda: doctor.vitals, "the station's vitals")
    assert {v["seat"] for v in doctor.vitals} == {station.participant.seat}
    assert not interpreter.vitals


# --- 9: floods and other sites ---


@pytest.mark.parametrize("origin", ["https://evil.example", "http://127.0.0.1:1", "null", "https://tram.example.evil"])
def test_other_sites_pages_are_turned_away(target: ConsultServer, origin: str) -> None:
    with pytest.raises(InvalidStatus) as error, connect(target.ws, origin=origin):  # type: ignore[arg-type]
        pass
    assert error.value.response.status_code == 403


@pytest.mark.parametrize("origin", ["https://tram.example", None])
def test_our_own_pages_and_programs_are_not(target: ConsultServer, origin: str | None) -> None:
    for allowed in (origin, f"http://127.0.0.1:{target.port}"):
        raw = RawSocket(target.ws, origin=allowed)
        assert raw.hello(token="x")["code"] == "token"


def test_oversized_malformed_and_too_many(target: ConsultServer) -> None:
    raw = RawSocket(target.ws)
    assert raw.hello(token=token("f1", Role.DOCTOR))["type"] == "welcome"
    raw.say({"type": "offer", "pc": 1, "sdp": "v=0 " + "a" * 100_000, "lines": []})
    assert raw.hears("problem")["code"] == "too-large"
    for broken in ("{", "[]", '{"type":"nothing"}', "\x00", '{"type":"ping","at":"x"}', "[" * 5000):
        raw.say(broken)
        assert raw.hears("problem")["code"] == "malformed"
    bad = ("v=0\r\n", "m=audio 9 X 0\r\na=mid:0\r\n", "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=fmtp:1 x\r\n")
    for n, sdp in enumerate(bad):
        raw.say({"type": "offer", "pc": 10 + n, "sdp": sdp, "lines": []})
        assert raw.hears("problem")["code"] == "sdp"
    with contextlib.suppress(ConnectionClosed):
        for n in range(200):
            raw.say({"type": "candidate", "pc": 1, "candidate": f"candidate:{n} 1 udp 1 10.0.0.1 9 typ host"})
    assert raw.hears("bye")["code"] in ("rate", "order")
    big = RawSocket(target.ws)
    big.say(" " * (Limits().frame_bytes + 100))
    with pytest.raises(ConnectionClosed):
        big.socket.recv(60)
    flood = RawSocket(target.ws)
    assert flood.hello(token=token("f2", Role.DOCTOR))["type"] == "welcome"
    with contextlib.suppress(ConnectionClosed):
        for n in range(2_000):
            flood.say({"type": "ping", "at": n})
    assert flood.hears("bye")["code"] == "rate"


def test_sockets_that_say_nothing_are_closed_and_counted(target: ConsultServer) -> None:
    """Nobody who has a token is kept out by those who have none."""
    idle, turned_away = [], 0
    for _ in range(100):
        try:
            idle.append(connect(target.ws).__enter__())
        except InvalidStatus:
            turned_away += 1
    assert turned_away >= 30, "one address has its share and no more"
    assert target.metrics()["tram_consult_sockets"] <= 70
    for one in idle:
        assert json.loads(one.recv(60))["code"] == "silent"
        with pytest.raises(ConnectionClosed):
            one.recv(60)
    until(lambda: target.metrics()["tram_consult_sockets"] < 5, "they are gone")
    assert RawSocket(target.ws).hello(token=token("f3", Role.DOCTOR))["type"] == "welcome"


def test_thousands_of_sockets_from_everywhere_disturb_no_call(target: ConsultServer, joins: Join) -> None:
    doctor, station = joins(target.ws, token("f4", Role.DOCTOR)), joins(target.ws, token("f4"))
    doctor.sees()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    upgrade = (
        f"GET /consult HTTP/1.1\r\nHost: 127.0.0.1:{target.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ).encode()
    flood: list[socket.socket] = []
    try:
        for n in range(2_000):
            # A few from each address: a share for each of them alone would not hold them.
            flood.append(
                socket.create_connection(("127.0.0.1", target.port), 10, (f"127.0.{1 + n // 200}.{1 + n % 200}", 0))
            )
            flood[-1].sendall(upgrade)
            if n % 200 == 0:
                assert target.metrics()["tram_consult_sockets"] <= SOCKETS
        assert target.metrics()["tram_consult_sockets"] <= SOCKETS
        doctor.sees(timeout=60)
        station.sees(timeout=60)
    finally:
        for one in flood:
            one.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    def let_in() -> bool:
        try:
            return bool(RawSocket(target.ws).hello(token=token("f5", Role.DOCTOR))["type"] == "welcome")
        except (InvalidStatus, OSError):
            return False  # what is left of the flood

    until(let_in, "whoever has a token is let in again", 60)


def test_nothing_secret_or_personal_is_logged(target: ConsultServer, tmp_path: Path) -> None:
    log = "\n".join(target.log)
    assert "Người" not in log
    assert "v1.t." not in log
    assert SECRET.decode() not in log
