"""What a WebSocket server costs to tell many the same: FastAPI, the `websockets` library's own server, ready frames.

    python -m bench.live_servers [--sockets 200] [--idle 1000] [--frames 500]

Each server is a process of its own with nothing else in it; the clients are bare sockets in another, which read and
look at nothing. Every 5 ms a new frame of 1 kB goes to every socket. Printed: CPU of the server a frame and socket, and
resident memory an idle socket.
"""

import argparse
import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import uvicorn
import uvloop
from fastapi import FastAPI, WebSocket
from websockets.asyncio.server import ServerConnection, broadcast, serve

from services.live.followers import framed
from services.live.wire import UVICORN, wire_of
from tests.servers.gateway import cpu_seconds, wait_until
from tram.embedded.ports import free_port

STEP = 0.005
KINDS = ("fastapi", "websockets", "websockets, deflate", "ready frames")


def payload(n: int) -> bytes:
    return (b'{"op":"events","n":%d,"values":[' % n).ljust(1_000, b"1") + b"]}"


async def server(kind: str, port: int, frames: int) -> None:
    """Tells every socket `frames` frames once a line comes in on standard input."""
    sockets: set[Any] = set()
    loop = asyncio.get_running_loop()
    go = asyncio.Event()
    loop.add_reader(sys.stdin.fileno(), lambda: (os.read(sys.stdin.fileno(), 100), go.set()))

    async def tell(one: Any) -> None:
        while True:
            await go.wait()
            go.clear()
            for n in range(frames):
                await one(n)
                await asyncio.sleep(STEP)
            print("done", flush=True)

    if kind.startswith("websockets"):

        async def handler(socket: ServerConnection) -> None:
            sockets.add(socket)
            await socket.wait_closed()

        async def one(n: int) -> None:
            broadcast(sockets, payload(n).decode())

        compression = "deflate" if "deflate" in kind else None
        async with serve(handler, "127.0.0.1", port, compression=compression, ping_interval=None):
            await tell(one)
        return
    app = FastAPI()

    @app.websocket("/live")
    async def live(websocket: WebSocket) -> None:
        await websocket.accept()
        queue: asyncio.Queue[str] = asyncio.Queue()
        mine = queue if kind == "fastapi" else wire_of(websocket)
        sockets.add(mine)
        if kind == "fastapi":
            while True:
                await websocket.send_text(await queue.get())
        while (await websocket.receive())["type"] != "websocket.disconnect":
            pass

    async def ready(n: int) -> None:
        frame = framed(payload(n))
        for wire in sockets:
            wire.write(frame)

    async def queued(n: int) -> None:
        text = payload(n).decode()
        for queue in sockets:
            queue.put_nowait(text)

    options = UVICORN | {"ws_ping_interval": None}  # the bare clients answer none
    if kind != "ready frames":
        options["ws"] = "websockets-sansio"
    config = uvicorn.Config(app, port=port, loop="none", http="h11", log_config=None, **options)
    asyncio.create_task(tell(ready if kind == "ready frames" else queued))  # noqa: RUF006 - it ends with the process
    await uvicorn.Server(config).serve()


def rss(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


CLIENTS = """
import asyncio, os, sys, base64, uvloop
class One(asyncio.Protocol):
    def connection_made(self, t):
        extra = "Sec-WebSocket-Extensions: permessage-deflate\\r\\n" if sys.argv[3] == "1" else ""
        t.write(f"GET /live HTTP/1.1\\r\\nHost: 127.0.0.1\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\n{extra}"
                "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\\r\\nSec-WebSocket-Version: 13\\r\\n\\r\\n".encode())
        self.new = True
    def data_received(self, data):
        global greeted
        greeted += self.new
        self.new = False
greeted = 0
async def main():
    loop = asyncio.get_running_loop()
    for n in range(int(sys.argv[2])):
        await loop.create_connection(One, "127.0.0.1", int(sys.argv[1]))
    while greeted < int(sys.argv[2]):
        await asyncio.sleep(0.01)
    print("open", flush=True)
    await asyncio.Event().wait()
uvloop.run(main())
"""


def measure(kind: str, sockets: int, frames: int) -> tuple[float, float]:
    """(µs of the server's CPU a frame and socket, kB of memory a socket)."""
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "bench.live_servers",
        "--serve",
        kind,
        "--port",
        str(port),
        "--frames",
        str(frames),
    ]
    served = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    clients = None
    try:

        def listening() -> bool:
            return any(f":{port:04X} " in line for line in Path("/proc/net/tcp").read_text().splitlines())

        wait_until(listening, 60, "it listens")
        before = rss(served.pid)
        deflate = "1" if "deflate" in kind else "0"
        clients = subprocess.Popen(
            [sys.executable, "-c", CLIENTS, str(port), str(sockets), deflate], stdout=subprocess.PIPE, text=True
        )
        assert clients.stdout is not None
        assert clients.stdout.readline() == "open\n"
        assert served.stdin is not None
        assert served.stdout is not None
        start = cpu_seconds(served.pid)
        served.stdin.write("go\n")
        served.stdin.flush()
        assert served.stdout.readline() == "done\n"
        used = cpu_seconds(served.pid) - start
        return used / frames / sockets * 1e6, (rss(served.pid) - before) / sockets / 1e3
    finally:
        for process in (clients, served):
            if process is not None:
                process.kill()
                process.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sockets", type=int, default=200)
    parser.add_argument("--idle", type=int, default=1_000)
    parser.add_argument("--frames", type=int, default=500)
    parser.add_argument("--serve", default="")
    parser.add_argument("--port", type=int, default=0)
    chosen = parser.parse_args()
    if chosen.serve:
        uvloop.run(server(chosen.serve, chosen.port, chosen.frames))
        return
    print(f"load average {os.getloadavg()[0]:.1f}\n\n| server | µs of CPU a frame and socket | kB an idle socket |")
    print("|---|---|---|", flush=True)
    for kind in KINDS:
        busy, _ = measure(kind, chosen.sockets, chosen.frames)
        _, memory = measure(kind, chosen.idle, 1)
        print(f"| {kind} | {busy:.1f} | {memory:.0f} |", flush=True)


if __name__ == "__main__":
    main()
