"""Runs a supervisor over parts described in JSON: `python driver.py HOME '[{"name": …, "code": …}, …]'`.

A part: name, code (Python), and optionally stage, once, essential, ready (a file that must exist), patience, stop
([[signal, seconds], …]). Prints what the supervisor says, and "READY" when all are ready.
"""

import json
import sys
from functools import partial
from pathlib import Path

from tram.embedded.lock import HomeLock
from tram.embedded.part import Part
from tram.embedded.supervisor import Supervisor
from tram.errors import TramError


def exists(path: str, pid: int) -> bool:
    return Path(path).exists()


def part(said: dict) -> Part:
    code = said.pop("code")
    said.setdefault("stage", 0)
    if "ready" in said:
        said["ready"] = partial(exists, said["ready"])
    if "stop" in said:
        said["stop"] = tuple((number, seconds) for number, seconds in said["stop"])
    return Part(title=said["name"], command=lambda: [sys.executable, "-c", code], **said)


def main() -> int:
    home = Path(sys.argv[1])
    try:
        lock = HomeLock(home / "run").acquire()
    except TramError as error:
        print(error, flush=True)
        return 2
    return Supervisor(
        [part(said) for said in json.loads(sys.argv[2])],
        lock=lock,
        log_folder=home / "logs",
        say=partial(print, flush=True),
        on_ready=partial(print, "READY", flush=True),
    ).run()


if __name__ == "__main__":
    sys.exit(main())
