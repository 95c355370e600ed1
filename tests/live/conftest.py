"""Fixtures of the live hub: a small province behind a real server.

place    the API over a database of its own with people of some roles; each test has another
sockets  bare WebSockets that are closed with the test
"""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

from services.live import telling
from services.live.messages import HubMessage, Snapshot, decode_hub
from services.live.mirror import Mirror
from tests.databases import Database
from tests.people import SECRET, account, autocommit, scoped, session
from tests.servers.api import Api, serve
from tests.services.filling import fill
from tests.waiting import until

AREA, OTHER = "05860", "05482"
PATIENCE = 60.0


@dataclass
class Place:
    """A running hub. `ids`: Datastream by (thing, property); `cookies`: session by role."""

    api: Api
    database: Database
    ids: dict[tuple[str, str], int]
    accounts: dict[str, int] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return self.api.url.replace("http", "ws") + "/live"


class Socket:
    """A bare client. `mirror` is what a subscription's messages make."""

    def __init__(self, url: str, headers: dict[str, str]) -> None:
        self._stack = ExitStack()
        # max_queue: a close is seen at once, also behind messages that nobody has read.
        made = connect(
            url, additional_headers=headers, compression=None, max_size=None, max_queue=None, open_timeout=PATIENCE
        )
        self.connection: ClientConnection = self._stack.enter_context(made)
        self.mirror = Mirror()

    def close(self) -> None:
        """Closes it."""
        self._stack.close()

    def say(self, **message: Any) -> None:
        """Sends {"op": …}."""
        self.connection.send(json.dumps(message))

    def hear(self) -> HubMessage:
        """The next message."""
        return decode_hub(self.connection.recv(PATIENCE))

    def next(self, *kinds: type[Any]) -> Any:
        """The next message of these types; others are passed over."""
        deadline, passed = time.monotonic() + PATIENCE, []
        while time.monotonic() < deadline:
            message = self.hear()
            if isinstance(message, kinds):
                return message
            passed.append(message)
        raise AssertionError(f"nothing but {passed[-5:]}")


def cookie(secret: str) -> dict[str, str]:
    """The header of a browser that is signed in."""
    return {"Cookie": f"tram_session={secret}"}


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hub that loses patience with a socket sooner."""
    monkeypatch.setattr(telling, "STUCK", 2.0)
    monkeypatch.setattr(telling, "SLOW", 0.2)


@pytest.fixture
def place(one_database: Database) -> Iterator[Place]:
    """See above."""
    with one_database.connect() as conn:
        ids = fill(conn)
    with serve(one_database.settings) as api:
        made = Place(api, one_database, ids)
        made.cookies["admin"] = SECRET
        with autocommit(one_database.settings) as conn:
            conn.execute("INSERT INTO area (id, name) VALUES ('19', 'Thái Nguyên')")
            for code in (AREA, OTHER):
                conn.execute("INSERT INTO area (id, name, parent) VALUES (%s, %s, '19')", (code, code))
            conn.execute("UPDATE thing SET area = %s WHERE name = 'aq-01'", (OTHER,))
            conn.execute("UPDATE thing SET area = %s WHERE name = 'aq-02'", (AREA,))
            conn.execute("UPDATE thing SET public = true WHERE name = 'river-01'")
            for role, grant in {"here": scoped("operator", AREA), "doctor": scoped("doctor", "BV-TN")}.items():
                made.accounts[role] = account(conn, f"{role}.t", grant)
                made.cookies[role] = session(conn, made.accounts[role])
        # The hub reads the changes of the registry in their order: what a stranger sees came last.
        until(lambda: strangers(made.url) == {"river-01"}, "the hub knows the areas", PATIENCE)
        yield made


def strangers(url: str) -> set[str]:
    """The Things that somebody unknown follows."""
    socket = Socket(url, {})
    try:
        socket.say(op="subscribe", id="s")
        return {thing.name for thing in socket.next(Snapshot).things}
    finally:
        socket.close()


@pytest.fixture
def sockets(place: Place) -> Iterator["Sockets"]:
    """See above."""
    made = Sockets(place)
    yield made
    for socket in made.open:
        socket.close()


@dataclass
class Sockets:
    """Makes bare clients of `place`."""

    place: Place
    open: list[Socket] = field(default_factory=list)

    def __call__(self, who: str | None = "admin", **headers: str) -> Socket:
        """Who is signed in under that role; None: nobody."""
        sent = cookie(self.place.cookies[who]) if who else {}
        made = Socket(self.place.url, sent | headers)
        self.open.append(made)
        return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """For processes' files."""
    return tmp_path
