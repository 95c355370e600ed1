"""A real mosquitto, a real database, a real gateway process."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.databases import Database
from tests.servers import mosquitto
from tests.servers.gateway import Gateway

Start = Callable[..., Gateway]


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[mosquitto.Mosquitto]:
    """A broker of the test's own: persistent sessions keep what they queued."""
    if mosquitto.find() is None:
        pytest.skip("mosquitto is not installed: apt-get install mosquitto")
    made = mosquitto.Mosquitto(tmp_path / "mosquitto")
    made.start()
    yield made
    made.stop()


def _starter(tmp_path: Path, url: str, broker: mosquitto.Mosquitto) -> Iterator[Start]:
    made: list[Gateway] = []

    def start(*, ready: bool = True, **settings: object) -> Gateway:
        made.append(Gateway(tmp_path / f"gateway-{len(made)}", url, broker.url, **settings))
        made[-1].start(ready=ready)
        return made[-1]

    yield start
    for gateway in made:
        gateway.kill()


@pytest.fixture
def start(tmp_path: Path, one_database: Database, broker: mosquitto.Mosquitto) -> Iterator[Start]:
    """Starts gateways on the best edition there is: start(batch_rows=…)."""
    yield from _starter(tmp_path, one_database.url, broker)


@pytest.fixture
def start_each(tmp_path: Path, database: Database, broker: mosquitto.Mosquitto) -> Iterator[Start]:
    """The same on each edition."""
    yield from _starter(tmp_path, database.url, broker)
