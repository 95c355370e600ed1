"""The conductor with sockets made of queues: rights taken away while connected, and clients that do not read."""

import asyncio
import json
import secrets
import time
from typing import Any

from telehealth.client import MOST_WAITING
from telehealth.conductor import Conductor
from telehealth.keeping import MemoryKeeper
from telehealth.messages import Role
from telehealth.placement import Placement
from telehealth.rights import RoleRights
from telehealth.signalling import Limits
from telehealth.tokens import Grant, Key, Keyring

RING = Keyring((Key("t", b"k" * 32),))


class Queues:
    """A socket's two directions."""

    def __init__(self) -> None:
        self.to_server: asyncio.Queue[str | None] = asyncio.Queue()
        self.heard: list[dict[str, Any]] = []
        self.closed: int | None = None
        self.stuck = asyncio.Event()
        self.stuck.set()

    async def receive(self) -> str | None:
        return await self.to_server.get()

    async def send(self, text: str) -> None:
        await self.stuck.wait()
        self.heard.append(json.loads(text))

    async def close(self, code: int, reason: str) -> None:
        self.closed = code
        self.to_server.put_nowait(None)

    def say(self, **message: Any) -> None:
        self.to_server.put_nowait(json.dumps(message))

    async def hears(self, kind: str, **having: Any) -> dict[str, Any]:
        async with asyncio.timeout(60):
            while True:
                for message in self.heard:
                    if message["type"] == kind and all(message.get(k) == v for k, v in having.items()):
                        return message
                await asyncio.sleep(0.01)


def conductor(rights: RoleRights, limits: Limits | None = None) -> Conductor:
    return Conductor(
        keyring=RING, rights=rights, keeper=MemoryKeeper(), placement=Placement("one", {}), ice=lambda person: [],
        production=True, limits=limits or Limits(),
    )  # fmt: skip


def join(made: Conductor, role: Role, person: str) -> tuple[Queues, asyncio.Task[None]]:
    socket, now = Queues(), time.time()
    grant = Grant(
        kind="join", consult="c", role=role, person=person, name=person, issued=now, expires=now + 60,
        jti=secrets.token_hex(8),
    )  # fmt: skip
    socket.say(type="hello", versions=[1], token=RING.sign(grant))
    return socket, asyncio.create_task(made.serve(socket, "test"))


def test_a_doctor_reassigned_away_is_out_at_once_and_another_leads() -> None:
    async def run() -> None:
        rights = RoleRights()
        made = conductor(rights)
        first, serving = join(made, Role.DOCTOR, "d1")
        await first.hears("welcome")
        second, other = join(made, Role.DOCTOR, "d2")
        await second.hears("room", lead="s1")
        rights.revoked.add(("c", "d1"))
        first.say(type="chat", id="1", text="still here?")
        bye = await first.hears("bye", code="forbidden")
        assert not bye.get("retry")
        await second.hears("room", lead="s2")
        # Neither a new token nor the old way back lets her in again.
        again, third = join(made, Role.DOCTOR, "d1")
        await again.hears("bye", code="forbidden")
        welcome = await first.hears("welcome")
        back = Queues()
        back.say(type="hello", versions=[1], resume=welcome["resume"])
        fourth = asyncio.create_task(made.serve(back, "test"))
        await back.hears("bye", code="forbidden")
        rights.revoked.clear()
        assert not [m for m in second.heard if m["type"] == "chat_line"]
        await made.drain()
        await asyncio.gather(serving, other, third, fourth)

    asyncio.run(run())


def test_a_client_that_does_not_read_is_sent_away_and_the_others_do_not_wait() -> None:
    async def run() -> None:
        made = conductor(RoleRights(), Limits(messages=1e6, burst=1_000_000))  # of these the test is not
        doctor, serving = join(made, Role.DOCTOR, "d1")
        await doctor.hears("welcome")
        slow, other = join(made, Role.DOCTOR, "d2")
        await slow.hears("welcome")
        slow.stuck.clear()
        for n in range(MOST_WAITING + 40):
            doctor.say(type="pointer", seat="s2", x=0.5, y=0.5)
            if n % 20 == 0:
                slow.say(type="ping", at=n)  # it talks, it only does not listen
                await asyncio.sleep(0.01)
        doctor.say(type="ping", at=7.0)
        await doctor.hears("pong", at=7.0)
        slow.stuck.set()
        bye = await slow.hears("bye", code="slow")
        assert bye["retry"]
        await made.drain()
        await asyncio.gather(serving, other)

    asyncio.run(run())


def test_a_hello_that_is_not_one_and_a_socket_that_closes() -> None:
    async def run() -> None:
        made = conductor(RoleRights())
        for first in ("{}", None):
            socket = Queues()
            socket.to_server.put_nowait(first)
            await asyncio.wait_for(made.serve(socket, "test"), 60)
        assert made.sockets == 0
        assert made.admits_socket("test")

    asyncio.run(run())
