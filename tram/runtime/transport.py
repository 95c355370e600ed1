"""The outermost layer of a plane that people reach: only peers that may connect, and never without TLS again."""

from collections.abc import Sequence
from ipaddress import ip_address

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tram.runtime.visitor import Network
from tram.settings import Settings

STRICT = "max-age=31536000"
"""Strict-Transport-Security (RFC 6797): for a year browsers come over TLS only."""


def may_connect(peer: str, proxies: Sequence[Network]) -> bool:
    """Whether a plane without TLS of its own answers this peer: loopback and the stated proxies."""
    try:
        address = ip_address(peer.split("%")[0])
    except ValueError:
        return False
    return address.is_loopback or any(address in network for network in proxies)


class Transport:
    """ASGI: turns away peers that are neither this machine nor the stated proxy (unless `direct`: TLS is our own), and
    tells browsers that came over TLS (ours or the proxy's) never to come without."""

    def __init__(self, app: ASGIApp, settings: Settings, proxies: Sequence[Network]) -> None:
        self.app, self.proxies = app, proxies
        self.direct = bool(settings.http_tls_cert)
        self.headers = {"Strict-Transport-Security": STRICT} if proxies or self.direct else {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return await self.app(scope, receive, send)
        peer = scope.get("client")
        if peer is not None and not self.direct and not may_connect(peer[0], self.proxies):
            return await _refuse(scope, receive, send)

        async def sender(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    headers.setdefault(name, value)
            await send(message)

        return await self.app(scope, receive, sender)


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})  # before the handshake: 403
        return
    body = b'{"type":"/problems/forbidden","title":"only this machine and the proxy of TRAM_HTTP_PROXY","status":403}'
    headers = [(b"content-type", b"application/problem+json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": body})
