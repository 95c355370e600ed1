"""The check of a link before the call, by a join token that it does not use up: rates by HTTP, loss by an echo."""

import asyncio
import time

from aiortc import RTCDataChannel

from telehealth.media.offers import prepare
from telehealth.media.private import ForwardingConnection
from telehealth.tokens import Keyring, TokenError

SECONDS = 20.0
"""How long an echo lives."""
MOST_AT_ONCE = 40
BYTES_A_MINUTE = 65_000_000
"""Bytes one person may move in a minute: five checks of the fastest link, which moves 6 MB each way."""


class LinkChecks:
    """Echoes under way and what each person has spent."""

    def __init__(self, keyring: Keyring, *, production: bool) -> None:
        self._keyring = keyring
        self._production = production
        self._echoes: dict[str, ForwardingConnection] = {}
        self._spent: dict[str, list[tuple[float, int]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def person(self, token: str) -> str:
        """Whose token this is.

        Raises:
            TokenError: it is not valid.
        """
        return self._keyring.verify(token, "join", time.time(), production=self._production).person

    def spend(self, person: str, size: int) -> None:
        """Notes bytes moved.

        Raises:
            TokenError: with code `rate` when it is too much.
        """
        now = time.monotonic()
        recent = [(at, n) for at, n in self._spent.get(person, []) if at > now - 60.0]
        if sum(n for _, n in recent) + size > BYTES_A_MINUTE or len(recent) >= 100:
            raise TokenError("enough was measured: wait a minute", code="rate")
        self._spent[person] = [*recent, (now, size)]
        if len(self._spent) > 10_000:
            del self._spent[next(iter(self._spent))]

    async def echo(self, person: str, sdp: str) -> str:
        """Answers an offer with data channels only; the former echo of the same person ends.

        Raises:
            ValueError: the offer cannot be answered.
            TokenError: too many at once.
        """
        if person not in self._echoes and len(self._echoes) >= MOST_AT_ONCE:
            raise TokenError("many are checking their links: try again in a moment", code="rate")
        self.spend(person, 0)
        former = self._echoes.pop(person, None)
        if former is not None:
            await former.close()
        prepared = prepare(sdp)
        connection = ForwardingConnection()
        connection.on("datachannel", _returns)
        try:
            lines = await connection.take_offer(prepared.sdp)
            if lines:
                raise ValueError("the echo takes a data channel and no media")
            answer = await connection.make_answer()
            for candidate in prepared.candidates:
                await connection.add_candidate(candidate)
        except ValueError:
            await connection.close()
            raise
        self._echoes[person] = connection
        task = asyncio.create_task(self._end(person, connection))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return answer

    async def _end(self, person: str, connection: ForwardingConnection) -> None:
        await asyncio.sleep(SECONDS)
        if self._echoes.get(person) is connection:
            del self._echoes[person]
        await connection.close()

    async def close(self) -> None:
        """Ends all."""
        for task in self._tasks:
            task.cancel()
        for connection in self._echoes.values():
            await connection.close()


def _returns(channel: RTCDataChannel) -> None:
    if channel.label != "echo":
        channel.close()
        return

    def back(data: str | bytes) -> None:
        if len(data) <= 1_200 and channel.bufferedAmount < 65_536:
            channel.send(data)

    channel.on("message", back)
