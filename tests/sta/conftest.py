"""Fixtures: SensorThings on a real server over a small province, on both editions; tests make what they change."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.databases import EDITIONS, Server
from tests.servers.api import Api, serve
from tests.services.filling import fill
from tram.settings import Settings

ROOT = "/sta/v1.1"


@dataclass
class Sta:
    """The service. `ids`: Datastreams that a gateway has filled, by (Thing, property)."""

    api: Api
    settings: Settings
    ids: dict[tuple[str, str], int]

    @property
    def client(self) -> httpx.Client:
        return self.api.client

    @property
    def url(self) -> str:
        return f"{self.api.url}{ROOT}"

    def ask(self, path: str, **options: object) -> httpx.Response:
        """GET; `options` without their $."""
        query = "&".join(f"${name}={quote(str(value))}" for name, value in options.items())
        return self.client.get(f"{ROOT}/{path}" + (f"?{query}" if query else ""))

    def get(self, path: str, **options: object) -> Any:
        """The JSON of a GET that must succeed."""
        answer = self.ask(path, **options)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def names(self, path: str, **options: object) -> list[str]:
        """The names of a set, in order."""
        return [one["name"] for one in self.get(path, **options)["value"]]

    def send(self, method: str, path: str, body: object = None, kind: str = "application/json") -> httpx.Response:
        """A write."""
        # As Python writes it, Infinity and NaN too: what JSON does not know is for the server to refuse.
        sent = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        return self.client.request(method, f"{ROOT}/{path}", content=sent, headers={"Content-Type": kind})

    def make(self, path: str, body: object) -> Any:
        """POST that must succeed: what was made."""
        answer = self.send("POST", path, body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def walk(self, path: str, **options: object) -> list[Any]:
        """All pages."""
        page = self.get(path, **options)
        found = list(page["value"])
        while "@iot.nextLink" in page:
            answer = self.client.get(page["@iot.nextLink"])
            assert answer.status_code == 200, answer.text
            page = answer.json()
            found += page["value"]
        return found


def _running(server: Server) -> Iterator[dict[str, Sta]]:
    with ExitStack() as stack:
        running: dict[str, Sta] = {}
        for edition in EDITIONS:
            if not server.missing(edition):
                made = stack.enter_context(server.database(edition))
                with made.connect() as conn:
                    ids = fill(conn)
                # A busy machine must not turn an answer into a refusal: what is refused has its own test.
                patient = replace(made.settings, sta_filter_seconds=20.0)
                running[edition] = Sta(stack.enter_context(serve(patient)), made.settings, ids)
        yield running


@pytest.fixture(scope="session")
def _sta(server: Server) -> Iterator[dict[str, Sta]]:
    yield from _running(server)


@pytest.fixture(scope="session")
def _quiet(server: Server) -> Iterator[dict[str, Sta]]:
    yield from _running(server)


@pytest.fixture
def quiet(edition: str, _quiet: dict[str, Sta]) -> Sta:
    """The service on each edition, with what a gateway has stored and nothing else: do not write."""
    return _quiet[edition]


@pytest.fixture
def sta(edition: str, _sta: dict[str, Sta]) -> Sta:
    """The service on each edition."""
    return _sta[edition]


@pytest.fixture
def one_sta(_sta: dict[str, Sta]) -> Sta:
    """The service on the best edition there is."""
    return next(iter(_sta.values()))
