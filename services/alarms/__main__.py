"""`python -m services.alarms`: judges every observation by the rules and keeps the alarms."""

import os
import sys

from services.alarms.process import Alarms
from tram.embedded.addresses import DATABASE, resolve
from tram.errors import SettingsError
from tram.runtime.process import Process
from tram.settings import load


def main() -> int:
    """Runs until SIGTERM or SIGINT; returns the exit code."""
    try:
        settings = resolve(load(os.environ), needs=(DATABASE,))
        holder: list[Alarms] = []
        with Process(
            "alarms",
            settings,
            probe=(settings.probe_host, settings.alarms_probe_port),
            conditions=("database",),
            detail=lambda: holder[0].detail() if holder else {},
        ) as process:
            holder.append(Alarms(settings, process.stopping, process.readiness))
            holder[0].run()
    except SettingsError as error:
        print(f"alarms: {error}", file=sys.stderr)  # noqa: T201
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
