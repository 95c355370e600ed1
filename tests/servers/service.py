"""The API with its live hub as it runs: `python -m services` in a process of its own, on a port that it keeps."""

import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

from tests.servers.gateway import ROOT, cpu_seconds, wait_until
from tram.embedded.ports import free_port

START = 120.0


class Service:
    """An API process; `settings` are further ones by field name, e.g. live_streams=100."""

    def __init__(self, folder: Path, database_url: str, secret_key: str, **settings: object) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.log = folder / f"services-{self.port}.log"
        self.process: subprocess.Popen[bytes] | None = None
        self._folder = folder
        chosen = {
            "database_url": database_url, "http_port": self.port, "secret_key": secret_key, "home": folder / "home",
        } | settings  # fmt: skip
        self._environment = {k: v for k, v in os.environ.items() if not k.startswith("TRAM_")}
        self._environment |= {f"TRAM_{name.upper()}": str(value) for name, value in chosen.items()}
        self._environment["PYTHONPATH"] = str(ROOT)

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def start(self) -> None:
        """Starts it, and waits until it is ready."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "services"], cwd=self._folder, env=self._environment, stdout=log, stderr=log
            )

        def ready() -> bool:
            assert self.process is not None
            if self.process.poll() is not None:
                raise RuntimeError(f"the API ended: {self.log.read_text()[-3000:]}")
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=60) as answer:
                    return bool(answer.status == 200)
            except (urllib.error.URLError, OSError):
                return False

        try:
            wait_until(ready, START, f"the API is ready; {self.log}")
        except TimeoutError:
            self.stop(signal.SIGKILL)
            raise

    def stop(self, number: int = signal.SIGTERM) -> None:
        """Ends it, by this signal."""
        process, self.process = self.process, None
        if process is not None:
            process.send_signal(number)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                raise

    def cpu(self) -> float:
        """CPU seconds used."""
        return cpu_seconds(self.pid)

    def rss(self) -> int:
        """Resident memory in bytes."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
