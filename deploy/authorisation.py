"""Everything that can be asked of Trạm and the rule of each: `python -m deploy.authorisation` prints the matrix."""

import importlib
import sys

from fastapi import FastAPI

from services.app import create_app
from services.auth.guard import endpoints
from services.live import operations as live
from telehealth.operations import ENDPOINTS, MESSAGES
from tram import cli
from tram.identity import matrix
from tram.settings import Settings

Rows = list[tuple[str, str]]


def application() -> FastAPI:
    """The city's application; it is not started, so the database is never asked."""
    key = "A" * 43 + "="
    return create_app(Settings(database_url="postgresql://nobody@127.0.0.1:1/none", secret_key=key), heartbeat=False)


def city() -> Rows:
    """(method and path, operation) of every endpoint of the city's application."""
    found = {
        (f"{method} {endpoint.path}", endpoint.operation or "")
        for endpoint in endpoints(application())
        for method in endpoint.methods or ("GET",)
        if method not in ("HEAD", "OPTIONS")
    }
    return sorted(found, key=lambda row: (row[0].split(" ", 1)[1], row[0]))


def commands() -> Rows:
    """(command, operation) of every `tram` command."""
    found = []
    for name in cli.names():
        module = importlib.import_module(f"tram.commands.{name}")
        found += [(f"tram {name} {sub}".strip(), operation) for sub, operation in cli.operations(module).items()]
    return sorted(found)


def document() -> str:
    """docs/authorisation.md."""
    parts = [
        matrix.rules(),
        matrix.surface("HTTP, city", city()),
        matrix.surface("HTTP, care", sorted(ENDPOINTS.items())),
        matrix.surface("WebSocket messages of /live", sorted(live.MESSAGES.items())),
        matrix.surface("WebSocket messages of /consult", sorted(MESSAGES.items())),
        matrix.surface("Commands", commands()),
    ]
    return matrix.HEAD + "\n".join(parts)


if __name__ == "__main__":
    sys.stdout.write(document())
