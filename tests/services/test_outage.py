"""The database goes and comes back: the API says so within a second, and recovers by itself."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from services.__main__ import main
from tests.servers.api import serve
from tests.services.filling import fill
from tram.embedded.ports import free_port
from tram.embedded.postgres import PostgresServer
from tram.settings import Settings
from tram.store.database import connect
from tram.store.migrate import migrate

ROOT = Path(__file__).resolve().parents[2]


def test_database_stopped_and_started(tmp_path: Path) -> None:
    with PostgresServer(tmp_path / "server", free_port(), durable=False) as postgres:
        settings = Settings(database_url=postgres.url)
        with connect(settings) as conn:
            migrate(conn)
            fill(conn)
        with serve(settings) as api:
            api.eventually("/readyz", lambda a: a.status_code == 200)
            api.get("/api/things/aq-01")
            postgres.stop()
            for path in (
                "/api/things",
                "/api/status",
                "/api/observations/newest",
                "/api/things/aq-01",
                "/api/overview",
            ):
                api.eventually(path, lambda a: a.status_code == 503)
                started = time.monotonic()
                answer = api.client.get(path)
                assert time.monotonic() - started < settings.database_timeout, "nobody waits for what is not there"
                assert answer.headers["retry-after"] == "1"
                assert answer.headers["content-type"] == "application/problem+json"
                assert answer.json()["type"] == "/problems/unavailable"
                assert "password" not in answer.text
            assert api.get("/healthz")
            ready = api.eventually("/readyz", lambda a: a.status_code == 503)
            assert "database" in ready.json()["reasons"]
            assert api.client.get("/", follow_redirects=True).status_code == 200
            postgres.start()
            api.eventually("/api/things/aq-01", lambda a: a.status_code == 200)
            api.eventually("/api/status", lambda a: a.status_code == 200)
            api.eventually("/readyz", lambda a: a.status_code == 200)


def run(environment: dict[str, str], folder: Path) -> "subprocess.Popen[str]":
    """`python -m services` in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "services"], cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)} | environment,
    )  # fmt: skip


def test_it_starts_without_a_database_and_stops_on_sigterm(tmp_path: Path) -> None:
    port = free_port()
    url = f"postgresql://nobody@127.0.0.1:{free_port()}/nothing"
    process = run({"TRAM_DATABASE_URL": url, "TRAM_HTTP_PORT": str(port)}, tmp_path)
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                answer = httpx.get(f"http://127.0.0.1:{port}/readyz")
                break
            except httpx.TransportError:
                assert process.poll() is None, process.communicate()
                assert time.monotonic() < deadline
                time.sleep(0.05)
        assert answer.status_code == 503
        assert httpx.get(f"http://127.0.0.1:{port}/api/things").status_code == 503
    finally:
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=60)
    assert process.returncode in (0, -signal.SIGTERM)
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"TRAM_HTTP_HOST": "0.0.0.0"}, ["TRAM_HTTP_HOST", "TRAM_HTTP_PROXY"]),
        ({"TRAM_HTTP_PROXY": "nonsense"}, ["TRAM_HTTP_PROXY"]),
        ({"TRAM_HTTP_PORT": "no"}, ["TRAM_HTTP_PORT"]),
        ({"TRAM_DATABASE_URL": ""}, ["no database", "TRAM_DATABASE_URL"]),
        ({"TRAM_ODD": "1"}, ["TRAM_ODD"]),
    ],
)
def test_a_wrong_setting_is_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    environment: dict[str, str],
    words: list[str],
) -> None:
    """What the process does before anything else; that a process does it: tests/identity/test_transport.py."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("TRAM_")]:
        monkeypatch.delenv(name)
    base = {"TRAM_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/x", "TRAM_HTTP_PORT": "0"}
    for name, value in (base | environment).items():
        monkeypatch.setenv(name, value)
    assert main() == 2
    said = capsys.readouterr().err
    assert len(said.strip().splitlines()) == 1
    assert all(word in said for word in words), said
