"""Pending messages, dead letters and processes: bounded, counted, nothing twice."""

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from tests.databases import Database
from tram.errors import NotFoundError
from tram.readings import Message
from tram.sensing import Thing, ThingStatus
from tram.store import deadletters, pending, processes, registry
from tram.store.database import Connection
from tram.store.deadletters import DeadLetter

T0 = 1_780_000_000_000_000


def message(number: int, payload: bytes = b"") -> Message:
    return Message("a/b", payload or b"%d" % number, T0 + number, "user")


def waiting_thing(conn: Connection, name: str) -> int:
    return registry.put(conn, Thing(name, status=ThingStatus.PENDING)).id


def test_messages_come_back_once_in_order_as_they_were(database: Database) -> None:
    conn = database.connect()
    a, b = waiting_thing(conn, "a"), waiting_thing(conn, "b")
    sent = [(a if n % 2 else b, message(n, bytes([0, 255, n]))) for n in range(10)]
    assert pending.hold(conn, sent[:6], 100) == 0
    assert pending.hold(conn, sent[6:], 100) == 0
    assert pending.claim(conn) == []
    assert registry.get_thing(conn, a).waiting == 5
    registry.accept(conn, a)
    conn.commit()
    expected = [m for thing, m in sent if thing == a]
    first = pending.claim(conn, 3)
    assert [w.message for w in first] == expected[:3]
    conn.rollback()
    assert pending.claim(conn, 3) == first
    pending.done(conn, first)
    conn.commit()
    rest = pending.claim(conn)
    assert [w.message for w in rest] == expected[3:]
    pending.done(conn, rest)
    conn.commit()
    assert pending.claim(conn) == []
    assert registry.get_thing(conn, b).waiting == 5


def test_the_oldest_go_and_are_counted(database: Database) -> None:
    conn = database.connect()
    a, b = waiting_thing(conn, "a"), waiting_thing(conn, "b")
    assert pending.hold(conn, [(a, message(n)) for n in range(7)] + [(b, message(9))], 5) == 2
    assert pending.hold(conn, [(a, message(n)) for n in range(7, 9)], 5) == 2
    assert (registry.get_thing(conn, a).dropped, registry.get_thing(conn, b).dropped) == (4, 0)
    registry.accept(conn, a)
    assert [w.message for w in pending.claim(conn)] == [message(n) for n in range(4, 9)]


def test_refused_things_hold_nothing(database: Database) -> None:
    conn = database.connect()
    a = waiting_thing(conn, "a")
    pending.hold(conn, [(a, message(1))], 5)
    assert registry.refuse(conn, a).waiting == 0
    assert pending.hold(conn, [(a, message(2)), (a + 1000, message(3))], 5) == 1
    assert registry.get_thing(conn, a).dropped == 1
    registry.accept(conn, a)
    assert pending.claim(conn) == []


def test_claimers_never_share_a_thing(database: Database) -> None:
    with database.connect() as conn:
        things = [waiting_thing(conn, f"t{n}") for n in range(6)]
        pending.hold(conn, [(thing, message(n)) for n in range(30) for thing in things], 100)
        for thing in things:
            registry.accept(conn, thing)

    def claimer(_: int) -> list[pending.Waiting]:
        conn = database.connect()
        got: list[pending.Waiting] = []
        while some := pending.claim(conn, 7):
            pending.done(conn, some)
            conn.commit()
            got += some
        return got

    with ThreadPoolExecutor(3) as pool:
        claimed = [w for got in pool.map(claimer, range(3)) for w in got]
    assert len({w.id for w in claimed}) == len(claimed)
    with database.connect() as conn:
        # A claimer that found the last Things taken went home; who had them took all.
        assert pending.claim(conn) == []
    for thing in things:
        mine = sorted((w for w in claimed if w.thing_id == thing), key=lambda w: w.id)
        assert [w.message.received for w in mine] == [T0 + n for n in range(30)]


def letter(reason: str = "json", payload: bytes = b"{", detail: str = "cut") -> DeadLetter:
    return DeadLetter("a/b", reason, detail, payload, T0, "user")


def test_dead_letters_are_kept_with_their_reason(database: Database) -> None:
    conn = database.connect()
    deadletters.insert(conn, [])
    deadletters.insert(conn, [letter(), letter("type", bytes(range(256))), letter("json", b"x" * 50_000)])
    assert deadletters.counts(conn) == {"json": 2, "type": 1}
    big, typed, first = deadletters.list_newest(conn)
    assert (len(big.payload), big.payload_size) == (deadletters.PAYLOAD_KEPT, 50_000)
    assert typed.payload == bytes(range(256))
    assert (first.topic, first.username, first.detail, first.received) == (
        "a/b", "user", "cut", datetime.fromtimestamp(T0 / 1e6, UTC),
    )  # fmt: skip
    assert deadletters.get(conn, typed.id) == typed
    assert [d.id for d in deadletters.list_newest(conn, before=big.id, limit=1)] == [typed.id]
    assert [d.id for d in deadletters.list_newest(conn, reason="json")] == [big.id, first.id]
    for absent in (0, -1, 10**6, 2**70):
        with pytest.raises(NotFoundError):
            deadletters.get(conn, absent)


def test_hostile_texts_are_made_storable_and_short(database: Database) -> None:
    conn = database.connect()
    bad = "\0\ud800" + "ă" * 100_000
    deadletters.insert(conn, [DeadLetter(bad, bad, bad, b"\0", T0, bad)])
    (one,) = deadletters.list_newest(conn)
    assert one.topic.startswith("\ufffd\ufffdă")
    assert [len(t) for t in (one.topic, one.username, one.reason, one.detail)] == [1024, 255, 255, 1000]


def test_dead_letters_are_bounded_and_counted(database: Database) -> None:
    conn = database.connect()
    deadletters.insert(conn, [letter(detail=str(n)) for n in range(25)])
    assert deadletters.trim(conn, 25) == 0
    assert deadletters.dropped(conn) == 0
    assert [deadletters.trim(conn, 5, step=8) for _ in range(4)] == [8, 8, 4, 0]
    assert [d.detail for d in deadletters.list_newest(conn)] == ["24", "23", "22", "21", "20"]
    assert deadletters.dropped(conn) == 20
    assert deadletters.trim(conn, 0) == 5
    assert deadletters.dropped(conn) == 25


def test_processes_report_themselves(database: Database) -> None:
    conn = database.connect()
    started = datetime.now(UTC) - timedelta(seconds=5)

    def beat(name: str, state: str, **detail: object) -> None:
        processes.heartbeat(
            conn, name, host="h", pid=os.getpid(), version="0.1", state=state, started=started, detail=detail
        )
        conn.commit()

    beat("gateway", "starting")
    beat("api", "ready", reason="a\0b", n=1)
    beat("gateway", "ready")
    api, gateway = processes.list_processes(conn)
    assert (gateway.state, gateway.pid, gateway.started) == ("ready", os.getpid(), started)
    assert api.detail == {"reason": "a\ufffdb", "n": 1}
    assert 0 <= gateway.age < 60
    assert processes.forget(conn) == 0
    conn.execute("UPDATE process SET seen = now() - interval '2 hours' WHERE name = 'api'")
    assert [p.name for p in processes.list_processes(conn)] == ["gateway"]
    assert processes.forget(conn) == 1
