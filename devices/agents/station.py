"""A commune health station without a browser: takes part in a consult with a picture, sound and vital signs.

    python -m devices.agents.station --server http://127.0.0.1:8090 --consult thu --vitals simulated:sepsis

Without `--token` it asks the server for a demo token (a demo only). The picture is a test pattern with a clock, or a
file or camera that FFmpeg opens (`--source`). Devices are modules: `--vitals module:argument` names one with
`open_source(argument) -> VitalsSource`; `simulated` is the simulated patient.
"""

import argparse
import asyncio
import fractions
import importlib
import json
import logging
import math
import signal
import sys
import time
import urllib.request
from collections.abc import Callable
from typing import Any, Protocol

import av
import numpy as np
from aiortc.contrib.media import MediaBlackhole, MediaPlayer
from aiortc.mediastreams import AudioStreamTrack, MediaStreamTrack, VideoStreamTrack

from devices.agents.consult import Final, Participant

log = logging.getLogger(__name__)

SIMULATED = "devices.simulators.patient"
PIECE = 50
"""ECG samples of one frame: 0.2 s."""


class VitalsSource(Protocol):
    """What a device module opens."""

    subject: str
    device: str
    lead: str
    rate: int

    def ecg(self, count: int) -> list[int]:
        """The next samples, in microvolts."""
        ...

    def numbers(self) -> dict[str, float]:
        """What is being measured now."""
        ...


class TestPicture(VideoStreamTrack):
    """Grey bars, a square that goes round once a second and one pixel column that counts: motion without a camera.

    Args:
        colour: the square's (Y, U, V).
        size: width and height.
    """

    def __init__(self, colour: tuple[int, int, int] = (180, 90, 200), size: tuple[int, int] = (640, 480)) -> None:
        super().__init__()
        self._width, self._height = size
        self._colour = colour
        self._count = 0
        bars = np.tile((np.arange(self._width) * 8 // self._width * 20 + 40).astype(np.uint8), (self._height, 1))
        self._luma = bars

    async def recv(self) -> av.VideoFrame:
        """The next frame, at 30 a second."""
        pts, base = await self.next_timestamp()
        w, h = self._width, self._height
        angle = 2 * math.pi * (self._count % 30) / 30
        x, y = int(w / 2 + w / 4 * math.cos(angle)) // 2 * 2, int(h / 2 + h / 4 * math.sin(angle)) // 2 * 2
        side = h // 6 // 2 * 2
        luma = self._luma.copy()
        u = np.full((h // 2, w // 2), 128, np.uint8)
        v = u.copy()
        luma[y : y + side, x : x + side] = self._colour[0]
        u[y // 2 : (y + side) // 2, x // 2 : (x + side) // 2] = self._colour[1]
        v[y // 2 : (y + side) // 2, x // 2 : (x + side) // 2] = self._colour[2]
        planes = np.concatenate([luma.ravel(), u.ravel(), v.ravel()]).reshape(h * 3 // 2, w)
        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        frame.pts, frame.time_base = pts, base
        self._count += 1
        return frame


class TestSound(AudioStreamTrack):
    """A tone that comes and goes twice a second, so that speech detection and sound can be seen to work."""

    def __init__(self, hertz: float = 440.0) -> None:
        super().__init__()
        self._hertz = hertz
        self._at = 0
        self._started: float | None = None

    async def recv(self) -> av.AudioFrame:
        """The next 20 ms at 48 kHz."""
        if self._started is None:
            self._started = time.monotonic()
        await asyncio.sleep(max(0.0, self._started + self._at / 48_000 - time.monotonic()))
        t = (self._at + np.arange(960)) / 48_000
        loud = 0.5 * (1 + np.sin(2 * np.pi * 2 * t))
        samples = (6000 * loud * np.sin(2 * np.pi * self._hertz * t)).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 48_000, self._at, fractions.Fraction(1, 48_000)
        self._at += 960
        return frame


def media(source: str) -> Callable[[], dict[str, MediaStreamTrack]]:
    """Opens what is sent: the test picture for an empty source, else what FFmpeg makes of it (looped when a file)."""
    if not source:
        return lambda: {"microphone": TestSound(), "camera": TestPicture()}

    def opened() -> dict[str, MediaStreamTrack]:
        player = MediaPlayer(source, loop=not source.startswith(("/dev/", "rtsp:")))
        tracks = {"microphone": player.audio, "camera": player.video}
        return {use: track for use, track in tracks.items() if track is not None}

    return opened


def open_vitals(text: str) -> VitalsSource | None:
    """`module:argument`, `simulated:scenario` or nothing."""
    if not text:
        return None
    module, _, argument = text.partition(":")
    name = SIMULATED if module == "simulated" else module
    source: VitalsSource = importlib.import_module(name).open_source(argument)
    return source


async def publish_vitals(participant: Participant, source: VitalsSource) -> None:
    """Sends the source's waveform in pieces and its numbers once a second, by the device's clock, until cancelled.

    What the link does not take is gone: a later piece is worth more than a late one.
    """
    started, sent, n = time.time(), 0, 0
    while True:
        at = started + sent / source.rate
        await asyncio.sleep(max(0.0, at + PIECE / source.rate - time.time()))
        head = {"subject": source.subject, "device": source.device, "n": n}
        micros = int(at * 1e6)
        samples = source.ecg(PIECE)
        participant.send_vitals(
            {"type": "wave", **head, "at": micros, "lead": source.lead, "rate": source.rate, "samples": samples}
        )
        if sent % source.rate == 0:
            participant.send_vitals({"type": "numbers", **head, "at": micros, "values": source.numbers()})
        sent += PIECE
        n += 1


def demo_token(server: str, consult: str, role: str) -> str:
    """A join token of a demo server.

    Raises:
        OSError: it does not answer, or makes none.
    """
    body = json.dumps({"consult": consult} if consult else {}).encode()
    request = urllib.request.Request(  # noqa: S310 - an address the operator typed
        f"{server}/consult/api/demo", body, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        token: str = json.load(answer)["tokens"][role]
    return token


async def take_part(arguments: argparse.Namespace) -> int:
    """Runs until a signal or the consult's end; returns the exit code."""
    if arguments.token:
        token = arguments.token
    else:
        token = await asyncio.to_thread(demo_token, arguments.server, arguments.consult, arguments.role)
    holes: list[MediaBlackhole] = []

    def swallow(mid: str, track: MediaStreamTrack) -> None:
        hole = MediaBlackhole()
        hole.addTrack(track)
        holes.append(hole)
        task = asyncio.ensure_future(hole.start())
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    def told(message: dict[str, Any]) -> None:
        if message["type"] in ("welcome", "pc", "problem", "bye"):
            words = [str(message[key]) for key in ("type", "seat", "state", "code", "message") if key in message]
            log.info("consult: %s", " ".join(words))

    tasks: set[asyncio.Task[Any]] = set()
    url = "ws" + arguments.server.removeprefix("http") + "/consult"
    participant = Participant(url, token, tracks=media(arguments.source), on_message=told, on_track=swallow)
    source = open_vitals(arguments.vitals)
    if source is not None:
        tasks.add(asyncio.create_task(publish_vitals(participant, source)))
    loop = asyncio.get_running_loop()
    running = asyncio.create_task(participant.run())
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, lambda: loop.create_task(_stop(participant, running)))
    try:
        await running
    except Final as final:
        print(f"station: {final}", file=sys.stderr)  # noqa: T201
        return 1
    except asyncio.CancelledError:
        return 0
    finally:
        for task in tasks:
            task.cancel()
        for hole in holes:
            await hole.stop()
    return 0


async def _stop(participant: Participant, running: asyncio.Task[None]) -> None:
    await participant.leave()
    await asyncio.wait([running], timeout=2.0)
    running.cancel()


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m devices.agents.station", description=__doc__.split("\n\n")[0])
    parser.add_argument("--server", default="http://127.0.0.1:8090", help="address of telehealth")
    parser.add_argument("--consult", default="", help="id of a demo consult; a new one when left out")
    parser.add_argument(
        "--role", default="station", help="whose demo token: station, or monitor to join beside a nurse's page"
    )
    parser.add_argument("--token", default="", help="a join token, instead of a demo one")
    parser.add_argument("--source", default="", help="file, camera or rtsp:// address; a test picture when left out")
    parser.add_argument("--vitals", default="simulated:stable", help="module:argument, or simulated:SCENARIO")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        return asyncio.run(take_part(arguments))
    except (OSError, ValueError) as error:
        print(f"station: {error}", file=sys.stderr)  # noqa: T201
        return 2


if __name__ == "__main__":
    sys.exit(main())
