"""The check of tests/secrecy.py can fail: a suite that tells a secret is red, one that does not is green."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.secrecy import search

ROOT = Path(__file__).parents[2]
SUITE = """
import logging
import httpx
import pytest
from tests import secrecy
from tram.identity import secrets

TELLS = {tells}

@pytest.mark.parametrize("tells", TELLS)
def test_something(tmp_path, tells):
    secret = secrets.new_session_secret()
    exec(tells)
"""
TELLS = {
    "log of services.any:": 'logging.getLogger("services.any").warning("the cookie %s", secret)',
    "log of tram.x:": 'logging.getLogger("tram.x").warning("failed", exc_info=ValueError(f"no {secret}!"))',
    "422 of GET /y:": """
answer = httpx.MockTransport(lambda request, told=secret: httpx.Response(422, json={"detail": f"not {told}"}))
httpx.Client(transport=answer).get("http://x/y")""",
    "gateway.log:": '(tmp_path / "gateway.log").write_text(f"x={secret}")',
    "(gateway.password) stands in run.log:": """
(tmp_path / "gateway.password").write_text("p4ssw0rd-of-the-gateway")
(tmp_path / "run.log").write_text("connecting with p4ssw0rd-of-the-gateway")""",
    "(TRAM_DATABASE_URL) stands in a child:": """
secrecy.environment({"TRAM_DATABASE_URL": "postgresql://u:s3cret-s3cret-s3cret@h/d"})
secrecy.WATCH.tell("a child", "no route to postgresql://u:s3cret-s3cret-s3cret@h/d")""",
    "(password) stands in words:": """
secrecy.WATCH.register("sông Cầu chảy qua", "password")
secrecy.WATCH.tell("words", "typed: sông Cầu chảy qua cầu")""",
}
KEEPS = """
logging.getLogger("services.any").warning("somebody signed in, %s", secret[:6])
secrecy.told("GET", f"/api/things/{secret}", 404, f"there is no Thing '{secret}'")  # what the asker said themselves"""


def run(folder: Path, tells: list[str], *options: str) -> subprocess.CompletedProcess[str]:
    """A suite of so many tests, which all pass."""
    (folder / "test_told.py").write_text(SUITE.replace("{tells}", repr(tells)))
    (folder / "conftest.py").write_text('pytest_plugins = ["tests.secrecy_plugin"]\n')
    (folder / "pytest.ini").write_text("[pytest]\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--basetemp={folder / 'base'}", *options,
         str(folder)],
        cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert f"{len(tells)} passed" in done.stdout, done.stdout + done.stderr
    return done


@pytest.fixture
def folder() -> Iterator[Path]:
    """Not below this run's own folder, which is searched too."""
    with tempfile.TemporaryDirectory() as made:
        yield Path(made)


def test_a_suite_that_tells_secrets_is_red(folder: Path) -> None:
    done = run(folder, [tells.strip() for tells in TELLS.values()])
    assert done.returncode == 1, done.stdout + done.stderr
    for where in TELLS:
        assert where in done.stdout


def test_a_worker_that_tells_a_secret_makes_the_whole_run_red(folder: Path) -> None:
    done = run(folder, [TELLS["log of services.any:"]], "-p", "xdist", "-n", "1")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "a secret (secrets.new_session_secret) stands in log of services.any" in done.stdout


def test_a_suite_that_keeps_its_secrets_is_green(folder: Path) -> None:
    done = run(folder, [KEEPS.strip()])
    assert done.returncode == 0, done.stdout + done.stderr


letters = st.text("abcdefgh_-./=", min_size=12, max_size=30)


@given(st.lists(letters, max_size=5, unique=True), st.lists(st.text("abcdefgh_-./= \t", max_size=80), max_size=5))
def test_the_search_finds_what_is_there_and_nothing_else(secrets: list[str], lines: list[str]) -> None:
    """Compared with looking for each in each; some lines hold one for sure."""
    told = [*lines, *(f"x\t{line}{secret}{line}" for secret, line in zip(secrets, lines, strict=False))]
    sorts = {secret: f"<{n}>" for n, secret in enumerate(secrets)}
    found = {sort for secret, sort in sorts.items() if any(secret in line for line in told)}
    assert {line.split("(")[1].split(")")[0] for line in search(sorts, told)} == found
