"""What the HTTP side counts: requests by route and status, and how long they took."""

import time

from prometheus_client import Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

REQUESTS = Counter("tram_http_requests", "Requests answered", ["method", "route", "status"])
SECONDS = Histogram(
    "tram_http_request_seconds", "Time to the start of the answer", ["route"],
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)  # fmt: skip
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Measure:
    """Counts each request under its route's pattern, never its path: names in a URL must not become series."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        started = time.perf_counter()

        async def sender(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = getattr(scope.get("route"), "path", "none")
                method = scope["method"] if scope["method"] in METHODS else "other"
                REQUESTS.labels(method, route, message["status"]).inc()
                SECONDS.labels(route).observe(time.perf_counter() - started)
            await send(message)

        return await self.app(scope, receive, sender)
