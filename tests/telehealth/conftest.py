"""Fixtures of the consult's tests: real processes, a real Chromium.

consults    a telehealth process whose rooms live in memory, for the session
kept        a database with the consult's tables
pages       opens browser pages with the bare test participant (tests/telehealth/page)
"""

import functools
import http.server
import shutil
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from telehealth.keeping import MIGRATIONS
from tests.databases import Database, Server
from tests.servers.consult import ConsultServer, consult_server
from tests.telehealth.scene import FLAGS, PAGE
from tram.store.migrate import migrate

OpenPage = Callable[[], Page]


@pytest.fixture(scope="session")
def page_origin() -> Iterator[str]:
    """Where the test participant's page is served."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            """Nothing."""

    handler = functools.partial(Quiet, directory=str(PAGE))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as served:
        threading.Thread(target=served.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{served.server_address[1]}"
        served.shutdown()


@pytest.fixture(scope="session")
def consults(tmp_path_factory: pytest.TempPathFactory, page_origin: str) -> Iterator[ConsultServer]:
    """One telehealth process for the session."""
    home = tmp_path_factory.mktemp("consults")
    with consult_server(home, {"TRAM_TELEHEALTH_ORIGINS": page_origin}) as running:
        yield running


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A real, headless Chromium with a fake camera and microphone.

    No longer than its module: Playwright's synchronous side keeps an event loop running on this thread, and nobody
    else's asyncio.run() would work meanwhile.
    """
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("NO CHROMIUM: install it (Debian: chromium) to test calls in a browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def pages(chromium: Browser, page_origin: str) -> Iterator[OpenPage]:
    """Opens a page a participant, each in a context of its own."""
    opened = []

    def open_page() -> Page:
        context = chromium.new_context(permissions=["camera", "microphone"])
        opened.append(context)
        page = context.new_page()
        page.goto(f"{page_origin}/call.html")
        return page

    yield open_page
    for context in opened:
        context.close()


@pytest.fixture(scope="session")
def kept(server: Server) -> Iterator[Database]:
    """A database with the consult's tables, for the session."""
    with server.database("plain" if server.missing("timescaledb") else "timescaledb") as made:
        with made.connect() as conn:
            migrate(conn, [MIGRATIONS])
        yield made
