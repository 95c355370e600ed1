"""Fixtures of the pages' journeys: the built pages, a real telehealth process, real Chromiums.

built       the pages, built from the sources as they are
ward        a telehealth process with a database, and whose people it knows; can be killed and started again
visitors    opens the call page for a person of a consult
"""

import base64
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

from tests.databases import Server
from tests.telehealth import scene
from tests.web.test_pages import build_web
from tests.web.ward import NOTE_PEERS, Ward
from tram.commands.migrate import folders
from tram.store.migrate import migrate

ROOT = Path(__file__).parents[2]
# Ten pictures a second: encoding them in several sizes takes the processor that everything else waits for.
CAMERA = "--use-fake-device-for-media-stream"
FLAGS = [f"{CAMERA}=fps=10" if flag == CAMERA else flag for flag in scene.FLAGS]


@pytest.fixture(scope="session")
def built() -> Path:
    """The pages, built when their sources changed."""
    try:
        build_web.build(install=True)
    except build_web.WebError as error:
        pytest.skip(f"THE WEB PAGES ARE NOT TESTED: {error}")
    if not build_web.OUT.is_dir():
        pytest.skip("THE WEB PAGES ARE NOT TESTED: TRAM_X_SKIP_WEB is set and they were never built")
    out: Path = build_web.OUT
    return out


@pytest.fixture(scope="session")
def ward(built: Path, server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ward]:
    """One for the session."""
    key = f"test:{base64.b64encode(secrets.token_bytes(32)).decode()}"
    with server.database("plain") as database:
        with psycopg.connect(database.url) as conn:
            migrate(conn, folders(), plain=True)
        made = Ward(tmp_path_factory.mktemp("ward"), database.url, key)
        with made.stack:
            made.start()
            yield made


@pytest.fixture(scope="module")
def playwright_here() -> Iterator[Playwright]:
    """Playwright, for one module: why, says tests/browser.py."""
    with sync_playwright() as playwright:
        yield playwright


def launch(playwright: Playwright, flags: list[str]) -> Browser:
    """Debian's Chromium with these flags; skips, saying so, where there is none."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("NO CHROMIUM: install it (Debian: chromium) to test the pages")
    return playwright.chromium.launch(executable_path=path, args=flags)


@pytest.fixture(scope="module")
def chromium_here(playwright_here: Playwright) -> Iterator[Browser]:
    """A Chromium with a fake camera and microphone, permitted."""
    browser = launch(playwright_here, FLAGS)
    yield browser
    browser.close()


Visit = Callable[..., Page]
# What the page's own policy refuses is an error of the page.
TELL_REFUSALS = """addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI, sourceFile }) =>
  setTimeout(() => { throw new Error(`refused: ${effectiveDirective} ${blockedURI} ${sourceFile}`) }))"""


@pytest.fixture
def visitors(chromium_here: Browser, ward: Ward) -> Iterator[Visit]:
    """`visit(token, …)` opens the call page in a context of its own. Errors of a page fail its test."""
    opened: list[BrowserContext] = []
    errors: list[str] = []

    def visit(token: str, *, browser: Browser | None = None, base: str = "", **options: Any) -> Page:
        query = f"lang={options.pop('lang', 'vi')}&theme={options.pop('theme', 'light')}"
        viewport = {"width": options.pop("width", 1440), "height": options.pop("height", 900)}
        settings: Mapping[str, Any] = {"viewport": viewport, **options}
        context = (browser or chromium_here).new_context(**settings)
        context.set_default_timeout(60_000)
        opened.append(context)
        context.add_init_script(NOTE_PEERS)
        context.add_init_script(TELL_REFUSALS)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"{base or ward.http}/ui/consult/?{query}" + (f"#token={token}" if token else ""))
        return page

    yield visit
    for context in opened:
        context.close()
    assert not errors, errors
