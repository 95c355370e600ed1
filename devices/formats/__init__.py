"""Payload conventions, one folder each, found by their name. See tram.readings for the contract."""

from functools import cache
from importlib import import_module
from importlib.resources import files

from tram.readings import Format


@cache
def discover() -> dict[str, Format]:
    """Every format folder's FORMAT, by name, in the order of the names."""
    found: dict[str, Format] = {}
    for folder in sorted(files(__name__).iterdir(), key=lambda entry: entry.name):
        if folder.is_dir() and folder.joinpath("codec.py").is_file():
            codec = import_module(f"{__name__}.{folder.name}.codec")
            found[folder.name] = codec.FORMAT
    return found
