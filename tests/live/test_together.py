"""The whole way on both pairs of parts: a message -> broker -> gateway -> store -> alarms and results -> a viewer.

Embedded: the broker from the wheel and plain PostgreSQL. Real: mosquitto and TimescaleDB.
"""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import paho.mqtt.publish as publish
import pytest

from services.alarms.process import Alarms
from services.calculated import Calculation
from services.live.messages import Events, Snapshot
from tests.alarms.plant import threshold
from tests.databases import Database, Server
from tests.live.conftest import Socket, cookie
from tests.people import SECRET, autocommit
from tests.servers.api import serve
from tests.servers.gateway import Gateway
from tests.servers.mosquitto import Mosquitto
from tram.alarms.model import State
from tram.alarms.rules import read
from tram.embedded.broker import BrokerServer
from tram.runtime.readiness import Readiness
from tram.sensing import Thing
from tram.store import alarm_rules, calculated, registry
from tram.store.calculated import Draft


@dataclass
class Whole:
    """Everything that runs. `river` and `double` are Datastreams: the water's level, and twice that, calculated."""

    database: Database
    port: int
    viewer: Socket
    river: int
    double: int

    def publish(self, level: float) -> None:
        """What the river's station sends."""
        body = json.dumps({"ts": datetime.now(UTC).isoformat(), "water_level": level})
        publish.single("tram/v1/r1/telemetry", body, qos=1, hostname="127.0.0.1", port=self.port)

    def told(self, condition: Callable[[], bool]) -> None:
        """Follows until the mirror shows it; the socket's own patience ends it."""
        mirror = self.viewer.mirror
        while not condition():
            assert mirror.apply(self.viewer.next(Events, Snapshot))

    def shows(self, level: float, state: State | None) -> bool:
        """Whether the viewer has the level, its double, and the river's alarm in that state (None: no alarm)."""
        mirror = self.viewer.mirror
        values = [mirror.values[stream][1] for stream in (self.river, self.double) if stream in mirror.values]
        return values == [level, 2 * level] and [a.state for a in mirror.alarms.values()] == ([state] if state else [])


def prepare(database: Database) -> tuple[int, int]:
    """A river's station, a rule over it and a calculated Datastream; the two Datastreams."""
    with database.connect() as conn:
        registry.put(conn, Thing("r1", "Trạm r1", "river"))
        key = registry.Key("r1", "water_level", "m")
        found = registry.resolve(conn, [key], "open")[key]
        assert isinstance(found, registry.Resolved)
        alarm_rules.put(conn, read(threshold("level", 5.0)), "p:1")
        draft = Draft(thing="r1", property="twice", unit="m", expression="h * 2", inputs={"h": found.datastream_id})
        result = calculated.add(conn, draft, "m:test").output_id
        conn.commit()
    assert result is not None
    return found.datastream_id, result


@pytest.fixture(params=["embedded", "real"])
def whole(request: pytest.FixtureRequest, server: Server, tmp_path: Path) -> Iterator[Whole]:
    edition = "plain" if request.param == "embedded" else "timescaledb"
    if missing := server.missing(edition):
        pytest.skip(missing)
    with ExitStack() as stack:
        database = stack.enter_context(server.database(edition))
        broker: BrokerServer | Mosquitto
        broker = BrokerServer(tmp_path / "broker") if request.param == "embedded" else Mosquitto(tmp_path / "broker")
        broker.start()
        stack.callback(broker.stop)
        gateway = Gateway(tmp_path / "gateway", database.url, broker.url, batch_wait=0.01)
        gateway.start()
        stack.callback(gateway.stop)
        streams = prepare(database)
        stopping = threading.Event()
        alarms = Alarms(database.settings, stopping, Readiness("database"))
        judging = threading.Thread(target=alarms.run, daemon=True)
        results = Calculation(database.settings, stopping)
        judging.start()
        results.start()
        stack.callback(judging.join, 20)
        stack.callback(results.join)
        stack.callback(stopping.set)
        api = stack.enter_context(serve(database.settings))
        viewer = Socket(api.url.replace("http", "ws") + "/live", cookie(SECRET))
        stack.callback(viewer.close)
        viewer.say(op="subscribe", id="v", filter={"domains": ["river"]}, rate=20)
        assert viewer.mirror.apply(viewer.next(Snapshot))
        yield Whole(database, broker.port, viewer, *streams)


def test_from_a_devices_message_to_its_viewer(whole: Whole) -> None:
    whole.publish(4.0)
    whole.told(lambda: whole.shows(4.0, None))
    whole.publish(6.5)
    whole.told(lambda: whole.shows(6.5, State.UNACKNOWLEDGED))
    # Every process loses every connection: each comes back by itself, and nothing is missed or told twice.
    with autocommit(whole.database.settings) as conn:
        conn.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND application_name LIKE 'tram-%'"
        )
        whole.publish(3.0)
        whole.told(lambda: whole.shows(3.0, State.RETURNED))
        kinds = conn.execute("SELECT array_agg(kind ORDER BY seq) FROM alarm_change").fetchone()
    assert kinds == (["raised", "returned"],)
