"""Fixtures of the pages' journeys: the built pages, a real telehealth process, real Chromiums.

built       the pages, built from the sources as they are
ward        a telehealth process with a database, and whose people it knows; can be killed and started again
visitors    opens the call page for a person of a consult
"""

import base64
import os
import secrets
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

from telehealth.messages import Role
from telehealth.tokens import Grant, Keyring, parse_keys
from tests.databases import Server
from tests.people import ADMIN
from tests.people import token as personal_token
from tests.servers.consult import ConsultServer, consult_server
from tests.telehealth.scene import FLAGS
from tests.waiting import until
from tests.web.test_pages import build_web
from tram.commands.migrate import folders
from tram.identity.claims import parse_grant
from tram.store.migrate import migrate

ROOT = Path(__file__).parents[2]
PEOPLE = {
    "doctor": (Role.DOCTOR, "BS. Trần Minh Quân", "BV Trung ương Thái Nguyên"),
    "station": (Role.STATION, "Đd. Nông Thị Lan", "Trạm y tế Thần Sa"),
    "specialist": (Role.SPECIALIST, "BSCKII. Trần Thu Hà", "BV A Thái Nguyên"),
    "monitor": (Role.STATION, "Máy theo dõi", "Trạm y tế Thần Sa"),
}
# Chromium has no way to hand its peer connections out; getStats is asked of those the page makes.
NOTE_PEERS = """
window.peers = [];
window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(...options) { super(...options); window.peers.push(this) }
};
"""


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


@dataclass
class Ward:
    """A telehealth process, whose rooms outlive it."""

    home: Path
    database: str
    key: str
    stack: ExitStack = field(default_factory=ExitStack)
    port: int = 0
    server: ConsultServer | None = None

    @property
    def ring(self) -> Keyring:
        return parse_keys(self.key)

    def start(self) -> None:
        """Starts it, the second time on the port it had."""
        environment = {
            "TRAM_DATABASE_URL": self.database,
            "TRAM_TELEHEALTH_KEYS": self.key,
            "TRAM_TELEHEALTH_PORT": str(self.port),
        }
        self.server = self.stack.enter_context(consult_server(self.home, environment, ()))
        self.port = self.server.port
        until(self.ready, "telehealth is ready")

    def ready(self) -> bool:
        """Whether it answers, with its database."""
        try:
            with urllib.request.urlopen(f"{self.http}/readyz", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def kill(self) -> None:
        """As a power cut does."""
        assert self.server is not None
        self.server.kill()

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def token(
        self, consult: str, who: str, *, seconds: float = 290.0, person: str = "", role: Role | None = None
    ) -> str:
        """A join token of one of PEOPLE."""
        theirs, name, facility = PEOPLE[who]
        now = time.time()
        issued = now if seconds > 0 else now - 60.0
        return self.ring.sign(
            Grant(
                kind="join",
                consult=consult,
                role=role or theirs,
                # Somebody new in each consult: what one person may measure of the link in a minute is limited.
                person=person or f"{who}-{consult}",
                name=name,
                facility=facility,
                issued=issued,
                expires=now + seconds,
                jti=secrets.token_hex(12),
            )
        )

    def program(self, grant: str = "") -> str:
        """A personal token with an administrator's rights, or with those of a grant like `citizen`."""
        with psycopg.connect(self.database, autocommit=True) as conn:
            return personal_token(conn, parse_grant(grant) if grant else ADMIN)

    def kit(self, consult: str, scenario: str = "stable") -> subprocess.Popen[bytes]:
        """The headless station kit, as a monitor beside the nurse's page; ended with the ward."""
        command = [
            sys.executable,
            "-m",
            "devices.agents.station",
            "--server",
            self.http,
            "--vitals",
            f"simulated:{scenario}",
        ]
        process = subprocess.Popen(
            [*command, "--token", self.token(consult, "monitor")],
            cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

        def end() -> None:
            process.kill()
            process.wait(10)

        self.stack.callback(end)
        return process


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


@pytest.fixture
def visitors(chromium_here: Browser, ward: Ward) -> Iterator[Visit]:
    """`visit(token, …)` opens the call page in a context of its own. Errors of a page fail its test."""
    opened: list[BrowserContext] = []
    errors: list[str] = []

    def visit(token: str, *, browser: Browser | None = None, base: str = "", **options: Any) -> Page:
        query = f"lang={options.pop('lang', 'vi')}&theme={options.pop('theme', 'light')}"
        viewport = {"width": options.pop("width", 1440), "height": options.pop("height", 900)}
        settings: Mapping[str, Any] = {"viewport": viewport, "permissions": ["camera", "microphone"], **options}
        context = (browser or chromium_here).new_context(**settings)
        context.set_default_timeout(30_000)
        opened.append(context)
        context.add_init_script(NOTE_PEERS)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"{base or ward.http}/ui/consult/?{query}" + (f"#token={token}" if token else ""))
        return page

    yield visit
    for context in opened:
        context.close()
    assert not errors, errors
