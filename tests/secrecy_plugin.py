"""pytest's side of tests/secrecy.py: listens from the start, looks at the end of every process, fails the run."""

import logging
from typing import Any

import httpx
import pytest

from tests import secrecy
from tram.runtime.logs import LineFormatter


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Begins to listen."""
    handler = secrecy.Handler(logging.INFO)
    handler.setFormatter(LineFormatter("tests"))
    for name in secrecy.LOGGERS:
        logging.getLogger(name).addHandler(handler)
        if not logging.getLogger(name).level:
            logging.getLogger(name).setLevel(logging.INFO)
    httpx.Client.send = secrecy.sending  # type: ignore[method-assign,assignment]


@pytest.fixture(scope="session", autouse=True)
def searched_folders(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The folders of this process's tests are searched too."""
    secrecy.WATCH.folders.append(tmp_path_factory.getbasetemp())


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Looks; in a worker of pytest-xdist the controller is told."""
    config = session.config
    found = secrecy.WATCH.found() if secrecy.WATCH.size or secrecy.WATCH.folders else []
    worker = getattr(config, "workeroutput", None)
    if worker is not None:
        worker["secrecy"] = found
        return
    found += config.stash.get(_OF_WORKERS, [])
    config.stash[_FOUND] = found
    if found:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


_OF_WORKERS: pytest.StashKey[list[str]] = pytest.StashKey()
_FOUND: pytest.StashKey[list[str]] = pytest.StashKey()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """A worker of pytest-xdist ended; one that died told nothing, and fails the run by itself."""
    of_workers = node.config.stash.setdefault(_OF_WORKERS, [])
    of_workers += getattr(node, "workeroutput", {}).get("secrecy", [])


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Says what was found."""
    found = config.stash.get(_FOUND, [])
    if found:
        terminalreporter.section("secrets were told", sep="=", red=True)
        for line in found:
            terminalreporter.line(line)
