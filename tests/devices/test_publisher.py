"""The agent against a real broker: whatever is killed, every reading arrives, in order, once by (Thing, ts)."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from devices.agents.publisher import Publisher
from devices.agents.store import Store, StoreFull
from tests.devices.conftest import Ear
from tests.servers.mosquitto import Mosquitto
from tests.waiting import until
from tram.embedded.ports import free_port
from tram.errors import SettingsError, UnavailableError

Listen = Callable[[str], Ear]


def first_heard(ear: Ear) -> list[dict[str, Any]]:
    """The records heard, each at its first arrival: what a store with a unique (Thing, ts) keeps."""
    seen: dict[tuple[str, int], dict[str, Any]] = {}
    for topic, payload, _ in list(ear.heard):
        for record in json.loads(payload):
            kept = seen.setdefault((topic, record["ts"]), record)
            assert kept == record, "one (Thing, ts) with two values"
    return list(seen.values())


def test_order_and_batches(broker: Mosquitto, ear: Listen, tmp_path: Path) -> None:
    listening = ear("tram/v1/+/telemetry")
    with Publisher("Vườn chè/1", broker.url, tmp_path / "q.sqlite", fsync=False) as publisher:
        stamps = publisher.add_many([({"n_": i}, None) for i in range(1500)])
        assert len(set(stamps)) == 1500
        assert publisher.flush(20)
    until(lambda: len(first_heard(listening)) == 1500, "1,500 messages are heard")
    assert [r["n_"] for r in first_heard(listening)] == list(range(1500))
    assert {topic for topic, _, _ in listening.heard} == {"tram/v1/Vườn chè%2F1/telemetry"}
    assert len(listening.heard) < 100, "records are to travel together"


def test_broker_away_and_back(broker: Mosquitto, ear: Listen, tmp_path: Path) -> None:
    listening = ear("tram/v1/x/telemetry")
    with Publisher("x", broker.url, tmp_path / "q.sqlite", fsync=False) as publisher:
        publisher.add({"i": 0})
        assert publisher.flush(10)
        broker.stop(signal.SIGTERM)
        until(lambda: not publisher.connected, "the publisher notices")
        for i in range(1, 400):
            publisher.add({"i": i})
        assert publisher.waiting == 399
        broker.start()
        for i in range(400, 500):
            publisher.add({"i": i})
        assert publisher.flush(30)
    until(lambda: len(first_heard(listening)) == 500, "500 messages are heard")
    assert [r["i"] for r in first_heard(listening)] == list(range(500))


AGENT = """
import sys
from pathlib import Path
from devices.agents.publisher import Publisher
publisher = Publisher("x", sys.argv[1], Path(sys.argv[2]), fsync=False)
for i in range(int(sys.argv[3]), 1_000_000):
    publisher.add({"i": i})
    print(i, flush=True)
"""


def test_agent_killed(broker: Mosquitto, ear: Listen, tmp_path: Path) -> None:
    """kill -9 of the agent in the middle of its work, three times; the broker restarts in between."""
    listening = ear("tram/v1/x/telemetry")
    store, added = tmp_path / "q.sqlite", 0
    for round_ in range(3):
        agent = subprocess.Popen(
            [sys.executable, "-c", AGENT, broker.url, str(store), str(added)], stdout=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": str(Path.cwd())},
        )  # fmt: skip
        assert agent.stdout is not None
        for line in agent.stdout:
            added = int(line) + 1
            if added >= (round_ + 1) * 600:
                break
            if round_ == 1 and added == 900:
                broker.stop()
                broker.start()
        agent.kill()
        rest = agent.stdout.read().split("\n")
        agent.wait(60)
        agent.stdout.close()
        whole = [int(line) for line in rest if line.strip().isdigit()]
        added = max([added, *(i + 1 for i in whole)])
    with Publisher("x", broker.url, store, fsync=False) as publisher:
        assert publisher.flush(30)
    until(lambda: len({r["i"] for r in first_heard(listening)}) >= added, "all that was added is heard")
    heard = [r["i"] for r in first_heard(listening)]
    # An add whose answer was not printed may be there too, and the next round repeats its number: at most once a kill.
    assert list(dict.fromkeys(heard)) == list(range(len(set(heard))))
    assert len(heard) - len(set(heard)) <= 2
    stamps = [r["ts"] for r in first_heard(listening)]
    assert stamps == sorted(set(stamps))


def test_state_is_retained(broker: Mosquitto, ear: Listen, tmp_path: Path) -> None:
    with Publisher("x", broker.url, tmp_path / "q.sqlite") as publisher:
        publisher.describe(label="Trạm X", location={"lon": 105.8, "lat": 21.6})
        until(lambda: publisher.connected, "the publisher connects")
        publisher.add({"a": 1})
        assert publisher.flush(10)
    late = ear("tram/v1/x/state")
    until(lambda: bool(late.heard), "the retained state is heard")
    _, payload, retained = late.heard[0]
    assert retained
    assert json.loads(payload) == {"label": "Trạm X", "location": {"lon": 105.8, "lat": 21.6}}


def test_store_drops_the_oldest(tmp_path: Path) -> None:
    with Store(tmp_path / "q", max_rows=10, max_bytes=10_000, full="drop-oldest", fsync=False) as store:
        for i in range(25):
            store.append([(i, f'{{"i":{i}}}')])
        assert (store.rows, store.dropped) == (10, 15)
        assert [row.record for row in store.after(0, 3, 1000)] == ['{"i":15}', '{"i":16}', '{"i":17}']
    with Store(tmp_path / "q", max_rows=10, max_bytes=45, full="drop-oldest", fsync=False) as store:
        assert (store.rows, store.dropped, store.last_ts) == (10, 15, 24)
        store.append([(25, '{"i":25}')])
        assert store.bytes <= 45
        assert store.dropped == 21
        assert store.rows == 5


def test_store_refuses(tmp_path: Path) -> None:
    with Store(tmp_path / "q", max_rows=2, max_bytes=10_000, full="refuse", fsync=False) as store:
        store.append([(1, "{}"), (2, "{}")])
        with pytest.raises(StoreFull):
            store.append([(3, "{}")])
        rows = store.after(0, 10, 1000)
        assert store.remove(rows[0].id, rows[0].id) == 1
        store.append([(3, "{}")])
        assert (store.rows, store.dropped) == (2, 0)


def test_one_process_a_store(tmp_path: Path) -> None:
    with (
        Store(tmp_path / "q", max_rows=2, max_bytes=100, full="refuse", fsync=False),
        pytest.raises(UnavailableError, match="in use"),
    ):
        Store(tmp_path / "q", max_rows=2, max_bytes=100, full="refuse", fsync=False)


@pytest.mark.parametrize("values", [{}, {"": 1}, {"ts": 1}, {"a": float("nan")}, {"a": float("inf")}])
def test_refused_records(values: dict[str, float], tmp_path: Path) -> None:
    with Publisher("x", f"mqtt://127.0.0.1:{free_port()}", tmp_path / "q") as publisher:
        with pytest.raises(ValueError):
            publisher.add(values)
        assert publisher.waiting == 0


def test_wrong_address(tmp_path: Path) -> None:
    with pytest.raises(SettingsError):
        Publisher("x", "http://127.0.0.1", tmp_path / "q")


def test_command_line(broker: Mosquitto, ear: Listen, tmp_path: Path) -> None:
    listening = ear("tram/v1/x/telemetry")
    command = [sys.executable, "-m", "devices.agents", "publish", "--thing", "x", "--mqtt", broker.url]
    done = subprocess.run(
        [*command, "--store", str(tmp_path / "q")], input='{"a": 1, "ts": 1763805600123}\nb 2.5\nnonsense\n',
        capture_output=True, text=True, timeout=60, env={**os.environ, "PYTHONPATH": str(Path.cwd())}, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "line 3" in done.stderr
    until(lambda: len(first_heard(listening)) == 2, "both messages are heard")
    first, second = first_heard(listening)
    assert first == {"ts": 1763805600123, "a": 1}
    assert second["b"] == 2.5
