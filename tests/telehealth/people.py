"""Participants for tests, on threads of their own loop: the station kit's client with what it heard kept."""

import asyncio
import json
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from devices.agents.consult import Final, Participant
from devices.agents.station import TestPicture, TestSound
from tests import secrecy
from tests.waiting import until

T = TypeVar("T")


class Loop:
    """An event loop on a thread."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def call(self, work: Coroutine[Any, Any, T], timeout: float = 60.0) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(timeout)

    def close(self) -> None:
        async def cancel() -> None:
            tasks = [t for t in asyncio.all_tasks() if t is not asyncio.current_task()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        self.call(cancel())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(5)
        self.loop.close()


@dataclass
class Person:
    """A participant with everything it heard and saw."""

    loop: Loop
    participant: Participant
    messages: list[dict[str, Any]] = field(default_factory=list)
    vitals: list[dict[str, Any]] = field(default_factory=list)
    frames: dict[str, int] = field(default_factory=dict)
    pictures: dict[str, Any] = field(default_factory=dict)
    ended: str | None = None

    def of(self, kind: str) -> list[dict[str, Any]]:
        """Messages of one type."""
        return [m for m in list(self.messages) if m["type"] == kind]

    def count(self, kind: str) -> int:
        """Decoded frames of `video` or `audio`."""
        return sum(n for key, n in dict(self.frames).items() if key.startswith(kind))

    def send(self, **message: Any) -> None:
        self.loop.call(self.participant.send(message))

    def talk(self, **message: Any) -> None:
        """On the reliable channel."""

        async def send() -> bool:
            return self.participant.talk(message)

        assert self.loop.call(send())

    def waits_for(self, kind: str, timeout: float = 60.0, **having: Any) -> dict[str, Any]:
        def found() -> dict[str, Any] | None:
            return next((m for m in self.of(kind) if all(m.get(k) == v for k, v in having.items())), None)

        message = until(found, f"{kind} {having}", timeout)
        assert message is not None
        return message

    def sees(self, more: int = 10, timeout: float = 60.0) -> None:
        """Pictures and sound go on arriving."""
        video, audio = self.count("video"), self.count("audio")
        until(lambda: self.count("video") > video + more, "pictures go on", timeout)
        until(lambda: self.count("audio") > audio + more, "sound goes on", timeout)

    def cut(self) -> None:
        """The socket breaks, without a word."""

        async def abort() -> None:
            socket = self.participant._socket
            if socket is not None:
                socket.transport.abort()

        self.loop.call(abort())


def take_part(
    loop: Loop,
    url: str,
    token: str,
    *,
    admit: bool = True,
    colour: tuple[int, int, int] = (180, 90, 200),
    send: bool = True,
    **options: Any,
) -> Person:
    """Joins; a lead admits whoever waits."""  # fmt: skip
    person: Person

    async def pull(mid: str, track: MediaStreamTrack) -> None:
        key = f"{track.kind} {mid}"
        try:
            while True:
                frame = await track.recv()
                person.frames[key] = person.frames.get(key, 0) + 1
                person.pictures[key] = frame
        except MediaStreamError:
            return

    def told(message: dict[str, Any]) -> None:
        person.messages.append(message)
        if message["type"] == "room" and admit and message["lead"] == person.participant.seat:
            for other in message["people"]:
                if other["presence"] == "waiting":
                    keep(person.participant.send({"type": "admit", "seat": other["seat"]}))

    tasks: set[asyncio.Task[Any]] = set()

    def keep(work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.ensure_future(work)
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    def tracks() -> dict[str, MediaStreamTrack]:
        return {"microphone": TestSound(), "camera": TestPicture(colour, (320, 240))} if send else {}

    participant = Participant(
        url, token, tracks=tracks, on_message=told, on_track=lambda mid, track: keep(pull(mid, track)),
        on_vitals=lambda frame: person.vitals.append(frame), **options,
    )  # fmt: skip
    person = Person(loop, participant)

    async def run() -> None:
        try:
            await participant.run()
        except Final as final:
            person.ended = final.code
        else:
            person.ended = "left"

    async def start() -> None:
        keep(run())

    loop.call(start())
    return person


@contextmanager
def people() -> Iterator[Callable[..., Person]]:
    """Makes participants; all end with the block."""
    loop = Loop()
    made: list[Person] = []

    def make(url: str, token: str, **options: Any) -> Person:
        made.append(take_part(loop, url, token, **options))
        return made[-1]

    try:
        yield make
    finally:
        for person in made:  # aiortc's own tasks end in its own order
            loop.call(person.participant.close())
        loop.close()


class RawSocket:
    """A WebSocket that says whatever a test wants."""

    def __init__(self, url: str, **options: Any) -> None:
        self.socket: ClientConnection = connect(url, max_size=1 << 20, **options).__enter__()

    def say(self, message: dict[str, Any] | str | bytes) -> None:
        self.socket.send(json.dumps(message) if isinstance(message, dict) else message)

    def hello(self, **words: Any) -> dict[str, Any]:
        """Says hello and returns the first answer."""
        self.say({"type": "hello", "versions": [1], **words})
        return self.hears()

    def hears(self, *kinds: str, timeout: float = 60.0) -> dict[str, Any]:
        """The next message, or the next of these types; {} when the socket is closed."""
        while True:
            try:
                message: dict[str, Any] = json.loads(self.socket.recv(timeout))
                if message["type"] in ("bye", "problem"):
                    secrecy.WATCH.tell(f"{message['type']} of the consult", json.dumps(message))
            except ConnectionClosed:
                return {}
            if not kinds or message["type"] in kinds:
                return message

    def close(self) -> None:
        self.socket.close()
