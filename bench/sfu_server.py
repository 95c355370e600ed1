"""The servers under test, each a process: `python -m bench.sfu_server tram|relay`. Line-wise JSON on stdin and stdout.

tram: the product's Peer and MediaRoom as they are, all in one room (the room's limit of six people is signalling's).
relay: aiortc's MediaRelay, which decodes once and encodes for each viewer.
"""

import asyncio
import json
import sys
from typing import Any

import uvloop
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.contrib.media import MediaRelay
from websockets.asyncio.server import ServerConnection, serve

from telehealth.media.peer import Peer, PeerEvents
from telehealth.media.router import MediaRoom
from telehealth.messages import Offer, OfferLine, Use


class Tram:
    """Rooms of the product's media."""

    def __init__(self) -> None:
        self.rooms: dict[str, MediaRoom] = {}
        self.count = 0

    async def answer(self, request: dict[str, Any]) -> str:
        room = self.rooms.get(request["room"])
        if room is None:
            room = self.rooms[request["room"]] = MediaRoom(lambda seat, message: None)
        self.count += 1
        seat = f"s{self.count}"
        chosen = room

        def state(peer: Peer, now: str) -> None:
            if now == "connected":
                chosen.use(seat, peer)
            else:
                chosen.withdraw(seat)

        nothing = lambda *_: None  # noqa: E731
        peer = Peer(1, PeerEvents(state=state, talk=nothing, vitals=nothing))
        lines = [OfferLine(mid=line["mid"], use=Use(line["use"])) for line in request["lines"]]
        return await peer.answer(Offer(pc=1, sdp=request["sdp"], lines=lines), set(Use), seat)

    async def tick(self) -> None:
        while True:
            await asyncio.sleep(0.25)
            for room in self.rooms.values():
                room.tick()


class Relay:
    """One publisher's decoded track, encoded again for every viewer."""

    def __init__(self) -> None:
        self.relay = MediaRelay()
        self.track: Any = None
        self.keep: list[RTCPeerConnection] = []

    async def answer(self, request: dict[str, Any]) -> str:
        pc = RTCPeerConnection()
        self.keep.append(pc)
        pc.on("track", lambda track: setattr(self, "track", track) if track.kind == "video" else None)
        if request["lines"][0]["use"].startswith("slot"):
            assert self.track is not None
        await pc.setRemoteDescription(RTCSessionDescription(request["sdp"], "offer"))
        if request["lines"][0]["use"].startswith("slot"):
            for transceiver in pc.getTransceivers():
                if transceiver.kind == "video":
                    transceiver.sender.replaceTrack(self.relay.subscribe(self.track))
                    transceiver.direction = "sendonly"
        await pc.setLocalDescription(await pc.createAnswer())
        return pc.localDescription.sdp

    async def tick(self) -> None:
        await asyncio.Event().wait()


async def run(kind: str) -> None:
    """Serves until it is killed."""
    server: Tram | Relay = Tram() if kind == "tram" else Relay()

    async def handle(socket: ServerConnection) -> None:
        async for frame in socket:
            await socket.send(json.dumps({"sdp": await server.answer(json.loads(frame))}))

    async with serve(handle, "127.0.0.1", 0, max_size=1 << 20) as listening:
        port = next(iter(listening.sockets)).getsockname()[1]
        print(json.dumps({"port": port}), flush=True)
        await server.tick()


if __name__ == "__main__":
    uvloop.run(run(sys.argv[1]))
