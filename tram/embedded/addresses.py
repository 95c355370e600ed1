"""Where the embedded parts of this home are, for processes that are told nothing else.

`tram up` writes <home>/run/database_url (0600: it holds the password), <home>/run/mqtt_url and, once all is ready,
<home>/run/addresses.json; it removes them when it stops.
"""

import json
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from tram.embedded.files import write_whole
from tram.errors import SettingsError
from tram.settings import Settings

DATABASE = "database_url"
MQTT = "mqtt_url"
ADDRESSES = "addresses.json"
VARIABLES = {DATABASE: ("database", "TRAM_DATABASE_URL"), MQTT: ("broker", "TRAM_MQTT_URL")}


def run_folder(settings: Settings) -> Path:
    """The folder of what belongs to one run: addresses, lock; 0700."""
    return settings.home / "run"


def resolve(settings: Settings, needs: Collection[str] = (DATABASE, MQTT)) -> Settings:
    """The settings with database_url and mqtt_url filled from the running embedded parts, where they are empty.

    Args:
        needs: which of them the process uses; the others stay as they are.

    Raises:
        SettingsError: one is empty and no embedded part runs; the line says what to do.
    """
    for name, (what, variable) in VARIABLES.items():
        if name not in needs or getattr(settings, name):
            continue
        file = run_folder(settings) / name
        try:
            url = file.read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            raise SettingsError(f"no {what}: start `make up` or set {variable}") from None
        except OSError as error:
            raise SettingsError(f"no {what}: {file} cannot be read ({error.strerror}); or set {variable}") from None
        origin = {**settings.origin, name: str(file)}
        if name == DATABASE:
            settings = replace(settings, database_url=url, origin=origin)
        else:
            settings = replace(settings, mqtt_url=url, origin=origin)
    return settings


def publish(settings: Settings, name: str, url: str) -> None:
    """Writes one address for the others to find."""
    write_whole(run_folder(settings) / name, url + "\n", mode=0o600)


def publish_all(settings: Settings, addresses: dict[str, str]) -> None:
    """Writes the addresses that people and tests use ({"web": url, …}); no secrets."""
    write_whole(run_folder(settings) / ADDRESSES, json.dumps(addresses, indent=2) + "\n")


def published(settings: Settings) -> dict[str, str]:
    """What publish_all wrote; empty when nothing runs (or is not ready yet)."""
    try:
        found = json.loads((run_folder(settings) / ADDRESSES).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(name): str(url) for name, url in found.items()} if isinstance(found, dict) else {}


def withdraw(settings: Settings) -> None:
    """Removes all of them: nothing runs any more."""
    for name in (DATABASE, MQTT, ADDRESSES):
        (run_folder(settings) / name).unlink(missing_ok=True)
