"""The gateway as it runs: `python -m gateway` in a process of its own."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests import secrecy
from tram.embedded.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
START_TIMEOUT = 120.0


def wait_until(condition: Callable[[], object], timeout: float, what: str, step: float = 0.02) -> None:
    """Polls until the condition holds.

    Raises:
        TimeoutError: it does not within `timeout` seconds.
    """
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {timeout:g} s until {what}")
        time.sleep(step)


def cpu_seconds(pid: int) -> float:
    """CPU seconds that a process has used, in user and system mode, in steps of 10 ms."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Gateway:
    """A gateway process; `settings` are further ones by field name, e.g. batch_rows=100."""

    def __init__(self, folder: Path, database_url: str, mqtt_url: str, **settings: object) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.log = folder / "gateway.log"
        self.process: subprocess.Popen[bytes] | None = None
        self._folder = folder
        chosen = {"database_url": database_url, "mqtt_url": mqtt_url, "gateway_probe_port": self.port} | settings
        self._environment = {k: v for k, v in os.environ.items() if not k.startswith("TRAM_")}
        self._environment |= {f"TRAM_{name.upper()}": str(value) for name, value in chosen.items()}
        self._environment["PYTHONPATH"] = str(ROOT)
        secrecy.environment(self._environment)

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def start(self, *, ready: bool = True) -> None:
        """Starts it, and waits until it is ready (or only until it answers)."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "gateway"], cwd=self._folder, env=self._environment, stdout=log, stderr=log
            )

        def answers() -> bool:
            assert self.process is not None
            if self.process.poll() is not None:
                raise RuntimeError(f"the gateway ended: {self.log.read_text()[-3000:]}")
            status, _ = self.readyz()
            return status == 200 if ready else status != 0

        wait_until(answers, START_TIMEOUT, f"the gateway is ready; {self.log}")

    def stop(self) -> int:
        """SIGTERM; returns the exit code."""
        return self._end(signal.SIGTERM)

    def kill(self) -> None:
        """kill -9."""
        self._end(signal.SIGKILL)

    def _end(self, number: int) -> int:
        process, self.process = self.process, None
        if process is None:
            return 0
        process.send_signal(number)
        try:
            return process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise

    def readyz(self) -> tuple[int, dict[str, Any]]:
        """(status, body) of /readyz; (0, {}) while nothing answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=60) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)
        except OSError:
            return 0, {}

    def metrics(self) -> dict[str, float]:
        """/metrics: {name with labels: value}."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=60) as answer:
            lines = answer.read().decode().splitlines()
        return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[:1] != "#")}

    def rss(self) -> int:
        """Resident memory in bytes."""
        fields = Path(f"/proc/{self.pid}/statm").read_text().split()
        return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")
