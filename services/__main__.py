"""`python -m services`: the API and the pages. Exit code 2 and one line for a setting that does not fit."""

import os
import socket
import sys

import uvicorn

from services.app import create_app
from services.live.wire import UVICORN
from tram.embedded.addresses import DATABASE, resolve
from tram.errors import SettingsError
from tram.runtime import listening, memory
from tram.runtime.logs import setup_logging
from tram.settings import Settings, load

REQUESTS = 1000
"""Most connections, beside the viewers."""
GRACE = 5
"""Seconds that running requests may take after a stop was asked for."""


def main() -> int:
    """Runs the server until SIGTERM or SIGINT; returns the exit code."""
    try:
        settings = resolve(load(os.environ), needs=(DATABASE,))
        sock = listen(settings)
        app = create_app(settings)
    except SettingsError as error:
        print(f"services: {error}", file=sys.stderr)  # noqa: T201
        return 2
    setup_logging("api", settings.log_level)
    memory.keep_freed()
    memory.look_less_for_cycles()
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http="h11",  # strict about requests, and no part more to keep up to date
        **UVICORN,
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,  # Perimeter must see the real peer
        limit_concurrency=REQUESTS + settings.live_viewers,
        ssl_certfile=settings.http_tls_cert or None,
        ssl_keyfile=settings.http_tls_key or None,
        timeout_keep_alive=15,
        timeout_graceful_shutdown=GRACE,
        h11_max_incomplete_event_size=32_768,  # bytes of request line and headers
    )
    uvicorn.Server(config).run(sockets=[sock])
    return 0


def listen(settings: Settings) -> socket.socket:
    """The socket to serve on. Raises SettingsError: see tram.runtime.listening."""
    return listening.listen(settings, settings.http_host, settings.http_port, "TRAM_HTTP")


if __name__ == "__main__":
    sys.exit(main())
