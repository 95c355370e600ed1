"""How incident detection did on labelled detectors: measured.toml, written by `python -m bench.incidents --write`."""

import tomllib
from functools import cache
from typing import Any

from services.domains.traffic.network import FOLDER

FILE = FOLDER / "measured.toml"


@cache
def rows() -> tuple[dict[str, Any], ...]:
    """One row a method and series."""
    return tuple(tomllib.loads(FILE.read_text(encoding="utf-8"))["row"])
