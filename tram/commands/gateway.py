"""`tram gateway`."""

import argparse

from tram.commands._plane import become
from tram.settings import Settings

HELP = "run the gateway: MQTT in, committed observations out"
OPERATION = "server.run"
DESCRIPTION = (
    "Runs `python -m gateway` in the foreground; SIGTERM or Ctrl-C stops it. "
    "It needs a database and a broker: those of a running `tram up`, "
    "or TRAM_DATABASE_URL and TRAM_MQTT_URL."
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """None of its own: settings say all."""


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Becomes the plane's process."""
    become("gateway")
