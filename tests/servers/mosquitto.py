"""A real mosquitto on a free port, with its own data; it can be stopped, killed and started again on the same port."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from tram.embedded.ports import free_port

START_TIMEOUT = 60.0


def find() -> str | None:
    """The program, which Debian puts where only root's PATH looks."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


class Mosquitto:
    """The broker. `extra` are further lines of its configuration.

    Raises:
        RuntimeError: there is no mosquitto, or it does not start.
    """

    def __init__(self, folder: Path, extra: Mapping[str, str] | None = None) -> None:
        program = find()
        if program is None:
            raise RuntimeError("mosquitto is not installed: apt install mosquitto")
        self._program = program
        self.folder = folder
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        settings = {
            "persistence": "true", "persistence_location": f"{folder}/", "autosave_interval": "1",
            # FINDINGS of every load test: the default of 1,000 queued messages drops silently.
            "max_queued_messages": "0", "max_queued_bytes": "0", "max_inflight_messages": "20000",
            "allow_anonymous": "true", "log_type": "error", "set_tcp_nodelay": "true",
        } | dict(extra or {})  # fmt: skip
        if os.geteuid() == 0:
            settings["user"] = "root"
        folder.mkdir(parents=True, exist_ok=True)
        lines = [f"listener {self.port} 127.0.0.1", *(f"{k} {v}" for k, v in settings.items())]
        (folder / "mosquitto.conf").write_text("\n".join(lines) + "\n")

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Starts it and waits until it answers."""
        log = (self.folder / "log").open("ab")
        with log:
            self.process = subprocess.Popen(
                [self._program, "-c", str(self.folder / "mosquitto.conf")], stdout=log, stderr=log
            )
        deadline = time.monotonic() + START_TIMEOUT
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1.0).close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"mosquitto: {(self.folder / 'log').read_text()}") from None
                time.sleep(0.02)

    def stop(self, signal_number: int = signal.SIGTERM) -> None:
        """Ends it: SIGTERM saves its sessions first, SIGKILL does not."""
        process, self.process = self.process, None
        if process is not None:
            process.send_signal(signal_number)
            process.wait(START_TIMEOUT)

    def forget(self, client_id: str) -> None:
        """Ends a client's persistent session, with all that is queued in it."""
        client = paho.Client(CallbackAPIVersion.VERSION2, client_id, clean_session=True)
        connected: list[bool] = []
        client.on_connect = lambda *_: connected.append(True)
        client.connect("127.0.0.1", self.port)
        deadline = time.monotonic() + 60
        while not connected and time.monotonic() < deadline:
            client.loop(0.1)
        client.disconnect()
        client.loop(0.1)
