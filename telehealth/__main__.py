"""`python -m telehealth`: signalling and media. Exit code 2 and one line for a setting that does not fit.

With `--memory` (a trial on one laptop, never in production) it needs no database: rooms end with the process.
"""

import argparse
import gc
import logging
import os
import socket
import sys

import uvicorn
from fastapi import FastAPI

from telehealth.app import create_app
from telehealth.signalling import Limits
from tram.embedded.addresses import DATABASE, resolve
from tram.errors import SettingsError
from tram.runtime import listening
from tram.runtime.logs import setup_logging
from tram.settings import Settings, load

GRACE = 3
"""Seconds that sockets may take to close after a stop was asked for."""


def main() -> int:
    """Runs the server until SIGTERM or SIGINT; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m telehealth", description=__doc__)
    parser.add_argument("--memory", action="store_true", help="keep rooms in this process only: no database")
    memory = parser.parse_args().memory
    try:
        settings = load(os.environ)
        if not memory:
            settings = resolve(settings, needs=(DATABASE,))
        app = create_app(settings, memory=memory)
        sock = listen(settings)
    except SettingsError as error:
        print(f"telehealth: {error}", file=sys.stderr)  # noqa: T201
        return 2
    setup_logging("telehealth", settings.log_level)
    for chatty in ("aioice", "uvicorn.error"):  # a line a candidate pair, and addresses of people
        logging.getLogger(chatty).setLevel(logging.WARNING)
    logging.getLogger(__name__).info("listening", extra={"port": sock.getsockname()[1]})
    # Long-lived objects of the start are not looked at again: collections stay short, and packets wait for none.
    gc.collect()
    gc.freeze()
    config = uvicorn.Config(
        app,
        loop="uvloop",
        ws="websockets-sansio",
        ws_max_size=Limits().frame_bytes,
        ws_ping_interval=None,  # the protocol has its own, which browsers can see
        access_log=False,
        log_config=None,
        server_header=False,
        ssl_certfile=settings.http_tls_cert or None,
        ssl_keyfile=settings.http_tls_key or None,
        proxy_headers=False,
        timeout_keep_alive=15,
        timeout_graceful_shutdown=GRACE,
        h11_max_incomplete_event_size=32_768,
    )
    _Server(config, app).run(sockets=[sock])
    return 0


class _Server(uvicorn.Server):
    """Says goodbye in the protocol's words before the sockets are closed under it."""

    def __init__(self, config: uvicorn.Config, app: FastAPI) -> None:
        super().__init__(config)
        self._app = app

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Asks everybody to come back, then stops."""
        shared = getattr(self._app.state, "consult", None)
        if shared is not None:
            await shared.conductor.drain()
        await super().shutdown(sockets)


def listen(settings: Settings) -> socket.socket:
    """The socket to serve on. Raises SettingsError: see tram.runtime.listening."""
    return listening.listen(settings, settings.telehealth_host, settings.telehealth_port, "TRAM_TELEHEALTH")


if __name__ == "__main__":
    sys.exit(main())
