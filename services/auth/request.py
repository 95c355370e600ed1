"""What a request says of itself: where it comes from, over what, its secrets. Only stated proxies are believed."""

import base64
from collections.abc import Sequence
from ipaddress import ip_address

from starlette.requests import HTTPConnection
from starlette.responses import Response

from services.middleware import Network
from tram.settings import Settings

PLAIN_COOKIE = "tram_session"
SECURE_COOKIE = "__Host-tram_session"
"""Browsers take a __Host- cookie only over TLS, for this very host and all paths (RFC 6265bis section 4.1.3.2)."""
LONGEST = 256


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


def set_cookie(request: HTTPConnection, response: Response, proxies: Sequence[Network], secret: str | None) -> None:
    """Gives the browser the secret, or takes it away (None)."""
    tls = secure(request, proxies)
    name = SECURE_COOKIE if tls else PLAIN_COOKIE
    if secret is None:
        response.delete_cookie(name, path="/", secure=tls, httponly=True, samesite="lax")
    else:
        # No lifetime: it ends with the browser, and in the database before that.
        response.set_cookie(name, secret, path="/", secure=tls, httponly=True, samesite="lax")


def base_url(request: HTTPConnection, settings: Settings, proxies: Sequence[Network]) -> str:
    """`https://host[:port]` as the browser knows us; the setting public_url where it is set."""
    if settings.public_url:
        return settings.public_url.rstrip("/")
    scheme = "https" if secure(request, proxies) else "http"
    return f"{scheme}://{request.headers.get('host', '')}"


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
