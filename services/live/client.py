"""A client of `/live` for programs: it comes back by itself, and goes on from where it stood.

    async with follow("https://ioc.example/live", token="…", filter=Filter(domains=["air"])) as live:
        async for mirror in live:           # a services.live.mirror.Mirror, after every change
            print(mirror.values)

It stands beside the protocol whose types it shares, and imports no other part of the server: msgspec and websockets.
Silence of three beats is a broken link, whatever the operating system believes. A token that is refused ends it with
RefusedError; everything else is tried again, for ever, with pauses that grow to LONGEST seconds.
"""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI

from services.live.messages import (
    VERSION,
    Close,
    Events,
    Filter,
    Hello,
    Problem,
    Resumed,
    Resync,
    Snapshot,
    Subscribe,
    decode_hub,
    encode,
)  # fmt: skip
from services.live.mirror import Mirror

LONGEST = 5.0
"""Seconds between tries, at most."""
GREETING = 10.0
"""Seconds from opening a socket to its first message."""
SILENT = 3.0
"""Beats of silence after which a socket is given up."""
ONLY = "all"
"""Id of the one subscription."""
_FINAL = frozenset({Close.MALFORMED, Close.SIGNED_OUT, Close.FORBIDDEN, 1009})


class RefusedError(Exception):
    """The hub does not let this client follow that: coming back does not help."""


class Live:
    """One followed subscription; iterate it, or wait for `changed` and look at `mirror`.

    Attributes:
        mirror: what is followed, as it is known now.
        connected: whether a socket is open and greeted.
        source: `ok`, or `away` while the hub cannot reach its database.
        sockets: how many were opened so far.
    """

    def __init__(self, url: str, subscribe: Subscribe, headers: dict[str, str]) -> None:
        self.mirror = Mirror()
        self.connected = False
        self.source = "ok"
        self.sockets = 0
        self._url, self._subscribe, self._headers = url, subscribe, headers
        self._changes = 0
        self._changed = asyncio.Condition()
        self._error: RefusedError | None = None

    async def __aiter__(self) -> AsyncIterator[Mirror]:
        """The mirror after every change; several changes may be one step. Raises RefusedError."""
        seen = 0
        while True:
            async with self._changed:
                await self._changed.wait_for(lambda seen=seen: self._changes > seen or self._error)  # type: ignore[misc]
                if self._error is not None:
                    raise self._error
                seen = self._changes
            yield self.mirror

    async def run(self) -> None:
        """Until it is cancelled, or refused."""
        pause = 0.0
        while self._error is None:
            try:
                await self._socket()
                pause = 0.0
            except ConnectionClosed as error:
                code = error.rcvd.code if error.rcvd else 1006
                if code in _FINAL:
                    await self._refuse(f"{code}: {error.rcvd.reason if error.rcvd else ''}")
                pause = 0.1 if self.connected else pause
            except InvalidURI as error:
                await self._refuse(str(error))
            except (OSError, InvalidHandshake, TimeoutError, msgspec.DecodeError, EOFError):
                pause = 0.1 if self.connected else pause
            self.connected = False
            # By chance, so that a province of clients does not come back in one beat.
            await asyncio.sleep(pause * (0.5 + random.random() / 2))  # noqa: S311 - no secret
            pause = min(LONGEST, max(0.1, 2 * pause))

    async def _socket(self) -> None:
        self.sockets += 1
        async with connect(
            self._url, additional_headers=self._headers, compression=None, max_size=None, ping_interval=None,
            open_timeout=GREETING, close_timeout=1,
        ) as socket:  # fmt: skip
            hello = decode_hub(await asyncio.wait_for(socket.recv(), GREETING))
            if not isinstance(hello, Hello) or hello.version != VERSION:
                await self._refuse(f"the hub speaks another protocol than version {VERSION}")
                return
            self.connected = True
            self._subscribe.after = self.mirror.seq
            await socket.send(encode(self._subscribe).decode())
            while True:
                data = await asyncio.wait_for(socket.recv(), SILENT * hello.beat)
                await self._take(socket, data)

    async def _take(self, socket: ClientConnection, data: str | bytes) -> None:
        message: Any = decode_hub(data)
        if isinstance(message, Snapshot | Events | Resumed):
            if not self.mirror.apply(message):
                await socket.send(encode(Resync(id=ONLY)).decode())
                return
        elif isinstance(message, Problem):
            await self._refuse(f"{message.code}: {message.message}")
            await socket.close()
            return
        elif message.__struct_config__.tag == "beat" and message.source != self.source:
            self.source = message.source
        else:
            return
        async with self._changed:
            self._changes += 1
            self._changed.notify_all()

    async def _refuse(self, why: str) -> None:
        async with self._changed:
            self._error = RefusedError(why)
            self._changed.notify_all()


@asynccontextmanager
async def follow(
    url: str, *, token: str = "", cookie: str = "", filter: Filter | None = None, rate: float = 4.0,
    values: bool = True, alarms: bool = True,
) -> AsyncIterator[Live]:  # fmt: skip
    """Follows for as long as the block runs.

    Args:
        url: http(s):// or ws(s)://; `/live` is added where there is no path.
        token: a personal access token; or `cookie`, a whole Cookie header.
        filter, rate, values, alarms: as of the protocol's `subscribe`.
    """
    parts = urlsplit(url)
    scheme = {"http": "ws", "https": "wss"}.get(parts.scheme, parts.scheme)
    address = urlunsplit(
        (scheme, parts.netloc, parts.path if parts.path not in ("", "/") else "/live", parts.query, "")
    )
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    if cookie:
        headers["Cookie"] = cookie
    subscribe = Subscribe(id=ONLY, filter=filter or Filter(), rate=rate, values=values, alarms=alarms)
    live = Live(address, subscribe, headers)
    task = asyncio.create_task(live.run(), name="live client")
    try:
        yield live
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
