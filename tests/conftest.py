"""Fixtures for all tests: real databases.

database       an empty, migrated database; the test runs once on TimescaleDB and once on plain PostgreSQL
one_database   the same, once: on TimescaleDB where it is built, else plain
server         the server itself, for tests that make their own databases
"""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests import secrecy  # isort: skip - before anything that makes a secret
from tests.browser import browser, browser_context_args, playwright
from tests.databases import EDITIONS, Database, Server, place

__all__ = ["browser", "browser_context_args", "playwright", "secrecy"]
# How long an example takes tells how busy the machine is: nothing fails by it.
settings.register_profile("patient", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")
pytest_plugins = ["tests.links_plugin", "tests.secrecy_plugin", "tests.second_chance"]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server a test process (so one for each worker of pytest-xdist)."""
    with place(tmp_path_factory.mktemp("postgres")) as folder:
        made = Server(folder / "server")
        yield made
        made.close()


@pytest.fixture(params=EDITIONS)
def edition(request: pytest.FixtureRequest, server: Server) -> str:
    """Each edition of the database that tests run on."""
    missing = server.missing(request.param)
    if missing:
        pytest.skip(missing)
    return str(request.param)


@pytest.fixture
def database(server: Server, edition: str) -> Iterator[Database]:
    """A migrated database of each edition."""
    with server.database(edition) as made:
        yield made


@pytest.fixture
def one_database(server: Server) -> Iterator[Database]:
    """A migrated database of the best edition there is."""
    with server.database("plain" if server.missing("timescaledb") else "timescaledb") as made:
        yield made
