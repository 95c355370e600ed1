"""Forwarding: CPU per forwarded 640x480 stream at 30 frames a second, beside Janus and beside aiortc's MediaRelay.

    publisher (same recording, same process, same run) -> server under test -> viewers that only count

CPU is the server process' own user + system time over a steady stretch, so what else the machine does matters little;
the ratios are what to read. Janus is Debian's `janus` (apt-get install janus); without it its row is left out, said
aloud.
"""

import argparse
import asyncio
import contextlib
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from statistics import median
from typing import Any

import psutil
import uvloop
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from bench.sfu_peers import Answer, End, prepare
from tests.servers.consult import consult_server

ROOT = Path(__file__).parents[1]


def cpu(process: psutil.Process) -> float:
    """Seconds of CPU used so far, children included."""
    total = 0.0
    for one in [process, *process.children(recursive=True)]:
        times = one.cpu_times()
        total += times.user + times.system
    return total


@contextlib.asynccontextmanager
async def ours(kind: str) -> AsyncIterator[tuple[psutil.Process, Any]]:
    """A server of bench/sfu_server.py and a function that makes its `Answer` for a room."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.sfu_server", kind, cwd=ROOT, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    port = json.loads(await process.stdout.readline())["port"]
    async with connect(f"ws://127.0.0.1:{port}", max_size=1 << 20) as socket:
        lock = asyncio.Lock()

        def answers(room: str = "r") -> Answer:
            async def answer(sdp: str, lines: list[dict[str, str]]) -> str:
                async with lock:
                    await socket.send(json.dumps({"sdp": sdp, "lines": lines, "room": room}))
                    return str(json.loads(await socket.recv())["sdp"])

            return answer

        try:
            yield psutil.Process(process.pid), answers
        finally:
            process.kill()
            await process.wait()


async def measure(process: psutil.Process, viewers: list[End], seconds: float) -> tuple[float, float]:
    """(share of one core, packets a second and viewer) over a steady stretch."""
    before, at, packets = cpu(process), time.perf_counter(), [v.packets for v in viewers]
    await asyncio.sleep(seconds)
    took = time.perf_counter() - at
    rate = sum(v.packets - n for v, n in zip(viewers, packets, strict=True)) / took / max(1, len(viewers))
    return (cpu(process) - before) / took, rate


async def fan_out(kind: str, counts: list[int], seconds: float) -> dict[int, tuple[float, float]]:
    """One publisher, growing numbers of viewers, on one of our servers."""
    out = {}
    async with ours(kind) as (process, answers):
        publisher = End(sends=True)
        await publisher.start(answers())
        await asyncio.sleep(1.0)
        viewers: list[End] = []
        for count in counts:
            while len(viewers) < count:
                viewers.append(End(sends=False, receives=1))
                await viewers[-1].start(answers())
            await asyncio.sleep(2.0)
            out[count] = await measure(process, viewers, seconds)
        for end in [*viewers, publisher]:
            await end.close()
    return out


class Janus:
    """Janus' WebSocket API, as far as a video room needs it."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.session = 0

    async def ask(self, want: str = "", **message: Any) -> dict[str, Any]:
        """Sends a request; returns its answer, or the event that follows when `want` is given."""
        transaction = secrets.token_hex(6)
        if self.session:
            message["session_id"] = self.session
        await self.socket.send(json.dumps({**message, "transaction": transaction}))
        while True:
            answer: dict[str, Any] = json.loads(await self.socket.recv())
            if answer.get("transaction") != transaction or (want and answer["janus"] == "ack"):
                continue
            if answer["janus"] == "error":
                raise RuntimeError(str(answer["error"]))
            return answer

    async def attach(self) -> int:
        """A handle of the video room."""
        return int((await self.ask(janus="attach", plugin="janus.plugin.videoroom"))["data"]["id"])

    async def room(self, handle: int, **body: Any) -> dict[str, Any]:
        """A synchronous request of the plugin."""
        return await self.ask(janus="message", handle_id=handle, body=body)


@contextlib.asynccontextmanager
async def janus() -> AsyncIterator[tuple[psutil.Process, Janus]]:
    """A Janus of its own on free ports of loopback."""
    import socket as sockets

    with sockets.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "janus.jcfg").write_text(
            f'general: {{ configs_folder = "{home}" debug_level = 2 }}\n'
            "media: { ipv6 = false }\nnat: { ice_lite = false }\n"
            'plugins: { disable = "' + ",".join(
                f"libjanus_{n}.so" for n in ("audiobridge", "duktape", "echotest", "lua", "nosip", "recordplay", "sip",
                                             "streaming", "textroom", "videocall", "voicemail")) + '" }\n'
            'transports: { disable = "libjanus_http.so,libjanus_mqtt.so,libjanus_nanomsg.so,libjanus_pfunix.so,'
            'libjanus_rabbitmq.so" }\n'
        )  # fmt: skip
        (home / "janus.transport.websockets.jcfg").write_text(
            f'general: {{ json = "compact" ws = true ws_port = {port} ws_ip = "127.0.0.1" wss = false }}\n'
            "admin: { }\n"
        )
        (home / "janus.plugin.videoroom.jcfg").write_text("general: { }\n")
        process = await asyncio.create_subprocess_exec(
            "janus", "-F", folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            for _ in range(200):
                try:
                    socket = await connect(
                        f"ws://127.0.0.1:{port}", subprotocols=[Subprotocol("janus-protocol")], max_size=1 << 20
                    )
                    break
                except OSError:
                    await asyncio.sleep(0.05)
            else:
                raise RuntimeError("janus does not listen")
            async with socket:
                api = Janus(socket)
                api.session = (await api.ask(janus="create"))["data"]["id"]
                yield psutil.Process(process.pid), api
        finally:
            process.kill()
            await process.wait()


async def fan_out_janus(counts: list[int], seconds: float) -> dict[int, tuple[float, float]]:
    """The same on Janus."""
    out = {}
    async with janus() as (process, api):
        handle = await api.attach()
        await api.room(handle, request="create", room=1234, publishers=2, videocodec="vp8", bitrate=0)
        joined = await api.ask(
            "event", janus="message", handle_id=handle, body={"request": "join", "ptype": "publisher", "room": 1234}
        )
        feed = joined["plugindata"]["data"]["id"]

        async def publish(sdp: str, lines: list[dict[str, str]]) -> str:
            body = {"request": "configure", "video": True, "audio": False}
            jsep = {"type": "offer", "sdp": sdp, "trickle": False}
            event = await api.ask("event", janus="message", handle_id=handle, body=body, jsep=jsep)
            return str(event["jsep"]["sdp"])

        publisher = End(sends=True)
        await publisher.start(publish)
        await asyncio.sleep(1.0)
        viewers: list[End] = []
        for count in counts:
            while len(viewers) < count:
                mine = await api.attach()
                body = {"request": "join", "ptype": "subscriber", "room": 1234, "streams": [{"feed": feed}]}
                event = await api.ask("event", janus="message", handle_id=mine, body=body)
                offer = str(event["jsep"]["sdp"])
                end = End(sends=False, receives=1)
                answer = await end.answer(offer)
                started = api.ask(
                    "event", janus="message", handle_id=mine, body={"request": "start"},
                    jsep={"type": "answer", "sdp": answer, "trickle": False},
                )  # fmt: skip
                await asyncio.gather(started, end.begin(offer))
                viewers.append(end)
            await asyncio.sleep(2.0)
            out[count] = await measure(process, viewers, seconds)
            await api.ask(janus="keepalive")
        for end in [*viewers, publisher]:
            await end.close()
    return out


async def consults(pairs: int, seconds: float) -> tuple[float, float]:
    """Two-way consults with sound and picture: (share of one core of the server, packets a second and person)."""
    async with ours("tram") as (process, answers):
        ends = []
        for n in range(pairs):
            for _ in range(2):
                ends.append(End(sends=True, receives=1, sound=True, light=True))
                await ends[-1].start(answers(f"room-{n}"))
        await asyncio.sleep(3.0)
        measured = await measure(process, ends, seconds)
        for end in ends:
            await end.close()
    return measured


async def first_frames(tries: int) -> list[float]:
    """Seconds from a viewer's first step to the first packet of a keyframe, media part."""
    out = []
    async with ours("tram") as (_, answers):
        publisher = End(sends=True, receives=1)
        await publisher.start(answers())
        await asyncio.sleep(2.0)
        for _ in range(tries):
            viewer = End(sends=False, receives=1)
            await viewer.start(answers())
            async with asyncio.timeout(10):
                while viewer.first_keyframe is None:
                    await asyncio.sleep(0.001)
            out.append(viewer.first_keyframe)
            await viewer.close()
            await asyncio.sleep(0.4)
        await publisher.close()
    return out


async def signalled_first_frames(tries: int) -> list[float]:
    """The same with everything: socket, hello, room, offer, ICE, DTLS, first keyframe, at the real process."""
    with tempfile.TemporaryDirectory() as home, consult_server(Path(home)) as server:
        tokens = await asyncio.to_thread(server.tokens)

        async def enter(token: str, end: End) -> tuple[ClientConnection, asyncio.Task[None]]:
            socket = await connect(server.ws, max_size=1 << 20)
            await socket.send(json.dumps({"type": "hello", "versions": [1], "token": token}))
            answered: asyncio.Future[str] = asyncio.get_running_loop().create_future()
            inside = asyncio.Event()

            async def read() -> None:
                async for frame in socket:
                    message = json.loads(frame)
                    if message["type"] == "welcome":
                        seat = message["seat"]
                    elif message["type"] == "room":
                        for person in message["people"]:
                            if person["presence"] == "waiting" and message["lead"] == seat:
                                await socket.send(json.dumps({"type": "admit", "seat": person["seat"]}))
                            if person["presence"] == "present" and person["seat"] == seat:
                                inside.set()
                    elif message["type"] == "answer":
                        answered.set_result(message["sdp"])

            async def answer(sdp: str, lines: list[dict[str, str]]) -> str:
                await socket.send(json.dumps({"type": "offer", "pc": 1, "sdp": sdp, "lines": lines}))
                return await answered

            reading = asyncio.create_task(read())
            await inside.wait()
            await end.start(answer)
            return socket, reading

        doctor = End(sends=True, receives=1)
        kept = await enter(tokens["doctor"], doctor)
        await asyncio.sleep(2.0)
        out = []
        for _ in range(tries):
            viewer = End(sends=False, receives=1)
            word = (await asyncio.to_thread(server.tokens, tokens["consult"]))["station"]
            began = time.perf_counter()
            socket, reading = await enter(word, viewer)
            async with asyncio.timeout(10):
                while viewer.first_keyframe is None:
                    await asyncio.sleep(0.001)
            out.append(time.perf_counter() - began)
            await socket.send(json.dumps({"type": "leave"}))
            await viewer.close()
            with contextlib.suppress(ConnectionClosed):
                await reading
        await doctor.close()
        await kept[0].close()
        with contextlib.suppress(ConnectionClosed):
            await kept[1]
        return out


async def many(options: argparse.Namespace) -> None:
    """Growing numbers of consults, as a table."""
    print("\n| two-way consults with sound | CPU of one core | each | so many on one core | packets/s to each | load |")
    print("|---:|---:|---:|---:|---:|---:|")
    for pairs in options.pairs:
        share, rate = await consults(pairs, options.seconds)
        each, load = share / pairs, os.getloadavg()[0]
        print(f"| {pairs} | {share:.1%} | {each:.2%} | {1 / each:.0f} | {rate:.0f} | {load:.1f} |", flush=True)
    print(
        "(40 on one core are asked for; an end sends some 200 packets/s: fewer arrived, and the machine was too busy)"
    )


async def run(options: argparse.Namespace) -> None:
    """All of it, as a table."""
    prepare()
    rows: list[tuple[str, int, float, float, float]] = []

    def note(name: str, out: dict[int, tuple[float, float]]) -> float:
        counts = sorted(out)
        few, many = counts[0], counts[-1]
        marginal = (out[many][0] - out[few][0]) / (many - few)
        rows.append((name, many, out[many][0], marginal, out[many][1]))
        print(f"  {name}: " + ", ".join(f"{n} viewers {out[n][0]:.1%}" for n in counts), flush=True)
        return marginal

    if options.only_pairs:
        await many(options)
        return
    tram = note("Trạm, pass-through", await fan_out("tram", [1, options.viewers], options.seconds))
    beside = None
    if shutil.which("janus"):
        beside = note("Janus", await fan_out_janus([1, options.viewers], options.seconds))
    else:
        print("  NO JANUS: apt-get install janus to compare with it")
    again = note("Trạm, again", await fan_out("tram", [1, options.viewers], options.seconds))
    relay = note("aiortc MediaRelay", await fan_out("relay", [1, 3], options.seconds))
    print(f"\n| server | viewers | CPU of one core | each further stream | packets/s a viewer |\n|---|{'---:|' * 4}")
    for name, count, share, marginal, rate in rows:
        print(f"| {name} | {count} | {share:.1%} | {marginal:.2%} | {rate:.0f} |")
    whole = {name: share for name, _, share, _, _ in rows}
    mine = (whole["Trạm, pass-through"] + whole["Trạm, again"]) / 2
    each = (tram + again) / 2
    if beside is not None:
        ratio = mine / whole["Janus"]
        print(f"\nof Janus, at {options.viewers} viewers: {ratio:.2f} (asked: at most 1)")
        print(f"of Janus, each further stream: {each / beside:.2f} (asked: at most 1)")
    # Its encoder makes its own 500 kbit/s: some two packets a frame. Fewer, and it did not keep up with its viewers.
    reached = rows[-1][4]
    if reached > 45:
        print(f"of MediaRelay, each further stream: 1/{relay / each:.0f} (asked: at most 1/15)")
    else:
        print(f"MediaRelay did not keep up ({reached:.0f} packets/s a viewer): not to be compared on so busy a machine")
    await many(options)
    for name, taken in (
        ("offer to first keyframe packet", await first_frames(options.tries)),
        ("socket, waiting room, offer, first keyframe packet", await signalled_first_frames(options.tries)),
    ):
        print(f"{name}: median {median(taken) * 1000:.0f} ms, worst {max(taken) * 1000:.0f} ms (asked: 400 ms)")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.sfu", description=__doc__.split("\n\n")[0])
    parser.add_argument("--viewers", type=int, default=20)
    parser.add_argument("--pairs", type=int, nargs="*", default=[10, 20, 40])
    parser.add_argument("--only-pairs", action="store_true", help="leave the comparisons out")
    parser.add_argument("--seconds", type=float, default=12.0)
    parser.add_argument("--tries", type=int, default=8)
    uvloop.run(run(parser.parse_args()))  # eighty ends beside the server under test


if __name__ == "__main__":
    main()
