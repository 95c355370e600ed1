"""Fixtures: the API over databases that have something in them.

api        read-only use: one server an edition for the whole session
fresh_api  the same over a database of its own (`database`), for tests that write
one_api    like `api`, on the best edition only
"""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.databases import EDITIONS, Database, Server
from tests.servers.api import Api, serve
from tests.services.filling import fill


@pytest.fixture(scope="session")
def _filled(server: Server) -> Iterator[dict[str, Api]]:
    with ExitStack() as stack:
        running: dict[str, Api] = {}
        for edition in EDITIONS:
            if not server.missing(edition):
                made = stack.enter_context(server.database(edition))
                with made.connect() as conn:
                    fill(conn)
                running[edition] = stack.enter_context(serve(made.settings))
        yield running


@pytest.fixture
def api(edition: str, _filled: dict[str, Api]) -> Api:
    """The API over a filled database of each edition; do not write."""
    return _filled[edition]


@pytest.fixture
def one_api(_filled: dict[str, Api]) -> Api:
    """The same on the best edition there is."""
    return next(iter(_filled.values()))


@pytest.fixture
def fresh_api(database: Database) -> Iterator[Api]:
    """The API over a filled database that belongs to the test."""
    with database.connect() as conn:
        fill(conn)
    with serve(database.settings) as running:
        yield running
