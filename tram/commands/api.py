"""`tram api`."""

import argparse

from tram.commands._plane import become
from tram.settings import Settings

HELP = "run the web, the API and the live hub"
OPERATION = "server.run"
DESCRIPTION = (
    "Runs `python -m services` in the foreground; SIGTERM or Ctrl-C stops it. "
    "It needs a database: that of a running `tram up`, or TRAM_DATABASE_URL."
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """None of its own: settings say all."""


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Becomes the plane's process."""
    become("services")
