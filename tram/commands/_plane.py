"""Becoming a plane's process: `tram gateway` is `python -m gateway`."""

import os
import sys
from collections.abc import Sequence
from typing import NoReturn


def become(module: str, arguments: Sequence[str] = ()) -> NoReturn:
    """Replaces this process, so that signals and the exit code are the plane's own."""
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", module, *arguments])  # noqa: S606 - no shell is the point
