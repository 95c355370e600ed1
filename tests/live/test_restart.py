"""Hubs that die, start again and stand side by side behind a proxy: nobody is lost, nobody is told wrong."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from services.live.client import Live, follow
from tests.databases import SECRET_KEY, Database
from tests.people import SECRET, enter
from tests.servers.service import Service
from tests.services.filling import fill, now, store

PATIENCE = 60.0


class Proxy:
    """Passes bytes on, each connection to the next hub that takes it."""

    def __init__(self, ports: list[int]) -> None:
        self.ports = ports
        self.turn = 0
        self.used: list[int] = []
        self._writers: set[asyncio.StreamWriter] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in self.ports:
            port = self.ports[self.turn % len(self.ports)]
            self.turn += 1
            with contextlib.suppress(OSError):
                there = await asyncio.open_connection("127.0.0.1", port)
                self.used.append(port)
                await asyncio.gather(self._pass(reader, there[1]), self._pass(there[0], writer))
                return
        writer.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        writer.close()
        self._writers.discard(writer)

    def cut(self) -> None:
        """Breaks every connection, as a network does."""
        for writer in list(self._writers):
            writer.transport.abort()


@contextlib.asynccontextmanager
async def proxy(ports: list[int]) -> AsyncIterator[tuple[Proxy, int]]:
    """A proxy on a free port."""
    made = Proxy(ports)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    try:
        yield made, server.sockets[0].getsockname()[1]
    finally:
        made.cut()
        server.close()


async def until(live: Live, condition: Callable[[], bool]) -> None:
    """Waits until the mirror shows it."""
    async with asyncio.timeout(PATIENCE):
        if condition():
            return
        async for _ in live:
            if condition():
                return


def test_a_hubs_death_and_another_hub_lose_nobody(one_database: Database, tmp_path: Path) -> None:
    with one_database.connect() as conn:
        ids = list(fill(conn).values())
    enter(one_database.settings)
    hubs = [Service(tmp_path / f"hub-{n}", one_database.url, SECRET_KEY) for n in range(2)]

    def write() -> int:
        time = now()
        with one_database.connect() as conn:
            store(conn, ids, [time])
            conn.commit()
        return time

    async def run() -> None:
        async with (
            proxy([hub.port for hub in hubs]) as (between, port),
            follow(f"http://127.0.0.1:{port}", cookie=f"tram_session={SECRET}", rate=20) as one,
            follow(f"http://127.0.0.1:{port}", cookie=f"tram_session={SECRET}", rate=20) as two,
        ):

            async def told(time: int) -> None:
                for live in (one, two):
                    await until(live, lambda live=live: {v[0] for v in live.mirror.values.values()} == {time})  # type: ignore[misc]

            await told(await asyncio.to_thread(write))
            assert {one.mirror.reason, two.mirror.reason} == {"subscribed"}
            # Each stands at one of the two hubs.
            assert set(between.used) == {hub.port for hub in hubs}

            # The link breaks: each comes to whichever hub, and goes on without a snapshot.
            before = one.sockets + two.sockets
            between.cut()
            await told(await asyncio.to_thread(write))
            assert one.sockets + two.sockets >= before + 2
            assert {one.mirror.reason, two.mirror.reason} == {"subscribed"}

            # One hub is killed, and values come while it is dead: all are told by the other.
            await asyncio.to_thread(hubs[0].stop, signal.SIGKILL)
            await told(await asyncio.to_thread(write))
            await asyncio.to_thread(hubs[0].start)

            # The other is stopped as a restart does: the first, which has just begun, goes on from their places.
            await asyncio.to_thread(hubs[1].stop)
            await told(await asyncio.to_thread(write))
            assert {one.mirror.reason, two.mirror.reason} == {"subscribed"}

    try:
        for hub in hubs:
            hub.start()
        asyncio.run(run())
    finally:
        for hub in hubs:
            hub.stop()
