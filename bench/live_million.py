"""A million Things behind one hub: what they take, and filters that fit all of them while somebody follows one."""

import argparse
import json
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from bench.live_stage import stage
from tests.people import SECRET
from tests.servers.service import Service
from tram.store.database import Connection

MANY = 1_000_000
WIDE: tuple[dict[str, list[str]], ...] = (
    {}, {"domains": ["wide"]}, {"properties": ["wide"]}, {"areas": ["all"]},
    {"areas": ["all"], "domains": ["wide"], "properties": ["wide"]},
)  # fmt: skip
"""Filters that fit all of them."""
ROUNDS = 20
START = 300.0


def fill(url: str) -> None:
    """A million Things of one Datastream each. Triggers are left out: nobody listens yet."""
    with psycopg.connect(url) as conn:
        conn.execute("SET session_replication_role = replica")
        conn.execute("INSERT INTO observed_property (name) VALUES ('wide')")
        conn.execute("INSERT INTO area (id, name) VALUES ('all', 'all')")
        conn.execute(
            "INSERT INTO thing (name, label, kind, area) SELECT 'wide-' || n, 'Trạm ' || n, 'wide', 'all'"
            " FROM generate_series(1, %s) n",
            (MANY,),
        )
        conn.execute(
            "INSERT INTO datastream (thing_id, observed_property_id, unit) SELECT t.id, p.id, '1' FROM thing t,"
            " observed_property p WHERE t.kind = 'wide' AND p.name = 'wide'"
        )
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("ANALYZE")


class Steady(threading.Thread):
    """Somebody who follows one Thing, and asks ten times a second whether the hub is there."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self._socket = opened(port)
        say(self._socket, op="subscribe", id="s", filter={"things": ["wide-7"]})
        hear(self._socket, "snapshot")
        self.waits: list[float] = []
        self.ending = threading.Event()

    def run(self) -> None:
        while not self.ending.wait(0.25):
            began = time.perf_counter()
            say(self._socket, op="ping", at=began)
            while hear(self._socket, "pong")["at"] != began:
                pass
            self.waits.append(time.perf_counter() - began)

    def end(self) -> list[float]:
        """Returns how long each answer took, in milliseconds."""
        self.ending.set()
        self.join()
        self._socket.close()
        waits, self.waits = self.waits, []
        return [1000 * wait for wait in waits]


def opened(port: int) -> ClientConnection:
    """A socket that the hub has greeted; it is tried until the hub has read its world."""
    deadline = time.monotonic() + START
    while True:
        made = connect(
            f"ws://127.0.0.1:{port}/live", additional_headers={"Cookie": f"tram_session={SECRET}"}, max_size=None,
            compression=None, max_queue=None, open_timeout=60,
        )  # fmt: skip
        try:
            hear(made, "hello")
        except ConnectionClosed:
            if time.monotonic() > deadline:
                raise
        else:
            return made


def say(socket: ClientConnection, **message: Any) -> None:
    socket.send(json.dumps(message))


def hear(socket: ClientConnection, *kinds: str) -> dict[str, Any]:
    """The next message of these kinds."""
    while True:
        message = dict(json.loads(socket.recv(120)))
        if message["op"] in kinds:
            return message


def wide(port: int) -> list[float]:
    """Asks for everything again and again; returns the milliseconds to each refusal."""
    took = []
    for _ in range(ROUNDS):
        with closing(opened(port)) as socket:
            for n, filter in enumerate(WIDE):
                began = time.perf_counter()
                say(socket, op="subscribe", id=f"w{n}", filter=filter)
                answer = hear(socket, "error", "snapshot")
                assert answer.get("code") == "too-many", answer
                took.append(1000 * (time.perf_counter() - began))
    return took


def change(conn: Connection, port: int) -> float:
    """Milliseconds from the commit of one Thing's new label until a viewer has it."""
    with closing(opened(port)) as socket:
        say(socket, op="subscribe", id="c", filter={"things": ["wide-9"]}, rate=20)
        hear(socket, "snapshot")
        conn.execute("UPDATE thing SET label = 'anew' WHERE name = 'wide-9'")
        conn.commit()
        began = time.perf_counter()
        while not hear(socket, "events").get("things"):
            pass
        return 1000 * (time.perf_counter() - began)


def million(folder: Path, chosen: argparse.Namespace) -> None:
    """Fills, starts, and asks for too much."""
    with stage(folder, plain=chosen.plain) as (database, service):
        with closing(opened(service.port)):
            small = service.rss()
        service.stop()
        fill(database.url)
        began = time.perf_counter()
        service.start()
        with closing(opened(service.port)):
            took, large = time.perf_counter() - began, service.rss()
        print(
            f"| {MANY:,} Things: from the start to the first viewer; they add to the hub's process | {took:.0f} s; "
            f"{(large - small) / 1e6:,.0f} MB | |",
            flush=True,
        )
        asked(database.connect(), service)


def asked(conn: Connection, service: Service) -> None:
    """Filters that fit all of them, beside somebody who follows one."""
    steady = Steady(service.port)
    steady.start()
    wide(service.port)  # what is touched for the first time is not counted
    before = service.rss()
    steady.end()
    steady = Steady(service.port)
    steady.start()
    took = wide(service.port)
    waits = steady.end()
    print(
        f"| {len(took)} filters that fit all of them: to the error, largest; added to the hub's memory | "
        f"{max(took):.0f} ms (median {sorted(took)[len(took) // 2]:.0f}); {(service.rss() - before) / 1e6:.0f} MB | an "
        "error, memory bounded |"
    )
    print(
        f"| meanwhile somebody who follows one Thing waits for an answer at most | {max(waits):.0f} ms (of "
        f"{len(waits)}) | unaffected |"
    )
    print(f"| one Thing of them is changed: to its viewer | {change(conn, service.port):.0f} ms | |", flush=True)
