"""What an index means to people: its band, the official colour, advice by group. From bands.toml."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Band:
    """One band: indices up to and with `to`. `colour`: the official one; `ink`: of text on it.

    `advice`: group (everybody, children, elderly, athletes) -> language -> sentence.
    """

    key: str
    to: int
    colour: str
    ink: str
    labels: Mapping[str, str]
    advice: Mapping[str, Mapping[str, str]]


@cache
def bands() -> tuple[Band, ...]:
    """All six, from the best."""
    rows = tomllib.loads(Path(__file__).with_name("bands.toml").read_text(encoding="utf-8"))["band"]
    return tuple(
        Band(row["key"], row["to"], row["colour"], row["ink"], {"vi": row["vi"], "en": row["en"]}, row["advice"])
        for row in rows
    )


def band(index: float | None) -> Band | None:
    """The band of an index (rounded ones: whole numbers); None for no index."""
    if index is None or index != index:
        return None
    return next((one for one in bands() if index <= one.to), bands()[-1])
