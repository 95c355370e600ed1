"""The main job, from the outside: one command, and telemetry flows from devices into the store and out of the API."""

import json
import os
import shutil
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.databases import Database
from tests.journey.system import System, tram
from tests.waiting import until

pytestmark = pytest.mark.timeout(240)
needs_mosquitto_pub = pytest.mark.skipif(
    shutil.which("mosquitto_pub") is None, reason="mosquitto_pub is not installed: apt-get install mosquitto-clients"
)
FEW = ("--only", "gateway,api")  # enough for a value to pass from end to end
Up = Callable[..., System]


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    """Starts systems; ends whatever a failing test leaves."""
    made: list[System] = []

    def start(*words: str, folder: Path = tmp_path, **settings: str) -> System:
        made.append(System(folder, *words, **settings))
        return made[-1]

    yield start
    for system in made:
        system.destroy()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """The whole system, simulated province included."""
    system = System(tmp_path_factory.mktemp("province"))
    try:
        system.ready()
        yield system
        assert system.stop() == 0
        until(lambda: not system.processes(), "nothing is left")
    finally:
        system.destroy()


def value(system: System, thing: str) -> float | None:
    """The latest value of the thing's one property, by the API."""
    status, body = system.get(f"/api/things/{thing}/latest")
    return body[0]["result"] if status == 200 and body else None


def test_the_simulated_province_fills_two_thousand_datastreams(running: System) -> None:
    def counts() -> dict[str, int]:
        status, body = running.get("/api/status")
        assert status == 200
        found: dict[str, int] = body["counts"]
        return found

    until(lambda: counts()["datastreams"] >= 2000, "2,000 Datastreams", timeout=90)
    before = counts()["observations"]
    until(lambda: counts()["observations"] > before, "observations keep coming")


def test_every_process_says_that_it_is_ready(running: System) -> None:
    def states() -> dict[str, str]:
        return {row["name"]: row["state"] for row in running.get("/api/status")[1]["processes"]}

    planes = {"gateway", "api", "worker", "alarms"} | {name for name in ("telehealth",) if name in running.addresses}
    until(lambda: all(states().get(name) == "ready" for name in planes), "all planes ready")
    for name in ("web", "gateway", "worker"):
        assert running.get("/healthz", at=name)[0] == 200
        assert running.get("/readyz", at=name)[0] == 200
        assert b"# HELP" in running.get("/metrics", at=name)[1]


@needs_mosquitto_pub
def test_what_mosquitto_pub_publishes_is_in_the_api(running: System) -> None:
    # How soon is measured by `python -m bench.up`: under a second. What a busy machine takes proves nothing here.
    for attempt in range(5):
        running.publish("tram/v1/journey-quick/telemetry", json.dumps({"air_temperature": 20.0 + attempt}))
        until(lambda n=attempt: value(running, "journey-quick") == 20.0 + n, "the value", every=0.02)


@needs_mosquitto_pub
def test_a_gateway_that_is_killed_comes_back_and_goes_on(running: System) -> None:
    until(lambda: running.get("/readyz", at="gateway")[0] == 200, "the gateway is ready")
    first = until(lambda: running.pid_of("gateway"), "its process id")
    os.kill(first, signal.SIGKILL)
    running.says("gateway ended (signal 9), starts again")
    until(lambda: _answers(running, "gateway"), "it is back")
    running.publish("tram/v1/journey-after-kill/telemetry", '{"air_temperature": 31}')
    until(lambda: value(running, "journey-after-kill") == 31, "the value")


def _answers(system: System, name: str) -> bool:
    try:
        return system.get("/readyz", at=name)[0] == 200
    except OSError:
        return False


def test_the_doctor_finds_it_fine_and_tells_no_secret(running: System) -> None:
    done = tram(running.folder, "doctor", "--json")
    assert done.returncode == 0, done.stdout
    report = json.loads(done.stdout)
    assert report["ok"] is True
    edition = next(check for check in report["checks"] if check["name"] == "edition")
    assert edition["says"] in ("TimescaleDB Apache", "TimescaleDB Community", "plain PostgreSQL")
    password = (running.folder / ".tram" / "postgres" / "password").read_text().strip()
    assert password not in done.stdout
    assert password not in tram(running.folder, "doctor").stdout
    assert password not in "\n".join(running.lines)
    logs = list((running.folder / ".tram" / "logs").iterdir())
    assert len(logs) >= 5
    assert not [log for log in logs if password in log.read_text(errors="replace")]


def test_a_second_one_in_the_same_folder_is_refused_in_one_line(running: System) -> None:
    done = tram(running.folder, "up")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"tram: Trạm already runs here (process {running.process.pid}, home .tram): stop that one, or set TRAM_HOME\n"
    )


@needs_mosquitto_pub
def test_the_second_start_finds_yesterdays_data(up: Up) -> None:
    first = up(*FEW)
    first.ready()
    first.publish("tram/v1/journey-kept/telemetry", '{"air_temperature": 12.5}')
    until(lambda: value(first, "journey-kept") == 12.5, "the value")
    assert first.stop() == 0
    assert not (first.folder / ".tram" / "run" / "database_url").exists()
    second = up(*FEW)
    second.ready()
    assert value(second, "journey-kept") == 12.5
    assert second.stop(signal.SIGTERM) == 0
    assert not second.processes()


@needs_mosquitto_pub
def test_nothing_outlives_a_kill_and_the_next_start_has_all_that_was_stored(up: Up) -> None:
    first = up(*FEW)
    first.ready()
    first.publish("tram/v1/journey-killed/telemetry", '{"air_temperature": 7}')
    until(lambda: value(first, "journey-killed") == 7, "the value")
    first.process.kill()
    # At once: it must wait for what the killed one left, not trip over it.
    second = up(*FEW)
    second.ready()
    assert value(second, "journey-killed") == 7
    second.process.kill()
    until(lambda: not second.processes(), "nothing is left")


def test_a_port_that_is_taken_is_one_line_that_names_the_setting(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        for setting in ("TRAM_HTTP_PORT", "TRAM_DATABASE_PORT", "TRAM_MQTT_PORT", "TRAM_WORKER_PROBE_PORT"):
            done = tram(tmp_path, "up", **{setting: str(port)})
            assert done.returncode == 2
            assert done.stderr == (
                f"tram: port {port} on 127.0.0.1 is taken: stop what uses it, or set {setting} (0 takes a free one)\n"
            )
    assert not list((tmp_path / ".tram" / "run").glob("*url"))


def test_a_real_database_takes_the_place_of_the_embedded_one(up: Up, one_database: Database) -> None:
    system = up("--only", "api", TRAM_DATABASE_URL=one_database.url)
    system.ready()
    assert system.get("/api/status")[0] == 200
    assert not (system.folder / ".tram" / "postgres").exists()
    assert "database" not in system.addresses
    assert system.stop() == 0


def test_a_home_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = tram(tmp_path, "up", TRAM_HOME=str(tmp_path / "file" / "home"))
    assert done.returncode == 2
    assert done.stderr.startswith("tram: ")
    assert done.stderr.count("\n") == 1
