"""The telehealth process for tests: a real one, on a free port."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import urllib.request
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from tests import secrecy
from tests.waiting import until

ROOT = Path(__file__).parents[2]
_LISTENING = re.compile(r"listening .*?port=(\d+)")


@dataclass
class ConsultServer:
    """A running `python -m telehealth`."""

    process: subprocess.Popen[str]
    port: int
    log: deque[str] = field(default_factory=lambda: deque(maxlen=2000))
    host: str = "127.0.0.1"

    @property
    def http(self) -> str:
        return f"http://{self.host}:{self.port}"

    @property
    def ws(self) -> str:
        return f"ws://{self.host}:{self.port}/consult"

    def get(self, path: str, token: str = "") -> Any:
        """GET, as JSON."""
        request = urllib.request.Request(self.http + path, headers={"Authorization": f"Bearer {token}"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def metrics(self) -> dict[str, float]:
        """The numbers of /metrics, by name and labels."""
        with urllib.request.urlopen(self.http + "/metrics", timeout=60) as answer:
            lines = answer.read().decode().splitlines()
        return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines if not line.startswith("#")}

    def tokens(self, consult: str = "") -> dict[str, str]:
        """Join tokens by role, and the consult under `consult`."""
        body = json.dumps({"consult": consult} if consult else {}).encode()
        request = urllib.request.Request(self.http + "/consult/api/demo", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            made = json.load(answer)
        secrecy.WATCH.register(list(made["tokens"].values()), "demo join token")
        return {**made["tokens"], "consult": made["consult"]}

    def kill(self) -> None:
        """As a power cut does."""
        self.process.kill()
        self.process.wait(60)

    def stop(self) -> int:
        """As an operator does; returns the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


@contextmanager
def consult_server(
    home: Path,
    environment: Mapping[str, str] | None = None,
    arguments: Sequence[str] = ("--memory",),
    *,
    prefix: Sequence[str] = (),
    host: str = "127.0.0.1",
) -> Iterator[ConsultServer]:
    """Starts one and waits until it listens.

    Args:
        environment: further TRAM_ settings.
        prefix: a command in front, as `ip netns exec …`.
    """
    env = {k: v for k, v in os.environ.items() if not k.startswith("TRAM_")}
    env |= {"TRAM_HOME": str(home), "TRAM_TELEHEALTH_PORT": "0", "TRAM_TELEHEALTH_HOST": host, "PYTHONPATH": str(ROOT)}
    if host != "127.0.0.1":  # a network of the test's own: said to be the proxy's
        env["TRAM_HTTP_PROXY"] = str(ip_network(f"{host}/24", strict=False))
    env |= environment or {}
    secrecy.environment(env)
    process = subprocess.Popen(
        [*prefix, sys.executable, "-m", "telehealth", *arguments],
        cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    server = ConsultServer(process, 0, host=host)

    def read() -> None:
        assert process.stderr is not None
        for line in process.stderr:
            server.log.append(line.rstrip())
            secrecy.WATCH.tell("log of telehealth", line.rstrip())

    threading.Thread(target=read, daemon=True).start()

    def listening() -> int | None:
        for line in list(server.log):
            found = _LISTENING.search(line)
            if found:
                return int(found[1])
        if process.poll() is not None:
            raise AssertionError("telehealth ended: " + "\n".join(server.log))
        return None

    try:
        server.port = until(listening, "telehealth listens", 30) or 0
        yield server
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(60)
