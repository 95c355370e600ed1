"""What stands around every request, outermost first: peer, headers, guard, host and origin, body limit, time limit.

Plain ASGI, since Starlette's BaseHTTPMiddleware buffers bodies and hides disconnects.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.errors import problem, unexpected
from tram.runtime.ledger import Note
from tram.runtime.transport import STRICT, may_connect
from tram.runtime.visitor import Network

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
SECURITY_HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
}
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


class SecurityHeaders:
    """Adds the headers that browsers enforce to every answer, errors included; JSON is never cached by accident."""

    def __init__(self, app: ASGIApp, *, transport: bool = False) -> None:
        """`transport`: people come over TLS, so browsers are told never to come without (RFC 6797)."""
        self.app = app
        self.headers = {**SECURITY_HEADERS, **({"Strict-Transport-Security": STRICT} if transport else {})}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sender(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self.app(scope, receive, sender if scope["type"] == "http" else send)


class Guard:
    """Answers 500 problem+json for what no handler knew; the error itself goes to the log alone."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        begun = False

        async def sender(message: Message) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, sender)
        except Exception as error:
            answer = unexpected(error, f"{scope['method']} {scope.get('route') or 'a request'}")
            if begun:
                raise ConnectionAbortedError("an answer broke off half-way") from None
            await answer(scope, receive, send)


class Perimeter:
    """Answers loopback peers and the stated proxy only, on host names that are its own, and writes from its own site.

    A page of another site can make the browser send requests here, by DNS rebinding (the Host is then its own) or
    directly (the Origin is): https://fetch.spec.whatwg.org/#origin-header. Programs send no Origin.
    """

    def __init__(
        self, app: ASGIApp, proxies: Sequence[Network] = (), names: Collection[str] = (), *, direct: bool = False
    ) -> None:
        """`direct`: this process speaks TLS itself, so any peer may connect."""
        self.app = app
        self.direct = direct
        self.proxies = proxies
        self.names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return await self.app(scope, receive, send)
        refusal = self._refusal(scope)
        if refusal is None:
            return await self.app(scope, receive, send)
        return await problem(*refusal)(scope, receive, send)

    def _refusal(self, scope: Scope) -> tuple[str, str] | None:
        peer, headers = scope.get("client"), Headers(scope=scope)
        if peer is not None and not self.direct and not may_connect(peer[0], self.proxies):
            return "forbidden", "only this machine and the proxy of TRAM_HTTP_PROXY may connect"
        host = headers.get("host", "")
        name = host_name(host)
        if not is_loopback_name(name) and name not in self.names:
            return "unknown-host", "use 127.0.0.1, localhost or a name of TRAM_HTTP_NAMES"
        # The opening of a socket is held for a write: another site's page would read with this person's cookie.
        if scope["type"] == "websocket" or scope["method"] not in SAFE_METHODS:
            origin, site = headers.get("origin"), headers.get("sec-fetch-site", "none")
            if site not in ("none", "same-origin") or (origin is not None and urlsplit(origin).netloc != host):
                state = getattr(scope["app"].state, "tram", None)
                if state is not None:
                    state.ledger.note(Note("request.cross-origin", "", peer[0] if peer else "", {"from": origin or ""}))
                return "other-site", ""
        return None


def host_name(host: str) -> str:
    """The lower-case name or address of a Host header, without its port; "" for one that cannot be read."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def is_loopback_name(name: str) -> bool:
    """Whether a name or address means this machine to itself."""
    if name == "localhost" or name.endswith(".localhost"):  # RFC 6761 section 6.3: always loopback
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


class BodyLimit:
    """413 for a body of more than `limit` bytes, by its Content-Length or while it is read.

    `larger`: other limits of what lies below a path.
    """

    def __init__(self, app: ASGIApp, limit: int, larger: Mapping[str, int] | None = None) -> None:
        self.app = app
        self.limit = limit
        self.larger = dict(larger or {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        path = scope["path"]
        limit = next((most for prefix, most in self.larger.items() if path.startswith(f"{prefix}/")), self.limit)
        length = Headers(scope=scope).get("content-length", "0")
        if length.isdecimal() and int(length[:20]) > limit:
            return await problem("too-large", f"at most {limit} bytes")(scope, receive, send)
        read = 0

        async def receiver() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > limit:
                raise HTTPException(413, f"at most {limit} bytes")
            return message

        return await self.app(scope, receiver, send)


class TimeLimit:
    """503 when an answer has not begun after `seconds`; one that has begun may stream on."""

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self.app = app
        self.seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        begun = False
        try:
            async with asyncio.timeout(self.seconds) as limit:

                async def sender(message: Message) -> None:
                    nonlocal begun
                    if not begun:
                        begun = True
                        limit.reschedule(None)
                    await send(message)

                await self.app(scope, receive, sender)
        except TimeoutError:
            if begun or not limit.expired():
                raise
            await problem("timeout", f"no answer within {self.seconds:g} s")(scope, receive, send)
        return None
