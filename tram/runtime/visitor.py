"""What a request says of itself: where it comes from, over what, its secrets. Only stated proxies are believed.

Shared by every plane that answers people over HTTP, so that one cookie and one token mean the same everywhere.
"""

import base64
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from starlette.requests import HTTPConnection

from tram.errors import SettingsError
from tram.settings import Settings

Network = IPv4Network | IPv6Network
PLAIN_COOKIE = "tram_session"
SECURE_COOKIE = "__Host-tram_session"
"""Browsers take a __Host- cookie only over TLS, for this very host and all paths (RFC 6265bis section 4.1.3.2)."""
LONGEST = 256


def proxies(settings: Settings) -> list[Network]:
    """The networks of TRAM_HTTP_PROXY. Raises SettingsError."""
    try:
        return [ip_network(part.strip()) for part in settings.http_proxy.split(",") if part.strip()]
    except ValueError as error:
        raise SettingsError(f"TRAM_HTTP_PROXY: {error}; it should be like 172.28.80.0/24, 10.0.0.7") from None


def origin(request: HTTPConnection, proxies: Sequence[Network]) -> str:
    """The address it came from: the peer's, or what a stated proxy says the peer's was."""
    peer = request.client.host.split("%")[0] if request.client else ""
    if not _proxied(peer, proxies):
        return peer
    # The last address that is no proxy of ours: what stands left of it was written by strangers.
    for part in reversed(request.headers.get("x-forwarded-for", "").split(",")):
        address = part.strip()
        try:
            ip_address(address)
        except ValueError:
            break
        peer = address
        if not _proxied(address, proxies):
            break
    return peer


def secure(request: HTTPConnection, proxies: Sequence[Network]) -> bool:
    """Whether the browser speaks TLS to us or to our proxy."""
    if request.url.scheme in ("https", "wss"):
        return True
    peer = request.client.host.split("%")[0] if request.client else ""
    return _proxied(peer, proxies) and request.headers.get("x-forwarded-proto", "").lower() == "https"


def cookie(request: HTTPConnection, proxies: Sequence[Network]) -> str | None:
    """The session's secret. Over TLS only the __Host- cookie counts: a plain one may be a sister site's."""
    value = request.cookies.get(SECURE_COOKIE if secure(request, proxies) else PLAIN_COOKIE)
    return value if value and len(value) <= LONGEST else None


def bearer(request: HTTPConnection) -> str | None:
    """The token of `Authorization: Bearer …` (RFC 6750); "" for a header of another form; None: none, or Basic.

    SensorThings clients know only Basic: there the token is the password, behind any user name.
    """
    header = request.headers.get("authorization")
    if header is None:
        return None
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "basic":
        return _password(value) if request.url.path.startswith("/sta/") else None
    value = value.strip()
    return value if scheme.lower() == "bearer" and 0 < len(value) <= LONGEST else ""


def _password(value: str) -> str:
    try:
        password = base64.b64decode(value.strip(), validate=True).decode().partition(":")[2]
    except (ValueError, UnicodeDecodeError):
        return ""
    return password if 0 < len(password) <= LONGEST else ""


def _proxied(peer: str, proxies: Sequence[Network]) -> bool:
    try:
        address = ip_address(peer)
    except ValueError:
        return False
    return any(address in network for network in proxies)
