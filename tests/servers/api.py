"""The real HTTP application on a real uvicorn, on a free port of this machine, in a thread."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import httpx
import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.__main__ import listen
from services.app import create_app
from services.live.wire import UVICORN
from tests import secrecy
from tests.people import enter
from tram.settings import Settings


@dataclass
class Api:
    """A running server.

    Attributes:
        url: http://127.0.0.1:port
        client: for requests to it.
    """

    url: str
    client: httpx.Client

    def get(self, path: str, **parameters: object) -> httpx.Response:
        """A GET that must be answered with 200."""
        answer = self.client.get(path, params={k: str(v) for k, v in parameters.items()} or None)
        assert answer.status_code == 200, answer.text
        return answer

    def eventually(self, path: str, holds: Callable[[httpx.Response], bool], seconds: float = 60) -> httpx.Response:
        """Asks until the answer is as it should be."""
        deadline = time.monotonic() + seconds
        while True:
            answer = self.client.get(path)
            if holds(answer):
                return answer
            assert time.monotonic() < deadline, f"still {answer.status_code}: {answer.text[:500]}"
            threading.Event().wait(0.02)


class Overheard:
    """The application, with what it answers to errors told to tests.secrecy: also to browsers."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        status, body = 0, b""

        async def sender(message: Message) -> None:
            nonlocal status, body
            if message["type"] == "http.response.start":
                status = message["status"]
            elif message["type"] == "http.response.body" and status >= 400:
                body += message.get("body", b"")
                if not message.get("more_body"):
                    secrecy.told(scope["method"], scope["path"], status, body.decode("utf-8", "replace"))
            await send(message)

        await self.app(scope, receive, sender if scope["type"] == "http" else send)


@contextmanager
def serve(settings: Settings, *, heartbeat: bool = False, admin: bool = True, rate: int = 10_000_000) -> Iterator[Api]:
    """A server over the database of `settings`, for as long as the block runs.

    With `admin` its client is a city admin, and so is a browser with tests.people.STATE; without, nobody.
    """
    settings = replace(settings, http_port=0, http_rate=rate)
    secret = enter(settings) if admin else None
    sock = listen(settings)
    port = sock.getsockname()[1]
    server = uvicorn.Server(
        uvicorn.Config(
            Overheard(create_app(settings, heartbeat=heartbeat)), log_config=None, **UVICORN, http="h11",
            access_log=False, proxy_headers=False,
            server_header=False, h11_max_incomplete_event_size=32_768,
            timeout_graceful_shutdown=1,
        )
    )  # fmt: skip
    thread = threading.Thread(target=server.run, args=([sock],), daemon=True)
    thread.start()
    deadline = time.monotonic() + 60
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        assert time.monotonic() < deadline, "the server does not start"
        threading.Event().wait(0.01)
    url = f"http://127.0.0.1:{port}"
    try:
        headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        with httpx.Client(base_url=url, timeout=60, headers=headers) as client:
            yield Api(url, client)
    finally:
        server.should_exit = True
        thread.join(60)
        sock.close()
