"""`tram up` in a folder of its own, on free ports, as a person would start it."""

import contextlib
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil

from tests.waiting import until
from tram.embedded.system import PORTS

ROOT = Path(__file__).resolve().parents[2]
MARK = "TRAM_X_FOLDER_OF_TEST"


def environment(folder: Path, **settings: str) -> dict[str, str]:
    """A person's environment: every port a free one, no setting of the test's own machine."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("TRAM_")}
    ports = {f"TRAM_{field.upper()}": "0" for field in PORTS}
    return own | {"PYTHONPATH": str(ROOT), MARK: str(folder)} | ports | settings


def tram(folder: Path, *words: str, timeout: float = 60.0, **settings: str) -> subprocess.CompletedProcess[str]:
    """Runs a `tram` command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "tram.cli", *words], cwd=folder, env=environment(folder, **settings),
        capture_output=True, text=True, timeout=timeout, check=False,
    )  # fmt: skip


class System:
    """A running `tram up`."""

    def __init__(self, folder: Path, *words: str, **settings: str) -> None:
        self.folder = folder
        self.lines: list[str] = []
        self._settings, self._token = settings, ""
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tram.cli", "up", *words], cwd=folder, env=environment(folder, **settings),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
        )  # fmt: skip
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def says(self, text: str, timeout: float = 60.0) -> str:
        """Waits for a line that holds the text; fails at once when the process ends without it."""

        def said() -> list[str]:
            found = [line for line in list(self.lines) if text in line]
            assert found or self.process.poll() is None or self._reader.is_alive(), "\n".join(self.lines)
            return found

        return until(said, f"{text!r}", timeout)[0]

    def ready(self, timeout: float = 120.0) -> float:
        """Waits until all is ready; returns the seconds since the start."""
        self.says("sẵn sàng / ready", timeout)
        return time.monotonic() - self.began

    @property
    def addresses(self) -> dict[str, str]:
        """Where the parts are."""
        found: dict[str, str] = json.loads((self.folder / ".tram" / "run" / "addresses.json").read_text())
        return found

    def token(self) -> str:
        """A city admin's token, made by the command as a person would."""
        if not self._token:
            done = tram(self.folder, "token", "create", "--role", "city-admin", **self._settings)
            assert done.returncode == 0, done.stderr
            self._token = done.stdout.strip()
        return self._token

    def get(self, path: str, at: str = "web") -> tuple[int, Any]:
        """GET of a path, as JSON where it is; of the API with a token."""
        headers = {"Authorization": f"Bearer {self.token()}"} if at == "web" and path.startswith("/api/") else {}
        connection = http.client.HTTPConnection(urlsplit(self.addresses[at]).netloc, timeout=60)
        try:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            body = answer.read()
            return answer.status, json.loads(body) if "json" in answer.headers["Content-Type"] else body
        finally:
            connection.close()

    def publish(self, topic: str, payload: str) -> None:
        """Publishes with an independent client, at QoS 1."""
        port = str(urlsplit(self.addresses["mqtt"]).port)
        program = shutil.which("mosquitto_pub")
        assert program is not None
        argv = [program, "-h", "127.0.0.1", "-p", port, "-q", "1", "-t", topic, "-m", payload]
        subprocess.run(argv, check=True, timeout=20)

    def processes(self) -> list[psutil.Process]:
        """Everything that came of it and still runs: by the mark in the environment, or by the folder in the command
        (PostgreSQL has an environment of its own, and overwrites it)."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                ours = process.environ().get(MARK) == str(self.folder) or str(self.folder) in " ".join(
                    process.cmdline()
                )
                if ours and process.status() != psutil.STATUS_ZOMBIE and process.pid != os.getpid():
                    found.append(process)
        return found

    def pid_of(self, name: str) -> int:
        """The process id that a plane reports of itself."""
        _, status = self.get("/api/status")
        return next(row["pid"] for row in status["processes"] if row["name"] == name and row["state"] == "ready")

    def stop(self, number: signal.Signals = signal.SIGINT, timeout: float = 60.0) -> int:
        """Asks it to stop and returns the exit code."""
        self.process.send_signal(number)
        code = self.process.wait(timeout)
        self._reader.join(5)
        return code

    def destroy(self) -> None:
        """Whatever a failing test leaves."""
        for process in self.processes():
            with contextlib.suppress(psutil.Error):
                process.kill()
        self.process.wait(60)
