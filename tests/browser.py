"""Debian's Chromium for pytest-playwright's own fixtures (page, context, new_context): nothing is downloaded."""

import shutil
from typing import Any

import pytest

from tests.people import STATE

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


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    """How Chromium is started; a test that needs it is skipped, and says so, where there is none."""
    if shutil.which(CHROMIUM) is None:
        pytest.skip("there is no Chromium: `apt-get install chromium`")
    return {"executable_path": CHROMIUM, "args": FLAGS}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    """A page is signed in as the test's admin; a test about signing in makes its own context."""
    return {**browser_context_args, "storage_state": STATE}
