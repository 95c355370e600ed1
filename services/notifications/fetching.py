"""POST to an address that somebody else wrote: bounded in time and size, never into this house's own network.

The name is resolved once, every address it has is judged, and the connection is made to the very address that was
judged: a name that answers differently the second time gains nothing. Redirects are not followed.
"""

import http.client
import ipaddress
import socket
import ssl
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

TIMEOUT = 10.0
ANSWER = 65_536


class RefusedError(Exception):
    """An address that is not written to; the message says why."""


class Answer(NamedTuple):
    """The status, and the first bytes of the body. `retry_after`: seconds the server asks to wait; 0: it does not."""

    status: int
    body: bytes
    retry_after: float


def check(url: str, *, private: bool) -> tuple[str, int, str, bool]:
    """(host, port, path, TLS) of a URL.

    Raises:
        RefusedError: no http(s) URL, credentials in it, or without TLS (which only private networks may do without).
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise RefusedError("this is no URL") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or not url.isascii() or not url.isprintable():
        raise RefusedError("this is no https:// URL")
    if parts.username or parts.password:
        raise RefusedError("a URL with a password in it is not taken: the signature says who sends")
    if parts.scheme == "http" and not private:
        raise RefusedError("the URL must begin with https://")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return parts.hostname, port or (443 if parts.scheme == "https" else 80), path, parts.scheme == "https"


def resolve(host: str, port: int, *, private: bool) -> str:
    """The address to connect to.

    Raises:
        RefusedError: one of its addresses is not on the open internet (and `private` does not allow that).
        OSError: the name is not known.
    """
    found = [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    for text in found:
        address = ipaddress.ip_address(text.split("%")[0])
        mapped = getattr(address, "ipv4_mapped", None) or address
        if not private and (not mapped.is_global or mapped.is_multicast):
            raise RefusedError(f"{host} is {mapped}, which is no address on the open internet")
    return found[0]


def post(
    url: str, body: bytes, headers: Mapping[str, str], *, private: bool, timeout: float = TIMEOUT,
    context: ssl.SSLContext | None = None,
) -> Answer:  # fmt: skip
    """Sends it. Raises RefusedError; OSError or http.client.HTTPException when it did not get through."""
    host, port, path, tls = check(url, private=private)
    address = resolve(host, port, private=private)
    connection = http.client.HTTPConnection(host, port, timeout=timeout)
    try:
        sock = socket.create_connection((address, port), timeout)
        connection.sock = (
            (context or ssl.create_default_context()).wrap_socket(sock, server_hostname=host) if tls else sock
        )
        connection.request("POST", path, body, {"User-Agent": "Tram-notifications", **headers})
        answer = connection.getresponse()
        wait = answer.getheader("Retry-After") or ""
        return Answer(answer.status, answer.read(ANSWER), float(wait) if wait.isdecimal() else 0.0)
    finally:
        connection.close()
