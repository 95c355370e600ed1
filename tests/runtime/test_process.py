"""Readiness, the probe server, the heartbeat, and a whole process with its signals."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, Counter

from tests.databases import Database
from tests.waiting import until
from tram.embedded.ports import free_port
from tram.errors import SettingsError
from tram.runtime import Heartbeat, ProbeServer, Process, Readiness
from tram.settings import Settings
from tram.store.processes import ProcessRow, list_processes

ROOT = Path(__file__).resolve().parents[2]


def get(port: int, path: str) -> tuple[int, str, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.headers["Content-Type"], answer.read()
    finally:
        connection.close()


def test_ready_when_every_condition_is_met_and_the_reasons_until_then() -> None:
    readiness = Readiness("database", "broker")
    assert readiness.state == "starting"
    readiness.met("database")
    readiness.lost("broker", "connection refused")
    assert not readiness.ready
    assert readiness.reasons == {"broker": "connection refused"}
    readiness.met("broker")
    assert (readiness.ready, readiness.state, readiness.problem()["status"]) == (True, "ready", "ready")
    readiness.lost("database", "away")
    assert readiness.state == "degraded"
    assert readiness.problem()["detail"] == "database: away"


def test_a_process_without_conditions_is_ready() -> None:
    assert Readiness().ready


@pytest.fixture
def probe() -> Iterator[tuple[ProbeServer, Readiness]]:
    readiness = Readiness("database")
    registry = CollectorRegistry()
    Counter("rows", "rows stored", registry=registry).inc(3)
    server = ProbeServer(("127.0.0.1", 0), readiness, registry)
    server.start()
    yield server, readiness
    server.stop()


def test_probes_answer(probe: tuple[ProbeServer, Readiness]) -> None:
    server, readiness = probe
    assert get(server.port, "/healthz")[:2] == (200, "application/json")
    status, kind, body = get(server.port, "/readyz")
    assert (status, kind) == (503, "application/problem+json")
    assert json.loads(body)["reasons"] == {"database": "starting"}
    readiness.met("database")
    assert get(server.port, "/readyz?verbose")[0] == 200
    assert b"rows_total 3.0" in get(server.port, "/metrics")[2]
    assert get(server.port, "/secrets")[0] == 404


def test_clients_that_say_nothing_do_not_keep_others_from_being_answered(
    probe: tuple[ProbeServer, Readiness],
) -> None:
    server, _ = probe
    silent = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(20)]
    try:
        # Eight of them hold the slots until their time is up; then the next ones are answered.
        until(lambda: _answers(server.port), "an answer beside silent clients")
    finally:
        for client in silent:
            client.close()


def _answers(port: int) -> bool:
    try:
        return get(port, "/healthz")[0] == 200
    except (OSError, http.client.HTTPException):
        return False


def rows(database: Database) -> dict[str, ProcessRow]:
    with database.connect() as conn:
        return {row.name: row for row in list_processes(conn)}


def test_the_heartbeat_tells_the_process_table(one_database: Database) -> None:
    readiness = Readiness("broker")
    beat = Heartbeat("gateway", one_database.settings, readiness, lambda: {"queue": 7}, interval=0.05)
    beat.start()
    until(lambda: rows(one_database), "the first beat")
    readiness.met("broker")
    until(lambda: rows(one_database)["gateway"].state == "ready", "the change is told")
    row = rows(one_database)["gateway"]
    assert (row.pid, row.detail) == (os.getpid(), {"queue": 7})
    beat.stop()
    assert rows(one_database)["gateway"].state == "stopped"


def test_the_heartbeat_survives_its_connection(one_database: Database) -> None:
    beat = Heartbeat("gateway", one_database.settings, Readiness(), interval=0.05)
    beat.start()
    try:
        first = until(lambda: rows(one_database).get("gateway"), "the first beat")
        with one_database.connect() as conn:
            conn.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        assert first is not None
        until(lambda: rows(one_database)["gateway"].seen > first.seen, "a beat after that")
    finally:
        beat.stop()


def test_without_a_database_the_heartbeat_is_silent_and_stops_at_once() -> None:
    url = f"postgresql://x@127.0.0.1:{free_port()}/x"
    beat = Heartbeat("gateway", Settings(database_url=url), Readiness(), interval=0.05)
    beat.start()
    began = time.monotonic()
    beat.stop()
    assert time.monotonic() - began < 60


def test_a_probe_address_that_is_taken_is_a_setting_that_is_wrong() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = Process("gateway", Settings(), probe=("127.0.0.1", taken.getsockname()[1]), heartbeat=False)
        with pytest.raises(SettingsError, match="cannot be listened on"):
            process.__enter__()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_process_ends_its_work_when_it_is_asked_to(number: signal.Signals) -> None:
    code = (
        "from tram.runtime import Process; from tram.settings import Settings\n"
        "with Process('worker', Settings(), probe=('127.0.0.1', 0), heartbeat=False) as process:\n"
        "    print(process.probe_port, flush=True)\n"
        "    process.stopping.wait()\n"
        "print('ended', flush=True)"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert child.stdout is not None
    assert get(int(child.stdout.readline()), "/readyz")[0] == 200
    child.send_signal(number)
    out, err = child.communicate(timeout=60)
    assert (child.returncode, out) == (0, "ended\n")
    assert "level=info process=worker" in err
