"""The socket a plane answers people on: loopback, or with TLS of its own, or behind a proxy that it was told of."""

import socket
import ssl
from ipaddress import ip_address

from tram.errors import SettingsError
from tram.runtime.visitor import proxies
from tram.settings import Settings


def listen(settings: Settings, host: str, port: int, prefix: str) -> socket.socket:
    """A socket bound to host:port, for uvicorn.

    Args:
        prefix: of the settings' names in messages: `TRAM_HTTP` or `TRAM_TELEHEALTH`.

    Raises:
        SettingsError: reachable from other machines with neither TLS nor a stated proxy, or the address cannot be had.
    """
    check_tls(settings)
    if not is_loopback(host) and not proxies(settings) and not settings.http_tls_cert:
        raise SettingsError(
            f"{prefix}_HOST={host} can be reached from other machines: state the TLS proxy in front in "
            "TRAM_HTTP_PROXY, set TRAM_HTTP_TLS_CERT and TRAM_HTTP_TLS_KEY, or listen on 127.0.0.1"
        )
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        sock = socket.socket(family, kind, protocol)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
        sock.listen(1024)
    except OSError as error:
        raise SettingsError(f"{host}:{port} cannot be listened on ({error.strerror}): set {prefix}_PORT") from None
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


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches it."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
