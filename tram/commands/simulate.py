"""`tram simulate …`: hands everything to the simulated province."""

import argparse

from tram.commands._plane import become
from tram.settings import Settings

HELP = "publish the telemetry of a simulated province (`tram simulate --help` has its scenarios)"
OPERATION = "server.run"
PASSES_ON = True


def arguments(parser: argparse.ArgumentParser) -> None:
    """The simulator reads its own."""


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Becomes the simulator's process."""
    become("devices.simulators", args.rest)
