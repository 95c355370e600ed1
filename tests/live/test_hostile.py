"""Clients that are wrong, rude, slow or not allowed: a clear close code or error, and the others unaffected."""

import contextlib
import json
import socket as plain
import threading

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from services.live import endpoint, followers, hub
from services.live.messages import Beat, Close, Events, Problem, Snapshot
from services.live.session import BURST, SUBSCRIPTIONS
from services.live.values import Values
from tests.live.conftest import AREA, PATIENCE, Place, Socket, Sockets, cookie
from tests.live.test_follow import write
from tests.people import autocommit, scoped, token
from tests.services.filling import now
from tests.waiting import until
from tram.store import observations, people, sessions
from tram.store.batch import Batch


@pytest.fixture
def steady(place: Place, sockets: Sockets) -> Socket:
    """A client that behaves."""
    socket = sockets()
    socket.say(op="subscribe", id="s", filter={"things": ["river-01"]}, rate=20)
    socket.mirror.apply(socket.next(Snapshot))
    return socket


def still_told(place: Place, steady: Socket) -> None:
    """The client that behaves gets what is new."""
    at = write(place, ("river-01", "water_level"))
    while True:
        events = steady.next(Events)
        assert steady.mirror.apply(events)
        if events.values and events.values[0][1] == at:
            return


def closed(socket: Socket) -> int:
    """The code with which the hub closes it."""
    try:
        while True:
            socket.hear()
    except ConnectionClosed as error:
        return error.rcvd.code if error.rcvd else 1006


MALFORMED: list[tuple[str | bytes, int]] = [
    ("nonsense", Close.MALFORMED),
    ("", Close.MALFORMED),
    ("[" * 20_000, Close.MALFORMED),
    ('{"op":"subscribe"}', Close.MALFORMED),
    ('{"op":"unheard-of","id":"a"}', Close.MALFORMED),
    ('{"op":"subscribe","id":"a","filter":{"thing":["x"]}}', Close.MALFORMED),
    ('{"op":"subscribe","id":"a","filter":{"things":[]}}', Close.MALFORMED),
    ('{"op":"subscribe","id":"a","rate":1e9}', Close.MALFORMED),
    (json.dumps({"op": "subscribe", "id": "a" * 65}), Close.MALFORMED),
    (json.dumps({"op": "subscribe", "id": "a", "filter": {"things": ["t"] * 1001}}), Close.MALFORMED),
    (b'{"op":"ping","at":1}', Close.MALFORMED),
    ('{"op":"ping","at":1,"x":"' + "x" * 70_000 + '"}', 1009),
]


def test_what_is_no_message_closes_the_socket(place: Place, sockets: Sockets, steady: Socket) -> None:
    for data, code in MALFORMED:
        rude = sockets()
        rude.connection.send(data)
        assert closed(rude) == code, data[:60]
    still_told(place, steady)


def test_a_flood_closes_the_socket(place: Place, sockets: Sockets, steady: Socket) -> None:
    rude = sockets()
    try:
        for _ in range(int(BURST) * 20):
            rude.say(op="ping", at=0)
    except ConnectionClosed:
        pass
    assert closed(rude) == Close.FLOODING
    still_told(place, steady)


def test_too_many_subscriptions_are_an_error(place: Place, sockets: Sockets) -> None:
    socket = sockets()
    for n in range(SUBSCRIPTIONS + 1):
        socket.say(op="subscribe", id=f"s{n}", filter={"things": ["aq-01"]})
    assert socket.next(Problem).code == "subscriptions"
    socket.say(op="subscribe", id="s0", filter={"things": ["aq-02"]})
    while socket.next(Snapshot).things[0].name != "aq-02":
        pass


def large(place: Place, n: int) -> None:
    """A value of a megabyte."""
    stream = place.ids["aq-01", "pm2_5"]
    one = np.array([stream], np.int32), np.array([now()]), np.array([np.nan]), np.zeros(1, np.int16)
    with place.database.connect() as conn:
        observations.write(conn, Batch(*one, result_json={0: json.dumps(f"{n} " + "x" * 1_000_000).encode()}))
        conn.commit()


def deaf(place: Place) -> plain.socket:
    """A client that subscribes and reads nothing; its system's buffer is small."""
    made = plain.socket()
    made.setsockopt(plain.SOL_SOCKET, plain.SO_RCVBUF, 65_536)
    made.settimeout(PATIENCE)
    host, port = place.api.url.removeprefix("http://").split(":")
    made.connect((host, int(port)))
    body = json.dumps({"op": "subscribe", "id": "d", "filter": {"things": ["aq-01"]}, "rate": 20}).encode()
    made.sendall(
        f"GET /live HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nCookie: "
        f"{cookie(place.cookies['admin'])['Cookie']}\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        "Sec-WebSocket-Version: 13\r\n\r\n".encode()
    )  # fmt: skip
    while not made.recv(1).endswith(b"{"):  # the greeting has begun
        pass
    made.sendall(bytes([0x81, 0x80 | len(body)]) + b"\0\0\0\0" + body)
    return made


SLOW = 'tram_live_snapshots_total{reason="slow"}'
NOT_READING = 'tram_live_closed_total{code="4408"}'


def gauge(place: Place, name: str) -> float:
    """A value of /metrics."""
    lines = place.api.get("/metrics").text.splitlines()
    return next((float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{name} ")), 0.0)


def test_a_client_that_never_reads_is_dropped_and_takes_no_memory(
    place: Place, sockets: Sockets, steady: Socket, quick: None
) -> None:
    before = gauge(place, NOT_READING)
    silent = deaf(place)
    try:
        until(lambda: gauge(place, "tram_live_viewers") == 2, "both follow")
        for n in range(200):
            large(place, n)
            if gauge(place, NOT_READING) > before:
                break
        until(lambda: gauge(place, "tram_live_viewers") == 1, "the silent one is dropped", PATIENCE)
        still_told(place, steady)
    finally:
        silent.close()


def test_a_slow_client_is_told_a_new_snapshot(place: Place, steady: Socket, quick: None) -> None:
    slow, heard = deaf(place), bytearray()
    try:
        until(lambda: gauge(place, "tram_live_viewers") == 2, "both follow")
        before = gauge(place, SLOW)
        for n in range(12):
            large(place, n)
        reading = threading.Thread(target=read, args=(slow, heard), daemon=True)
        reading.start()
        # It reads again: what it lacks is one snapshot with the last value, not twelve values.
        until(lambda: gauge(place, SLOW) > before, "a new snapshot is sent", 3 * PATIENCE)
        until(lambda: b'"reason":"slow"' in heard, "it has come", PATIENCE)
        until(lambda: b'"11 xxx' in heard, "with the last value", PATIENCE)
        assert sum(b'"%d xxx' % n in heard for n in range(12)) < 12
    finally:
        slow.close()
    still_told(place, steady)


def read(socket: plain.socket, into: bytearray) -> None:
    """All that comes."""
    with contextlib.suppress(OSError):
        while data := socket.recv(1 << 20):
            into.extend(data)


def test_nobody_who_may_not(place: Place, sockets: Sockets, monkeypatch: pytest.MonkeyPatch) -> None:
    assert closed(Socket(place.url, {"Authorization": "Bearer no-such-token"})) == Close.SIGNED_OUT
    assert closed(Socket(place.url, cookie("a-session-that-is-over"))) == Close.SIGNED_OUT
    with pytest.raises(InvalidStatus) as refused:
        sockets("admin", Origin="https://elsewhere.example")
    assert refused.value.response.status_code == 403
    assert sockets("admin", Origin=place.api.url).hear()
    with autocommit(place.database.settings) as conn:
        secret = token(conn, scoped("operator", AREA))
    for socket, wanted in (
        (sockets(None), {"river-01"}), (sockets("doctor"), {"river-01"}), (sockets("here"), {"aq-02", "river-01"}),
        (Socket(place.url, {"Authorization": f"Bearer {secret}"}), {"aq-02", "river-01"}),
    ):  # fmt: skip
        socket.say(op="subscribe", id="a")
        assert {thing.name for thing in socket.next(Snapshot).things} == wanted
        socket.close()


def test_the_end_of_a_session_or_of_a_right_is_noticed(
    place: Place, sockets: Sockets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoint, "CHECK", 0.2)
    socket = sockets("here")
    socket.say(op="subscribe", id="a")
    assert "aq-02" in {thing.name for thing in socket.next(Snapshot).things}
    with autocommit(place.database.settings) as conn:
        conn.execute("DELETE FROM role_grant WHERE account = %s", (place.accounts["here"],))
        people.grant(conn, place.accounts["here"], scoped("operator", "05482"), by="m:test")
    while True:
        snapshot = socket.next(Snapshot)
        names = {thing.name for thing in snapshot.things}
        assert snapshot.reason == "rights"
        if names == {"aq-01", "river-01"}:
            break
    with autocommit(place.database.settings) as conn:
        sessions.close_all(conn, place.accounts["here"])
    assert closed(socket) == Close.SIGNED_OUT


def test_a_hub_that_fails_inside_reads_everything_anew(
    place: Place, steady: Socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Values.insert
    monkeypatch.setattr(Values, "insert", lambda *_: 1 / 0)
    at = write(place, ("river-01", "water_level"))
    monkeypatch.setattr(Values, "insert", real)
    while steady.mirror.values[place.ids["river-01", "water_level"]][0] != at:
        message = steady.next(Events, Snapshot)
        assert steady.mirror.apply(message)
    still_told(place, steady)


def test_a_lost_database_is_said_and_nothing_is_missed(place: Place, steady: Socket, sockets: Sockets) -> None:
    watching = sockets()
    watching.say(op="subscribe", id="w", rate=20)
    watching.mirror.apply(watching.next(Snapshot))
    assert "aq-02" in {thing.name for thing in watching.mirror.things.values()}
    with autocommit(place.database.settings) as conn:
        ended = conn.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tram-live'"
            " AND datname = current_database()"
        ).fetchall()
        assert len(ended) == 2  # it listens on one, and reads on the other
        at = write(place, ("river-01", "water_level"))
        # Nobody listens now: what is changed and what is gone is found when it listens again.
        conn.execute("UPDATE thing SET label = 'Trạm mới' WHERE name = 'river-01'")
        conn.execute("UPDATE thing SET status = 'refused' WHERE name = 'aq-02'")
    while steady.next(Beat).source != "away":
        pass
    sources, stream = [], place.ids["river-01", "water_level"]
    while steady.mirror.values[stream][0] != at or "ok" not in sources:
        message = steady.next(Beat, Events, Snapshot)
        if isinstance(message, Beat):
            sources.append(message.source)
        else:
            assert steady.mirror.apply(message)
    assert steady.mirror.reason == "subscribed"
    while True:
        labels = {thing.name: thing.label for thing in watching.mirror.things.values()}
        if labels["river-01"] == "Trạm mới" and "aq-02" not in labels:
            break
        assert watching.mirror.apply(watching.next(Events, Snapshot))


def test_a_request_that_is_no_websocket_is_told_so(place: Place) -> None:
    answer = place.api.client.get("/live")
    assert (answer.status_code, answer.json()["type"]) == (426, "/problems/upgrade")


def test_a_full_hub_says_so(place: Place, sockets: Sockets, monkeypatch: pytest.MonkeyPatch) -> None:
    sockets().hear()
    monkeypatch.setattr(hub.Hub, "refusal", "there are no more places")
    with connect(place.url, additional_headers=cookie(place.cookies["admin"])) as refused:
        with pytest.raises(ConnectionClosed):
            refused.recv(PATIENCE)
        assert refused.close_code == Close.FULL
    assert followers.framed(b"x") == b"\x81\x01x"
