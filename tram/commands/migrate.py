"""`tram migrate`: brings the database's tables to what this version needs."""

import argparse
import importlib.util
from pathlib import Path

from tram.embedded.addresses import DATABASE, resolve
from tram.settings import Settings
from tram.store import alarm_rules, areas, dashboards
from tram.store.database import connect
from tram.store.migrate import migrate

HELP = "bring the database's tables to this version's; safe to repeat"
OPERATION = "server.migrate"
DESCRIPTION = (
    "Applies the migrations that are not applied yet: the store's, then each city service's and telehealth's. "
    "Forward only, each in one transaction; several at once wait for each other."
)
PACKAGES = ("services", "telehealth")


def arguments(parser: argparse.ArgumentParser) -> None:
    """None of its own."""


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Migrates and says what was applied."""
    settings = resolve(settings, needs=(DATABASE,))
    with connect(settings, "migrate") as conn:
        applied = migrate(conn, folders(), chunk=settings.observation_chunk)
        areas.seed(conn)
        alarm_rules.seed(conn)
        dashboards.seed(conn)
    print("\n".join(applied) if applied else "nothing to migrate")
    return 0


def folders() -> list[Path]:
    """The migrations of the planes, found without importing a plane."""
    found: list[Path] = []
    for package in PACKAGES:
        spec = importlib.util.find_spec(package)
        for place in spec.submodule_search_locations or [] if spec else []:
            found += sorted(path for path in Path(place).rglob("migrations") if path.is_dir())
    return found
