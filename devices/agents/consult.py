"""A participant without a browser: the consult protocol (docs/consult-protocol.md, version 1) over websockets and
aiortc.

It speaks the protocol from its text alone and shares no code with the server. It comes back by itself: when the
socket or the peer connection is lost it says `hello` with the word of the last `welcome` and makes a new peer
connection.
"""

import asyncio
import contextlib
import json
import logging
import random
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiortc import (
    RTCBundlePolicy,
    RTCConfiguration,
    RTCDataChannel,
    RTCIceServer,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamTrack
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.typing import Origin

from devices.agents.lines import lines, received

log = logging.getLogger(__name__)

CONNECT_SECONDS = 10.0
FIRST_PAUSE, LAST_PAUSE = 0.1, 1.0
"""Seconds between tries: a link that is back shall have its call back within 1.5 s."""
OPEN_SECONDS = 2.0
"""A socket that was opened into a dead link is given up after so long; each try doubles it, for links that are slow."""
DOUBT = 0.4
"""Seconds without a packet, just after the socket came back, that make a media path a dead one."""
CHANGE_OVER = 2.0
"""Seconds that the channels of a replaced peer connection stay, until the new one's are open."""
Handler = Callable[[dict[str, Any]], None]


class Final(Exception):
    """The server said goodbye for good; `code` says why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


@dataclass
class Participant:
    """One seat of a consult.

    Args:
        url: ws://host:port/consult
        token: a join token.
        tracks: opens the media to send anew for each peer connection: {"microphone": track, "camera": track}.
        slots: how many others to hear and to see.
        on_message: called with every message of the server.
        on_track: called with (slot line's mid, track) of each peer connection.
        on_vitals: called with every frame of the vitals channel.
        codec: `VP8` or `H264`, for what we send.
        origin: the Origin header; programs send none.
    """

    url: str
    token: str
    tracks: Callable[[], dict[str, MediaStreamTrack]] = dict
    slots: tuple[int, int] = (2, 2)
    on_message: Handler | None = None
    on_track: Callable[[str, MediaStreamTrack], None] | None = None
    on_vitals: Handler | None = None
    codec: str = "VP8"
    origin: str | None = None
    seat: str = ""
    rights: list[str] = field(default_factory=list)
    room: dict[str, Any] = field(default_factory=dict)
    resumes: int = 0
    connections: int = 0
    _resume: str | None = None
    _nonce: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    """With the same one the token may be said again, when its `welcome` did not come."""
    _socket: ClientConnection | None = None
    _pc: RTCPeerConnection | None = None
    _number: int = 0
    _channels: list[dict[str, RTCDataChannel]] = field(default_factory=list)
    """By label, of the newest peer connection first and of the one before it."""
    _heard: float = 0.0
    _patience: float = OPEN_SECONDS
    _ice: list[RTCIceServer] = field(default_factory=list)
    _offered: bool = False
    _answered: dict[int, asyncio.Future[str]] = field(default_factory=dict)
    _tasks: set[asyncio.Task[Any]] = field(default_factory=set)
    leaving: bool = False
    _old: RTCPeerConnection | None = None

    # --- the outside ---

    async def run(self) -> None:
        """Takes part until `leave`, or until the server ends it.

        Raises:
            Final: the server said goodbye for good.
        """
        pause = FIRST_PAUSE
        try:
            while not self.leaving:
                try:
                    before = self.connections
                    await self._once()
                    if self.connections > before:
                        pause, self._patience = FIRST_PAUSE, OPEN_SECONDS
                except TimeoutError:
                    self._patience = min(CONNECT_SECONDS, self._patience * 2)
                except (OSError, InvalidHandshake, ConnectionClosed) as error:
                    log.info("the consult's socket was lost", extra={"reason": type(error).__name__})
                await asyncio.sleep(pause * (0.8 + 0.4 * random.random()))  # noqa: S311 - jitter
                pause = min(LAST_PAUSE, pause * 2)
        finally:
            await self.close()

    async def send(self, message: dict[str, Any]) -> None:
        """A message on the socket.

        Raises:
            ConnectionError: there is none now.
        """
        if self._socket is None:
            raise ConnectionError("not connected")
        try:
            await self._socket.send(json.dumps(message))
        except ConnectionClosed:
            raise ConnectionError("not connected") from None

    def send_vitals(self, frame: dict[str, Any]) -> bool:
        """A frame on the vitals channel; False (and dropped) when it is not open or does not keep up."""
        channel = self._channel("vitals")
        if channel is None or channel.bufferedAmount > 8_192:
            return False
        channel.send(json.dumps(frame, separators=(",", ":")))
        return True

    def talk(self, message: dict[str, Any]) -> bool:
        """A message on the reliable channel; False when it is not open."""
        channel = self._channel("talk")
        if channel is None:
            return False
        channel.send(json.dumps(message))
        return True

    def _channel(self, label: str) -> RTCDataChannel | None:
        """The open one of the newest peer connection that has one: a change of connection loses no sample."""
        return next((c[label] for c in self._channels if c[label].readyState == "open"), None)

    @property
    def connected(self) -> bool:
        """Whether the peer connection stands."""
        return self._pc is not None and self._pc.connectionState == "connected"

    @property
    def peer_connection(self) -> RTCPeerConnection | None:
        """The newest peer connection."""
        return self._pc

    async def leave(self) -> None:
        """Goes for good."""
        self.leaving = True
        with contextlib.suppress(ConnectionError):
            await self.send({"type": "leave"})

    async def close(self) -> None:
        """Ends everything here without a word to the server: the seat is kept there."""
        self.leaving = True
        for task in list(self._tasks):
            task.cancel()
        for pc in (self._pc, self._old):
            if pc is not None:
                await pc.close()
        self._pc = self._old = None
        if self._socket is not None:
            await self._socket.close()

    # --- the socket ---

    async def _once(self) -> None:
        async with asyncio.timeout(self._patience):
            socket = await connect(
                self.url,
                origin=None if self.origin is None else Origin(self.origin),
                compression=None,
                max_size=1 << 20,
                ping_interval=None,
                close_timeout=1,
            )
        async with socket:
            self._socket = socket
            self._heard = time.monotonic()
            hello: dict[str, Any] = {"type": "hello", "versions": [1], "client": "tram-station"}
            hello |= {"token": self.token, "nonce": self._nonce} if self._resume is None else {"resume": self._resume}
            await socket.send(json.dumps(hello))
            pings: asyncio.Task[None] | None = None
            try:
                async for frame in socket:
                    message = json.loads(frame)
                    self._heard = time.monotonic()
                    if message["type"] == "welcome" and pings is None:
                        pings = asyncio.create_task(self._ping(socket, message["limits"]["ping_seconds"]))
                    await self._take(message)
            finally:
                self._socket = None
                if pings is not None:
                    pings.cancel()

    async def _ping(self, socket: ClientConnection, every: float) -> None:
        with contextlib.suppress(ConnectionClosed):
            while True:
                if time.monotonic() - self._heard > 2 * every + 0.5:
                    # Two pings without an answer: dead, whatever the operating system believes.
                    socket.transport.abort()
                    return
                await socket.send(json.dumps({"type": "ping", "at": time.time()}))
                await asyncio.sleep(every)

    async def _take(self, message: dict[str, Any]) -> None:
        kind = message["type"]
        if kind == "welcome":
            self.seat, self.rights, self._resume = message["seat"], message["rights"], message["resume"]
            self.connections += 1
            self.resumes += 1 if message.get("resumed") else 0
            self._ice = [
                RTCIceServer(urls=s["urls"], username=s.get("username"), credential=s.get("credential"))
                for s in message["ice"]
            ]
            # After the death of its process the server knows no peer connection, while ours seems to stand for 30 s.
            self._offered = self.connected and message.get("pc", 0) == self._number
            if self._offered and message.get("resumed") and self._pc is not None:
                self._start(self._doubt(self._pc))
        elif kind == "room":
            if message["rev"] >= self.room.get("rev", -1):
                self.room = message
            mine = next((p for p in message["people"] if p["seat"] == self.seat), None)
            if mine is not None and mine["presence"] == "present" and not self._offered:
                self._offered = True
                self._start(self._offer())
        elif kind == "answer":
            waiting = self._answered.pop(message["pc"], None)
            if waiting is not None and not waiting.done():
                waiting.set_result(message["sdp"])
        elif kind == "pc" and message["state"] == "connected" and message["pc"] == self._number:
            old, self._old = self._old, None
            if old is not None:
                self._start(self._retire(old))
        elif kind == "reconnect" or (kind == "pc" and message["state"] == "failed" and message["pc"] == self._number):
            self._start(self._offer())
        elif kind == "redirect":
            self.url = message["url"]
        elif kind == "bye" and not message.get("retry", False):
            self.leaving = True
            if self.on_message is not None:
                self.on_message(message)
            if message["code"] not in ("left", "ended"):
                raise Final(message["code"], message["message"])
            return
        if self.on_message is not None:
            self.on_message(message)

    def _start(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # --- the peer connection ---

    async def _doubt(self, pc: RTCPeerConnection) -> None:
        """The socket was lost: does the path of the media still carry anything? ICE would notice in half a minute."""
        before = await received(pc)
        await asyncio.sleep(DOUBT)
        if pc is self._pc and not self.leaving and await received(pc) <= before:
            await self._offer()

    async def _retire(self, pc: RTCPeerConnection) -> None:
        """Closes a replaced one: not before the new one's channels are open, at the latest after CHANGE_OVER."""
        opened = asyncio.Event()
        fresh = self._channels[0]["vitals"]
        fresh.on("open", opened.set)
        if fresh.readyState == "connecting":
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(opened.wait(), CHANGE_OVER)
        await pc.close()

    async def _offer(self) -> None:
        """A new peer connection beside the old one, which ends when this one stands."""
        self._number = max(self._number + 1, int(time.time()) - 1_700_000_000)
        number = self._number
        # aiortc moves only the first line of a kind to the bundle's transport unless all share one from the start.
        pc = RTCPeerConnection(RTCConfiguration(iceServers=self._ice, bundlePolicy=RTCBundlePolicy.MAX_BUNDLE))
        if self._old is None:
            self._old = self._pc
        elif self._pc is not None:
            self._start(self._pc.close())
        self._pc = pc
        made = lines(pc, self.tracks(), self.rights, self.slots, self.codec)
        channels = {
            "vitals": pc.createDataChannel("vitals", ordered=False, maxRetransmits=0),
            "talk": pc.createDataChannel("talk"),
        }
        self._channels = [channels, *self._channels[:1]]
        if self.on_vitals is not None:
            heard = self.on_vitals
            channels["vitals"].on("message", lambda data: heard(json.loads(data)))
        if self.on_message is not None:
            told = self.on_message
            channels["talk"].on("message", lambda data: told(json.loads(data)))

        def state_changed() -> None:
            if pc.connectionState == "failed" and pc is self._pc and not self.leaving:
                self._start(self._offer())

        pc.on("connectionstatechange", state_changed)
        try:
            await pc.setLocalDescription(await pc.createOffer())
            self._answered[number] = asyncio.get_running_loop().create_future()
            uses = [{"mid": line.transceiver.mid, "use": line.use} for line in made]
            waiting = self._answered[number]
            await self.send({"type": "offer", "pc": number, "sdp": pc.localDescription.sdp, "lines": uses})
            async with asyncio.timeout(CONNECT_SECONDS):
                answer = await waiting
            await pc.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        except (ConnectionError, TimeoutError):
            self._answered.pop(number, None)
            self._offered = False  # the next welcome starts again
            return
        if self.on_track is not None:
            for line in made:
                if line.use.startswith("slot") and line.transceiver.mid is not None:
                    self.on_track(line.transceiver.mid, line.transceiver.receiver.track)
        sends = {line.use for line in made}
        with contextlib.suppress(ConnectionError):
            media = {"microphone": "microphone" in sends, "camera": "camera" in sends, "screen": False}
            await self.send({"type": "media", **media})
