"""Cookies for the browser, and the address people know us by. What a request says of itself: tram.runtime.visitor."""

from collections.abc import Sequence

from starlette.requests import HTTPConnection
from starlette.responses import Response

from tram.runtime.visitor import (
    LONGEST,
    PLAIN_COOKIE,
    SECURE_COOKIE,
    Network,
    bearer,
    cookie,
    origin,
    secure,
)
from tram.settings import Settings

__all__ = ["LONGEST", "PLAIN_COOKIE", "SECURE_COOKIE", "base_url", "bearer", "cookie", "origin", "secure", "set_cookie"]


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
