"""Sees to it that nothing outlives a supervisor that was killed. Stands alone, on the standard library.

The supervisor starts it with a pipe on standard input and says there what it starts ("+pid signal") and what has ended
("-pid"), one a line, and "bye" when it stops as it should. The pipe closing without that word means that the
supervisor is gone: each child gets its signal, and what is left after PATIENCE gets SIGKILL, descendants included.

The direct children also carry a death signal of the kernel's (launch.py). The guard is there for what that misses:
grandchildren, and a child that takes its time. It holds the lock of the home until all are gone.

Descendants are found by the session of the child they come from, and by the run's mark in their environment.
"""

import contextlib
import os
import signal
import sys
import time
from pathlib import Path

PATIENCE = 15.0  # seconds; a PostgreSQL in fast shutdown writes a checkpoint
POLL = 0.05
MARK = "TRAM_X_RUN"


def family(leaders: set[int], mark: str) -> set[int]:
    """Process ids of the leaders' sessions, and of all that carry the mark; this process and zombies excepted."""
    found: set[int] = set()
    wanted = f"{MARK}={mark}".encode()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        with contextlib.suppress(OSError, IndexError, ValueError):
            # proc_pid_stat(5): after the command in parentheses come state, parent, group, session.
            state, _, _, session, *_ = (entry / "stat").read_text().rpartition(")")[2].split()
            if state in "ZX":
                continue
            if int(session) in leaders or wanted in (entry / "environ").read_bytes().split(b"\0"):
                found.add(int(entry.name))
    return found


def end_all(leaders: dict[int, int], mark: str, patience: float = PATIENCE) -> None:
    """Ends every leader by its signal, then whatever is left of their families by SIGKILL.

    Args:
        leaders: {process id: signal}.
        mark: the run's.
        patience: seconds between the two.
    """
    for pid, number in leaders.items():
        _send(pid, number)
    deadline = time.monotonic() + patience
    while (left := family(set(leaders), mark)) and time.monotonic() < deadline:
        # A leader that is gone takes its orphans with it at once: nobody is left to tell them.
        for pid in left - set(leaders) if not left & set(leaders) else ():
            _send(pid, signal.SIGKILL)
        time.sleep(POLL)
    while left := family(set(leaders), mark):
        for pid in left:
            _send(pid, signal.SIGKILL)
        if time.monotonic() > deadline + patience:
            break
        time.sleep(POLL)


def _send(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # it ends when the supervisor does
    leaders: dict[int, int] = {}
    for line in sys.stdin:
        word, *rest = line.split()
        if word == "bye":
            return
        if word.startswith("+"):
            leaders[int(word[1:])] = int(rest[0])
        else:
            leaders.pop(int(word[1:]), None)
    end_all(leaders, sys.argv[1])


if __name__ == "__main__":
    main()
