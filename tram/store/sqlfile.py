"""Named SQL: `-- name: …` blocks of tram/store/sql/*.sql, loaded by name."""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import LiteralString

_MARK = "-- name:"


class Queries(Mapping[str, LiteralString]):
    """The queries of one file, by name. A name that is not there is a KeyError that lists those that are."""

    def __init__(self, origin: str, blocks: Mapping[str, str]) -> None:
        self._origin, self._blocks = origin, dict(blocks)

    def __getitem__(self, name: str) -> LiteralString:
        try:
            return self._blocks[name]
        except KeyError:
            raise KeyError(f"{self._origin} has no query {name!r}; it has {', '.join(self._blocks)}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._blocks)

    def __len__(self) -> int:
        return len(self._blocks)


def parse(text: str, origin: str) -> Queries:
    """Splits a file at its `-- name: …` lines; what stands before the first is the file's own comment.

    Raises:
        ValueError: a name twice, an empty name or an empty query.
    """
    blocks: dict[str, list[str]] = {}
    current: list[str] | None = None
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith(_MARK):
            name = line.removeprefix(_MARK).strip()
            if not name.isidentifier() or name in blocks:
                raise ValueError(f"{origin}:{number}: the query name {name!r} is empty, odd or there twice")
            current = blocks.setdefault(name, [])
        elif current is not None:
            current.append(line)
    for name, lines in blocks.items():
        if not any(line.strip() and not line.lstrip().startswith("--") for line in lines):
            raise ValueError(f"{origin}: the query {name!r} is empty")
    return Queries(origin, {name: "\n".join(lines).strip() for name, lines in blocks.items()})


@cache
def load(name: str) -> Queries:
    """The queries of tram/store/sql/{name}.sql, read once.

    Raises:
        FileNotFoundError: there is no such file.
    """
    file = files("tram.store").joinpath("sql", f"{name}.sql")
    return parse(file.read_text(encoding="utf-8"), f"tram/store/sql/{name}.sql")


def load_path(path: Path) -> Queries:
    """The queries of any file, e.g. a city service's own queries.sql."""
    return parse(path.read_text(encoding="utf-8"), str(path))
