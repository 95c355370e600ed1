"""Debian's Chromium for pytest-playwright's own fixtures (page, context, new_context): nothing is downloaded."""

import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Playwright, expect, sync_playwright

from tests.people import STATE

expect.set_options(timeout=60_000)  # milliseconds: a loaded machine is slow, not wrong
CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",  # the tests may run as root, in a container
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
]


# pytest-playwright keeps these for the whole session. Its driver's event loop would then run under every later test of
# the process, and `asyncio.run` refuses to work inside one: so here a browser ends with the module that asked for it.


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """Playwright's driver."""
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Chromium; a test that needs it is skipped, and says so, where there is none."""
    if shutil.which(CHROMIUM) is None:
        pytest.skip("there is no Chromium: `apt-get install chromium`")
    chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
    yield chromium
    chromium.close()


@pytest.fixture(scope="module")
def browser_context_args() -> dict[str, Any]:
    """A page is signed in as the test's admin; a test about signing in makes its own context."""
    return {"storage_state": STATE}
