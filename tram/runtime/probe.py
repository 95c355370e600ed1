"""The probe server of a process without HTTP of its own: /metrics, /healthz, /readyz, on a thread.

/healthz says that the process answers at all; /readyz whether it can do its work (200, or 503 with the reasons as
RFC 9457 problem details); /metrics is the Prometheus text format.
"""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest

from tram.runtime.readiness import Readiness

REQUEST_TIMEOUT = 5.0  # seconds a client may take to send its request or read the answer
MOST_REQUESTS = 8  # at once; more are turned away, so that a scanner cannot starve the process


class ProbeServer:
    """Listens from construction on; answers from `start()` on.

    Args:
        address: (host, port); port 0 takes a free one, see `port`.
        readiness: what /readyz tells.
        registry: what /metrics shows.
    """

    def __init__(self, address: tuple[str, int], readiness: Readiness, registry: CollectorRegistry = REGISTRY) -> None:
        self._server = _Server(address, _handler(readiness, registry))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), name="probe", daemon=True)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._server.server_address[1])

    def start(self) -> None:
        """Begins to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Stops answering and frees the port."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 16

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self._slots = threading.BoundedSemaphore(MOST_REQUESTS)
        super().__init__(address, handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Starts a thread for the request, unless too many run."""
        if not self._slots.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:
            self._slots.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answers one request."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._slots.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no error of ours."""


def _handler(readiness: Readiness, registry: CollectorRegistry) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = REQUEST_TIMEOUT
        server_version = "tram"
        sys_version = ""

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path == "/metrics":
                self._answer(200, CONTENT_TYPE_LATEST, generate_latest(registry))
            elif path == "/healthz":
                self._answer(200, "application/json", b'{"status":"ok"}\n')
            elif path == "/readyz":
                said = readiness.problem()
                ready = said["status"] == "ready"
                kind = "application/json" if ready else "application/problem+json"
                self._answer(200 if ready else 503, kind, json.dumps(said, ensure_ascii=False).encode() + b"\n")
            else:
                body = b'{"type":"about:blank","title":"Not found","status":404}\n'
                self._answer(404, "application/problem+json", body)

        def _answer(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Probes come every few seconds: no line for each."""

    return Handler
