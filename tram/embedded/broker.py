"""The embedded MQTT broker: `iotcore` (rumqttd in a wheel) on 127.0.0.1, MQTT 3.1.1, in a process of its own.

    with BrokerServer(Path(".tram/broker")) as broker:
        client.connect("127.0.0.1", broker.port)

For loopback only: it has no accounts and no ACL, and forgets sessions and retained messages when it is restarted. It
hands a subscriber at most 100 unacknowledged messages (rumqttd: iobufs.rs, MAX_INFLIGHT), whatever it is told.
docs/adr/0010-embedded-parts.md weighs it.
"""

import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from tram.embedded import launch
from tram.embedded.files import write_whole
from tram.embedded.ports import free_port, listens_on_loopback, require_free
from tram.errors import UnavailableError

START_TIMEOUT = 20.0
POLL = 0.02
# What is kept of a topic filter for subscribers that are behind or away: 64 segments of 4 MiB, then the oldest go,
# uncounted. rumqttd keeps it in memory, also after delivery.
SEGMENT_BYTES = 4 << 20
SEGMENTS = 64

CONFIGURATION = """# Written at every start.
id = 0

[router]
id = 0
max_connections = 10010
max_outgoing_packet_count = 200
max_segment_size = {segment}
max_segment_count = {segments}

[v4.1]
name = "mqtt"
listen = "127.0.0.1:{port}"
next_connection_delay_ms = 1

[v4.1.connections]
connection_timeout_ms = 10000
max_payload_size = {payload}
max_inflight_count = 100
dynamic_filters = true
"""


def configure(folder: Path, port: int, payload_bytes: int) -> Path:
    """Writes the broker's configuration file and returns its path.

    Args:
        folder: where it goes; made when it does not exist.
        payload_bytes: largest payload that is decoded. The broker lets larger ones through, so that they reach the dead
            letters with their reason, instead of closing the device's connection.
    """
    folder.mkdir(parents=True, exist_ok=True)
    packet = min(max(16 * payload_bytes, SEGMENT_BYTES), 268_435_455)
    file = folder / "broker.toml"
    segment = max(SEGMENT_BYTES, packet)
    write_whole(file, CONFIGURATION.format(port=port, payload=packet, segment=segment, segments=SEGMENTS))
    return file


def command(configuration: Path) -> list[str]:
    """argv of the broker's process."""
    return [sys.executable, "-m", "tram.embedded.broker", str(configuration.absolute())]


class BrokerServer:
    """One broker.

    Args:
        folder: for its configuration and log.
        port: on 127.0.0.1; 0 takes a free one.
        payload_bytes: see `configure`.
    """

    def __init__(self, folder: Path, port: int = 0, *, payload_bytes: int = 262_144) -> None:
        self.folder = folder
        self.port = port
        self._wanted_port = port
        self._payload_bytes = payload_bytes
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """mqtt://127.0.0.1:port"""
        return f"mqtt://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def start(self) -> Self:
        """Starts the broker and waits until it accepts connections.

        Raises:
            SettingsError: the port is taken.
            UnavailableError: it does not come up.
        """
        if self.pid is not None:
            return self
        self.port = self._wanted_port or free_port()
        require_free("127.0.0.1", self.port, "TRAM_MQTT_PORT")
        argv = command(configure(self.folder, self.port, self._payload_bytes))
        with (self.folder / "broker.log").open("wb") as log:
            self._process = subprocess.Popen(
                launch.command(argv, os.getpid(), signal.SIGKILL), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        deadline = time.monotonic() + START_TIMEOUT
        while not listens_on_loopback(self.port):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                lines = (self.folder / "broker.log").read_text(errors="replace").split("\n")
                raise UnavailableError(f"the broker did not start: {' '.join(lines[-3:]).strip()}")
            time.sleep(POLL)
        return self

    def stop(self) -> None:
        """Ends it; it keeps nothing, so there is nothing to wait for."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def main() -> None:
    """The broker's process: ends at SIGTERM."""
    from iotcore.iotcore import IotCoreBroker

    logging.basicConfig(level="WARNING", format="%(asctime)s level=%(levelname)s process=broker %(message)s")
    # rumqttd opens an error-level span for every packet it routes: as a log, that is a line a message.
    logging.getLogger("rumqttd").setLevel(logging.CRITICAL)
    logging.getLogger("tracing").setLevel(logging.CRITICAL)
    # The Rust code below never returns to Python, so Python's own handlers would never run.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    IotCoreBroker(config_path=sys.argv[1]).run_forever()


if __name__ == "__main__":
    main()
