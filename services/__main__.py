"""`python -m services`: the API and the pages. Exit code 2 and one line for a setting that does not fit."""

import os
import socket
import ssl
import sys
from ipaddress import ip_address

import uvicorn

from services.app import create_app, proxies
from tram.embedded.addresses import DATABASE, resolve
from tram.errors import SettingsError
from tram.runtime.logs import setup_logging
from tram.settings import Settings, load

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
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http="h11",  # strict about requests, and no part more to keep up to date
        ws="none",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,  # Perimeter must see the real peer
        limit_concurrency=1000,
        ssl_certfile=settings.http_tls_cert or None,
        ssl_keyfile=settings.http_tls_key or None,
        timeout_keep_alive=15,
        timeout_graceful_shutdown=GRACE,
        h11_max_incomplete_event_size=32_768,  # bytes of request line and headers
    )
    uvicorn.Server(config).run(sockets=[sock])
    return 0


def listen(settings: Settings) -> socket.socket:
    """The socket to serve on.

    Raises:
        SettingsError: not loopback and no proxy stated, or the address cannot be had.
    """
    host, port = settings.http_host, settings.http_port
    check_tls(settings)
    if not _loopback(host) and not proxies(settings) and not settings.http_tls_cert:
        raise SettingsError(
            f"TRAM_HTTP_HOST={host} can be reached from other machines: state the TLS proxy in front in "
            "TRAM_HTTP_PROXY, set TRAM_HTTP_TLS_CERT and TRAM_HTTP_TLS_KEY, or listen on 127.0.0.1"
        )
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        sock = socket.socket(family, kind, protocol)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
    except OSError as error:
        raise SettingsError(f"{host}:{port} cannot be listened on ({error.strerror}): set TRAM_HTTP_PORT") from None
    sock.set_inheritable(True)
    return sock


def check_tls(settings: Settings) -> None:
    """Raises SettingsError: half a pair, or a certificate and key that cannot be used together."""
    if bool(settings.http_tls_cert) != bool(settings.http_tls_key):
        raise SettingsError("TRAM_HTTP_TLS_CERT and TRAM_HTTP_TLS_KEY belong together: set both or none")
    if settings.http_tls_cert:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(settings.http_tls_cert, settings.http_tls_key)
        except OSError as error:  # ssl.SSLError is one
            raise SettingsError(f"TRAM_HTTP_TLS_CERT and TRAM_HTTP_TLS_KEY cannot be used: {error}") from None


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


if __name__ == "__main__":
    sys.exit(main())
