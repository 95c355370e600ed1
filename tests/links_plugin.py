"""pytest plugin: the weak links of all worker processes are there before any browser is (tests/telehealth/netns.py)."""

from contextlib import ExitStack

import pytest

from tests.telehealth.netns import links_of_workers

_LINKS: pytest.StashKey[ExitStack] = pytest.StashKey()


def pytest_configure(config: pytest.Config) -> None:
    """In the controller of pytest-xdist alone: a single process has one browser at a time."""
    processes = config.getoption("numprocesses", None)
    if processes and not hasattr(config, "workerinput") and not config.option.collectonly:
        config.stash[_LINKS] = ExitStack()
        config.stash[_LINKS].enter_context(links_of_workers(processes))


def pytest_unconfigure(config: pytest.Config) -> None:
    """Takes them away."""
    if _LINKS in config.stash:
        config.stash[_LINKS].close()
