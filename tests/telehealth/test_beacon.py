"""The beacon answers connectivity checks of whoever has its password, and nothing else."""

import asyncio
import socket

import aioice.stun as stun
from hypothesis import given
from hypothesis import strategies as st

from telehealth.media.beacon import BeaconServer, answer
from tests.servers.consult import ConsultServer
from tests.telehealth.people import RawSocket

KEY = b"k" * 32
WHERE = ("192.0.2.7", 40_000)


def check(key: bytes = KEY, kind: stun.Class = stun.Class.REQUEST) -> bytes:
    request = stun.Message(message_method=stun.Method.BINDING, message_class=kind)
    request.attributes["USERNAME"] = "beacon:page"
    request.add_message_integrity(key)
    return bytes(request)


def test_a_check_is_answered_with_where_it_came_from() -> None:
    data = check()
    reply = answer(data, WHERE, KEY)
    assert reply is not None
    response = stun.parse_message(reply)
    assert response.check_message_integrity(KEY)
    assert response.message_class is stun.Class.RESPONSE
    assert response.transaction_id == stun.parse_message(data).transaction_id
    assert response.attributes["XOR-MAPPED-ADDRESS"] == WHERE
    assert len(reply) <= len(data) + 16, "no amplifier"


def test_who_has_not_the_password_is_not_answered() -> None:
    assert answer(check(b"x" * 32), WHERE, KEY) is None
    assert answer(check(kind=stun.Class.RESPONSE), WHERE, KEY) is None
    plain = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
    assert answer(bytes(plain), WHERE, KEY) is None


@given(st.binary(max_size=200), st.integers(0, 60), st.binary(min_size=1, max_size=8))
def test_whatever_else_comes_is_not(data: bytes, at: int, other: bytes) -> None:
    assert answer(data, WHERE, KEY) is None
    good = check()
    changed = good[:at] + other + good[at + len(other) :]
    assert answer(changed, WHERE, KEY) is None or changed[:-8] == good[:-8]


def test_every_welcome_names_it_and_it_is_there(consults: ConsultServer) -> None:
    raw = RawSocket(consults.ws)
    beacon = raw.hello(token=consults.tokens()["doctor"])["beacon"]
    raw.close()
    host, port = beacon["candidates"][0].split()[4:6]
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as asker:
        asker.settimeout(60)
        asker.sendto(b"hello", (host, int(port)))
        asker.sendto(check(beacon["password"].encode()), (host, int(port)))
        assert stun.parse_message(asker.recv(1500)).check_message_integrity(beacon["password"].encode())


def test_it_can_be_stopped() -> None:
    async def run() -> None:
        server = BeaconServer()
        assert server.told() is None
        await server.start()
        assert server.told() is not None
        server.stop()
        assert server.told() is None

    asyncio.run(run())
